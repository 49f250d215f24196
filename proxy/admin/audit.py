"""The side doors of the audit: search it, follow it, prove it. All of them want a token, as the log says much.

Nothing is read here: questions go to a process of their own (asking.py), and its answers go out as they come. What
is shown of the log is itself an event of the log, and stands there before it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from proxy.admin import audit_models as models
from proxy.admin.api import only_with
from proxy.admin.asking import AskError, Audit
from proxy.admin.live import position
from proxy.admin.stream import EventStream
from proxy.audit import events
from proxy.audit.reading.question import moment

LOCKED = "to read the audit here, start hushwire with --admin-token-file FILE; hushwire audit reads it without"
OFF = "this proxy keeps no audit (--audit off)"
UNTOLD = "the audit log cannot take down that it was read, so nothing is shown"
TIME = "write a time like 2h, 30m, today, 2026-11-20 or 2026-11-20T14:30Z"
CURES = {
    "since": TIME,
    "until": TIME,
    "session": "write it as events have it, such as 1f3a9c22-17",
    "seq": "write the seq of an event, a number",
    "log": "write the id of a log as events have it, 8 hex digits",
    "limit": "write a number from 1 to 1000, and use before for more",
    "before": "write what the answer before has as next, or leave it out",
}
BAD_ID = "Last-Event-ID is the id of an event of this stream, such as 0.4711-2.38; leave it out to begin with now"

_Nothing = Annotated[models.Nothing, Query()]
Seq = Annotated[int, Path(ge=0, lt=1 << 44)]
Told = Callable[..., None]
"""Takes down an event, (kind, **fields), and has it written. Raises OSError."""


def add_doors(app: FastAPI, audit: Audit | None, told: Told, token: str | None) -> None:
    """Give `app` the doors of `audit`; None: there is none."""
    router = APIRouter(route_class=_Route, dependencies=only_with(token, LOCKED), tags=["audit"])
    doors = _Doors(audit, told)
    for path, door, model in (
        ("/-/audit", doors.search, models.Found),
        ("/-/audit/sessions/{session}", doors.session, models.Timeline),
        ("/-/audit/event/{seq}", doors.event, models.Event),
        ("/-/audit/stats", doors.stats, models.Stats),
        ("/-/audit/proof/{seq}", doors.proof, models.Proof),
        ("/-/audit/checkpoint", doors.checkpoint, models.Checkpoints),
    ):
        router.add_api_route(path, door, methods=["GET"], response_class=Response, responses=_answers(model))
    router.add_api_route(
        "/-/audit/events", doors.follow, methods=["GET"], response_class=Response, responses=_STREAM
    )
    app.include_router(router)


def _answers(model: type[models.Answer]) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model, "description": (model.__doc__ or "").strip()}} | _PROBLEMS


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"description": "the token is wrong"},
    403: {"description": "there is no token to open this door with"},
    404: {"description": "there is no such session or event"},
    409: {"description": "the proxy keeps no audit"},
    422: {"model": models.Faults, "description": "a parameter cannot be used"},
    503: {"description": "not now: busy, the index is being built, or the log takes nothing"},
    504: {"description": "no answer in time"},
}
_STREAM = {
    200: {
        "description": "Events as they come: id, event (its kind, or `gap` with how many were left out), data: "
        "as it stands in the log, but for findings that are not listed (as in a search).",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **_PROBLEMS,
}


class _Doors:
    """One method for each door."""

    def __init__(self, audit: Audit | None, told: Told) -> None:
        self._audit, self._told = audit, told

    async def search(self, asked: Annotated[models.Search, Query()]) -> Response:
        """Events that fit every parameter given, the newest first."""
        return await self._shown(
            {"ask": "search", **_question(asked), "limit": asked.limit, "before": asked.before}
        )

    async def session(self, session: Annotated[models.Sid, Path()], _: _Nothing) -> Response:
        """Everything about one connection, in order; `RUN-SID` as events call it."""
        return await self._shown({"ask": "session", "session": session})

    async def event(self, seq: Seq, asked: Annotated[models.OneLog, Query()]) -> Response:
        """Event `seq` as it stands in the log, with all of its findings."""
        return await self._shown({"ask": "event", "seq": seq, "log": asked.log})

    async def stats(self, asked: Annotated[models.Counting, Query()]) -> Response:
        """How much was found, by what it was, which rule decided, on which route, when."""
        return await self._shown({"ask": "stats", **_question(asked), "by": asked.by})

    async def proof(self, seq: Seq, asked: Annotated[models.OneLog, Query()]) -> Response:
        """That event `seq` is in the log, up to a signed checkpoint; for `hushwire audit prove --check`."""
        return await self._shown({"ask": "proof", "seq": seq, "log": asked.log})

    async def checkpoint(self, _: _Nothing) -> Response:
        """The newest signed checkpoint of each log, and the key to check them with: to be kept elsewhere."""
        return await self._shown({"ask": "checkpoint"})

    async def follow(
        self,
        asked: Annotated[models.Filters, Query()],
        last_event_id: Annotated[str | None, Header(max_length=4096)] = None,
    ) -> Response:
        """Server-sent events: what comes from now on, or behind Last-Event-ID."""
        audit = self._there()
        try:
            behind = None if last_event_id is None else position(last_event_id)
        except ValueError:
            raise _fault("header Last-Event-ID", "it is no position in this audit", BAD_ID) from None
        pieces = audit.stream({"ask": "tail", **_question(asked), "behind": behind})
        try:
            first = await anext(pieces)
            self._tell(events.Admin, did="live tail of the audit")
        except AskError as error:
            raise _asking(error) from None
        except BaseException:
            await pieces.aclose()
            raise
        return EventStream(first, pieces, self._streamed)

    def _streamed(self, count: int) -> None:
        """Too late to refuse. A log that takes nothing now keeps the event, and goes on trying."""
        if count:
            with suppress(OSError):
                self._told(events.Export, form="api", count=count)

    # -- asking -----------------------------------------------------------------------------------------------

    async def _shown(self, question: dict[str, Any]) -> Response:
        """The answer, once it stands in the log that it was given."""
        audit = self._there()
        try:
            piece = await audit.ask(question)
        except AskError as error:
            raise _asking(error) from None
        if piece.status == HTTPStatus.OK:
            self._tell(events.Export, form="api", count=piece.events)
        return Response(piece.body, piece.status, media_type="application/json")

    def _there(self) -> Audit:
        if self._audit is None:
            raise HTTPException(HTTPStatus.CONFLICT, OFF)
        return self._audit

    def _tell(self, kind: Callable[..., events.Event], **given: Any) -> None:
        try:
            self._told(kind, **given)
        except OSError:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, UNTOLD) from None


def _asking(error: AskError) -> HTTPException:
    return HTTPException(error.status, str(error), {"Retry-After": "5"} if error.status == 503 else None)


def _question(asked: models.Common) -> dict[str, Any]:
    """As the child takes it: fields of proxy.audit.reading.question.Question."""
    names = asked.model_dump(include=_NAMES)
    times = {name: _moment(name, getattr(asked, name)) for name in ("since", "until")}
    return {"question": {**names, **times, "way": asked.direction}}


_NAMES = {*models.Filters.model_fields} - {"since", "until", "direction"}


def _moment(name: str, written: str | None) -> int | None:
    if written is None:
        return None
    try:
        when = moment(written, datetime.now(UTC), UTC)
    except (ValueError, OverflowError):
        when = -1
    if not 0 <= when < 1 << 62:
        raise _fault(f"query {name}", "it is no time", TIME)
    return when


def _fault(place: str, cause: str, cure: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, [{"place": place, "cause": cause, "cure": cure}])


class _Route(APIRoute):
    """Tells every fault of the parameters with its place and what helps, and quotes nothing of what was given."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI calls this once a route. Each of ours takes one model of its query."""
        handle = super().get_route_handler()
        (query,) = self.dependant.query_params
        known: list[str] = [*query.field_info.annotation.model_fields]  # type: ignore[union-attr]

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                faults = [_told_of(one, known) for one in error.errors()]
                raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, faults) from None

        return handled


def _told_of(error: Mapping[str, Any], known: Sequence[str]) -> dict[str, str]:
    where, *name = map(str, error["loc"])
    place = f"{where} {name[0]}" if name else where
    if error["type"] == "extra_forbidden":
        near = get_close_matches(name[0], known, 1)
        cure = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}" if known else "leave it out"
        return {"place": where, "cause": "there is no such parameter", "cure": cure}
    if error["type"] == "literal_error":
        return {"place": place, "cause": "there is no such choice", "cure": f"write {error['ctx']['expected']}"}
    cure = CURES.get(name[0] if name else "", "/-/openapi.json says what fits")
    return {"place": place, "cause": error["msg"].removeprefix("Value error, "), "cure": cure}
