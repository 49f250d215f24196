"""What a handshake can carry: cookies, headers and a subprotocol, read from the request and sent on accept.

The first message is a report of the request as this service saw it, which shows what a proxy in front of
it changes. After that, every text names a request header and is answered with the list of its values.
"""

from __future__ import annotations

from contextlib import suppress
from http.cookies import SimpleCookie
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, Header, WebSocket
from fastapi.responses import JSONResponse

from examples.texts import GONE, texts

SUBPROTOCOLS = ("notes.v2", "notes.v1")  # best first

app = FastAPI(title="Handshake")


def choose(offered: list[str]) -> str | None:
    """The best subprotocol that both sides speak."""
    return next((name for name in SUBPROTOCOLS if name in offered), None)


def set_cookie(name: str, value: str, **attributes: str | bool) -> tuple[bytes, bytes]:
    """A Set-Cookie header (RFC 6265 section 4.1); attributes are spelt as http.cookies spells them."""
    cookie: SimpleCookie = SimpleCookie({name: value})
    cookie[name].update(attributes)  # type: ignore[arg-type]  # flags are booleans, the stub knows only str
    return b"set-cookie", cookie[name].OutputString().encode("latin-1")


def report(websocket: WebSocket, subprotocol: str | None) -> dict[str, Any]:
    """The request, in plain JSON; headers and query as pairs, because both may repeat."""
    return {
        "path": websocket.scope["raw_path"].decode("ascii"),
        "query": websocket.query_params.multi_items(),
        "headers": websocket.headers.items(),
        "cookies": websocket.cookies,
        "offered": websocket.scope["subprotocols"],
        "subprotocol": subprotocol,
    }


@app.websocket("/ws")
async def converse(
    websocket: WebSocket,
    visits: Annotated[int, Cookie(ge=0)] = 0,
    x_client: Annotated[str, Header(max_length=80)] = "unknown",
) -> None:
    """Count the visits in a cookie, report, and answer questions about the request."""
    offered = websocket.scope["subprotocols"]
    subprotocol = choose(offered)
    if offered and subprotocol is None:
        body = {"detail": "None of the offered subprotocols is spoken here", "spoken": SUBPROTOCOLS}
        await websocket.send_denial_response(JSONResponse(body, 400))
        return
    headers = [
        set_cookie("visits", str(visits + 1), path="/ws", httponly=True, samesite="Strict"),
        set_cookie("theme", "dark", path="/"),
        (b"x-served-to", x_client.encode("latin-1")),
    ]
    await websocket.accept(subprotocol, headers)
    with suppress(*GONE):
        await websocket.send_json(report(websocket, subprotocol))
        async for name in texts(websocket):
            await websocket.send_json(websocket.headers.getlist(name))
