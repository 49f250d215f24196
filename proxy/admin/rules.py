"""The side doors for rules: read them, have a candidate judged, save one, list versions, put one back.

What happens is said in proxy/rulebook/live.py; here it is asked for over HTTP. Two people cannot overwrite each
other: whoever saves names the version that he has read (If-Match, RFC 9110 section 13.1.1). Reading is like
reading metrics; writing always wants a token, because whoever may write may turn the protection off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from proxy.admin.api import add_reading, bearer, only_with
from proxy.rulebook.disk import ChangedError
from proxy.rulebook.document import MAX_LENGTH
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.live import Edit, Rules
from proxy.rulebook.load import Built
from proxy.rulebook.versions import VersionError

LARGEST = 4 * MAX_LENGTH  # bytes; more cannot be a rule file in any spelling
LOCKED = "to change rules, start hushwire with --admin-token-file FILE; without a token they can only be read"
SHIPPED = "these rules come with hushwire and are not written; start it with --rules FILE to have your own"
YAML = "text/yaml; charset=utf-8"
NO_MATCH = "say which version you have changed: If-Match with the ETag of GET /-/rules"
CHANGED = "somebody else was faster: read the rules again, and change those"

T = TypeVar("T")
Do = Callable[[Callable[[], T]], Awaitable[T]]
"""Runs a job in the thread that builds, behind what was asked for before."""


class Wanted(BaseModel):
    """The body of a rollback: a digest, or its beginning."""

    model_config = ConfigDict(extra="forbid", strict=True)

    digest: str


def add_doors(app: FastAPI, books: Sequence[Rules[Any]], do: Do[Any], token: str | None) -> None:
    """Give `app` the doors for `books`."""
    doors = _Doors(books, do)
    reading, writing = [Depends(bearer(token))], only_with(token, LOCKED)
    add_reading(app, "/-/rules", doors.read, reading)
    add_reading(app, "/-/rules/versions", doors.versions, reading)
    for path, door, method in (
        ("/-/rules", doors.save, "PUT"),
        ("/-/rules/check", doors.check, "POST"),
        ("/-/rules/rollback", doors.rollback, "POST"),
    ):
        app.add_api_route(path, door, methods=[method], response_model=None, dependencies=writing)


def troubles(books: Iterable[Rules[Any]]) -> list[dict[str, object]]:
    """For readiness: which files say what cannot go live, and since when. The old rules do their work."""
    stale = ((one, one.trouble) for one in books)  # read once: another thread may mend it meanwhile
    return [
        {
            "routes": [*one.routes],
            "files": sorted({fault.source for fault in trouble.faults}),
            "faults": len(trouble.faults),
            "since": _time(trouble.since),
            "in_force": one.live.policy.digest,
        }
        for one, trouble in stale
        if trouble is not None
    ]


class _Doors:
    """One method for each door."""

    def __init__(self, books: Sequence[Rules[Any]], do: Do[Any]) -> None:
        self.books = {route: one for one in books for route in one.routes}
        self.do = do

    async def read(self, route: str | None = None, *, effective: bool = False) -> Response:
        """What the rule file says now, and its version; or all that is in force, with what it extends."""
        rules = self._of(route)
        if effective:
            return Response(await self.do(rules.effective), media_type=YAML)
        try:
            content = await asyncio.to_thread(rules.main.read_bytes)
        except OSError as error:
            raise _problem(HTTPStatus.CONFLICT, f"the rule file cannot be read: {error.strerror}") from None
        return Response(content, media_type=YAML, headers={"ETag": _etag(content)})

    async def save(self, request: Request, route: str | None = None) -> Response:
        """Prove the rules in the body, write them, and put them in force."""
        rules = self._of(route)
        if rules.shipped:
            raise _problem(HTTPStatus.CONFLICT, SHIPPED)
        expected = _expected(request)
        content = await _body(request)
        built = await self._swap(rules, Edit({rules.main: content}, expected))
        return JSONResponse(_summary(rules, built), headers={"ETag": _etag(content)})

    async def check(self, request: Request, route: str | None = None) -> Response:
        """Judge the rules in the body, and say what they would change."""
        rules = self._of(route)
        content = await _body(request)
        try:
            built = await self.do(partial(rules.candidate, {rules.main: content}))
            found = await self.do(partial(rules.changes, {rules.main: content}))
        except RulesError as error:
            raise _Faulty(error.faults) from None
        return JSONResponse(_summary(rules, built) | {"changes": found})

    async def versions(self, route: str | None = None) -> Response:
        """What was in force, the newest first."""
        rules = self._of(route)
        kept = await asyncio.to_thread(rules.versions.all, rules.main)
        listed = [version.as_json() | {"time": _time(version.time)} for version in kept]
        return JSONResponse({"in_force": rules.live.policy.digest, "versions": listed})

    async def rollback(self, wanted: Wanted, route: str | None = None) -> Response:
        """Put the files of a version back, proven anew."""
        rules = self._of(route)
        if rules.shipped:
            raise _problem(HTTPStatus.CONFLICT, SHIPPED)
        try:
            edit = await asyncio.to_thread(rules.rollback, wanted.digest)
        except VersionError as error:
            raise _problem(HTTPStatus.CONFLICT, str(error)) from None
        built = await self._swap(rules, edit)
        return JSONResponse(_summary(rules, built), headers={"ETag": _etag(edit.contents[rules.main])})

    async def _swap(self, rules: Rules[Any], edit: Edit) -> Built[Any]:
        try:
            built: Built[Any] = await self.do(partial(rules.try_swap, edit))
        except RulesError as error:
            raise _Faulty(error.faults) from None
        except ChangedError:
            raise _problem(HTTPStatus.PRECONDITION_FAILED, CHANGED) from None
        except OSError as error:
            raise _problem(HTTPStatus.CONFLICT, f"the rules cannot be written: {error.strerror}") from None
        return built

    def _of(self, route: str | None) -> Rules[Any]:
        known = ", ".join(self.books)
        if route is None and len({id(one) for one in self.books.values()}) == 1:
            return next(iter(self.books.values()))
        if route is None:
            raise _problem(HTTPStatus.BAD_REQUEST, f"say which rules: ?route=NAME, one of {known}")
        if route not in self.books:
            raise _problem(HTTPStatus.BAD_REQUEST, f"there is no such route; there are {known}")
        return self.books[route]


class _Faulty(HTTPException):
    """422 with every fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, [asdict(fault) for fault in faults])


def _problem(status: HTTPStatus, sentence: str) -> HTTPException:
    return HTTPException(status, sentence, {"Connection": "close"} if status == 413 else None)


def _expected(request: Request) -> str:
    """The SHA-256 that the writer has read. A list or `*` would let him overwrite what he has not seen."""
    given = request.headers.get("if-match", "").strip()
    if len(given) != 66 or given[0] != '"' or given[-1] != '"':
        raise _problem(HTTPStatus.PRECONDITION_REQUIRED, NO_MATCH)
    return given[1:-1]


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            raise _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a rule file has at most {LARGEST} bytes")
    return bytes(content)


def _etag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()}"'


def _summary(rules: Rules[Any], built: Built[Any]) -> dict[str, object]:
    return {"routes": [*rules.routes], "name": built.policy.name, "digest": built.policy.digest}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
