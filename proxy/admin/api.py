"""The side doors of the proxy: is it alive, is it ready, what did it do. On a port of their own.

Nothing here touches a connection or a message; everything is asked of the callables that `app` hands in.
Live and ready answer anybody who can reach the port, because orchestrators send no tokens; metrics do not.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, params
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from proxy import __version__
from proxy.admin.metrics import About, Counted, TallyCollector

DOORS = {
    "/-/live": "the process answers",
    "/-/ready": "new connections are welcome; 503 with the reasons while they are not",
    "/-/metrics": "counters for Prometheus",
    "/-/rules": "the rules: GET, PUT, and below it check, versions and rollback",
    "/-/audit": "the audit log: search, and below it sessions, stats, events, proof and checkpoint",
    "/-/openapi.json": "all of this for programs (OpenAPI)",
}
Troubles = Sequence[Mapping[str, object]]
NOTHING: Mapping[str, str] = MappingProxyType({})


def build(
    metrics: Callable[[], Counted],
    ready: Callable[[], list[str]],
    token: str | None,
    about: Callable[[], About] = dict,
    troubles: Callable[[], Troubles] = list,
    missing: Mapping[str, str] = NOTHING,
) -> FastAPI:
    """The ASGI app of the admin port.

    `ready` returns the reasons why the proxy is not ready, none when it is. `about` gives labels of
    `hushwire_info`, such as rules and digest, by route; it is asked at each scrape, because rules may change.
    `troubles` are what readiness tells of rules that cannot go live: those of before do their work. `missing` is
    what else it tells: what was switched off, and what is lost by that.
    """
    app = FastAPI(title="Hushwire", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(TallyCollector(metrics, lambda: _with_version(about())))

    async def live() -> dict[str, str]:
        return {"status": "live"}

    async def is_ready() -> Response:
        because = ready()
        if because:
            return JSONResponse({"status": "not ready", "because": because}, HTTPStatus.SERVICE_UNAVAILABLE)
        told = troubles()
        return JSONResponse({"status": "ready", **({"rules": told} if told else {}), **missing})

    async def scrape(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=None, headers={"Content-Type": content_type})

    async def schema() -> dict[str, object]:
        return app.openapi()

    guard = [Depends(bearer(token))]
    add_reading(app, "/-/live", live)
    add_reading(app, "/-/ready", is_ready)
    add_reading(app, "/-/metrics", scrape, guard)
    add_reading(app, "/-/openapi.json", schema, guard)
    app.add_exception_handler(HTTPStatus.NOT_FOUND, no_such_door)
    return app


def _with_version(about: About) -> About:
    return {route: {"version": __version__, **labels} for route, labels in (about or {"": {}}).items()}


def add_reading(app: FastAPI, path: str, door: Callable[..., Any], guard: Sequence[params.Depends] = ()) -> None:
    """Give `app` a door for GET, and for HEAD, which nobody has to be told of."""
    for method in ("GET", "HEAD"):
        app.add_api_route(
            path,
            door,
            methods=[method],
            response_model=None,
            dependencies=guard,
            include_in_schema=method == "GET",
        )


def bearer(token: str | None) -> Callable[[Request], Awaitable[None]]:
    """A FastAPI dependency that lets only `Authorization: Bearer TOKEN` through (RFC 6750); None: everybody."""

    async def check(request: Request) -> None:
        if token is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Compared as bytes: compare_digest refuses str beyond ASCII, and headers are latin-1.
        same = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
        if scheme.lower() != "bearer" or not same:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "this door wants the header Authorization: Bearer TOKEN, with the token hushwire was started with",
                {"WWW-Authenticate": 'Bearer realm="hushwire"'},
            )

    return check


def only_with(token: str | None, sentence: str) -> list[params.Depends]:
    """Dependencies of doors that are locked, with `sentence`, as long as there is no token to open them."""

    async def check() -> None:
        if token is None:
            raise HTTPException(HTTPStatus.FORBIDDEN, sentence)

    return [Depends(check), Depends(bearer(token))]


async def no_such_door(_request: Request, _problem: Exception) -> Response:
    """404 with the list of what there is."""
    doors = "".join(f"  {path:<16} {about}\n" for path, about in DOORS.items())
    return PlainTextResponse(f"There is nothing here. The doors are:\n{doors}", HTTPStatus.NOT_FOUND)
