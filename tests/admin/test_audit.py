"""The side doors of the audit, on real ports and with the process that reads: what they answer and refuse."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy.admin import audit_models as models
from proxy.admin import lookups
from proxy.admin.api import build
from proxy.admin.asking import Audit
from proxy.admin.audit import add_doors
from proxy.audit import events
from proxy.audit.checkpoint import Verifier
from proxy.audit.proof.prove import check
from proxy.settings import Address
from proxy.wire.server import bind, listener, start
from tests.audit.logs import DAY, HandMade, finding, message

TOKEN = "s3cret"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SID = "0badcafe-1"
OPEN = (events.SessionOpen, {"sid": SID, "route": "default", "client": "fp:0123456789abcdef"})


class Port:
    """An admin port of the audit in `directory`. `told` is what it had noted, in order."""

    def __init__(self, directory: Path | None, token: str | None = TOKEN, **limits: Any) -> None:
        self.told: list[events.Event] = []
        self.full = False
        self.audit = None if directory is None else Audit(directory, **limits)
        self.app = build(dict, list, token)
        add_doors(self.app, self.audit, self.tell, token)
        self.client: httpx.AsyncClient
        self.address: tuple[str, int]

    def tell(self, kind: Callable[..., events.Event], **given: Any) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.told.append(kind(log="3f9ac21b", seq=0, t=0, mono=0, **given))

    def shown(self) -> list[int]:
        return [event.count for event in self.told if isinstance(event, events.Export)]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Port]:
        sock = bind(Address("127.0.0.1", 0))
        self.address = sock.getsockname()
        server = listener(self.app)
        serving = await start(server, sock)
        base = f"http://127.0.0.1:{self.address[1]}"
        try:
            async with httpx.AsyncClient(base_url=base, headers=HEADERS, timeout=30) as client:
                self.client = client
                yield self
        finally:
            if self.audit is not None:
                await self.audit.close()
            server.should_exit = True
            await serving

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(f"/-/audit{path}", **more)


def played(port: Port, script: Callable[[Port], Awaitable[None]]) -> None:
    async def go() -> None:
        async with port.open():
            await asyncio.wait_for(script(port), 60)

    asyncio.run(go())


@pytest.fixture
def log(tmp_path: Path) -> HandMade:
    made = HandMade(tmp_path)
    made.block(OPEN)
    for n in range(1, 6):
        made.block(message(n, f=[finding("EMAIL_ADDRESS" if n % 2 else "CREDIT_CARD")]))
    made.block(message(1, sid="0badcafe-2", route="other", dir="down"))
    made.checkpoint()
    return made


# -- searching ------------------------------------------------------------------------------------------------


def test_events_are_found_by_any_filter_newest_first_and_that_they_were_shown_is_noted(tmp_path, log):
    async def script(port: Port) -> None:
        found = (await port.get("")).json()
        assert [event["seq"] for event in found["events"]] == [6, 5, 4, 3, 2, 1, 0] and found["next"] is None
        for query, seqs in {
            "entity=CREDIT_CARD": [4, 2],
            "entity=CREDIT_CARD&entity=EMAIL_ADDRESS&session=" + SID: [5, 4, 3, 2, 1],
            "route=other": [6],
            "direction=down": [6],
            "kind=session.open": [0],
            "verdict=clean": [],
            f"since={_iso(4)}": [6, 5, 4],
            f"until={_iso(2)}": [1, 0],
            "operator=mask&rule=contact&limit=2": [6, 5],
            "client=fp:0123456789abcdef&kind=message": [5, 4, 3, 2, 1],
        }.items():
            answer = await port.get("?" + query)
            assert [event["seq"] for event in models.Found(**answer.json()).events] == seqs, query
        assert port.shown() == [7, 2, 5, 1, 1, 1, 0, 3, 2, 2, 5]

    played(Port(tmp_path), script)


def _iso(seq: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(DAY + seq, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_pages_follow_each_other_without_a_gap_also_while_events_come(tmp_path, log):
    async def script(port: Port) -> None:
        seen, before = [], ""
        while True:
            page = (await port.get(f"?limit=3{before}")).json()
            seen += [event["seq"] for event in page["events"]]
            log.block(message(99))
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
        assert seen == [6, 5, 4, 3, 2, 1, 0]

    played(Port(tmp_path), script)


def test_an_answer_is_no_larger_than_it_may_be_and_says_how_to_go_on(tmp_path, log, monkeypatch):
    monkeypatch.setattr(lookups, "LARGEST", 700)
    look = lookups.Lookups(tmp_path)
    asking = {"question": {}, "limit": 50, "before": None}
    seen = []
    while True:
        said = look.search(asking)
        assert isinstance(said.body, dict) and said.events == len(said.body["events"]) <= 3
        seen += [event["seq"] for event in said.body["events"]]
        if said.body["next"] is None:
            break
        asking["before"] = said.body["next"]
    assert seen == [6, 5, 4, 3, 2, 1, 0]


def test_a_connection_is_told_in_order(tmp_path, log):
    async def script(port: Port) -> None:
        told = models.Timeline(**(await port.get(f"/sessions/{SID}")).json())
        assert [event["seq"] for event in told.events] == [0, 1, 2, 3, 4, 5] and told.complete
        answer = await port.get("/sessions/0badcafe-77")
        assert answer.status_code == 404 and "no session 0badcafe-77" in answer.json()["detail"]
        assert port.shown() == [6]

    played(Port(tmp_path), script)


def test_an_event_with_very_many_findings_is_told_in_short_and_whole_where_that_is_asked_for(tmp_path, log):
    every = [finding(("EMAIL_ADDRESS", "CREDIT_CARD")[n % 2], len=10 + n, c=f"{n:032x}") for n in range(5000)]
    log.block(message(60, f=every))

    async def script(port: Port) -> None:
        (event,) = models.Found(**(await port.get("?limit=1")).json()).events
        sort = {"rule": "contact", "recognizer": "email", "op": "mask", "count": 2500, "score": [1.0, 1.0]}
        cards, mails = {"entity": "CREDIT_CARD", "len": [11, 5009]}, {"entity": "EMAIL_ADDRESS", "len": [10, 5008]}
        assert event["f_all"] == {"count": 5000, "sorts": [cards | sort, mails | sort]}
        assert [one["len"] for one in event["f"]] == list(range(10, 110))
        assert (await port.get(f"/sessions/{SID}")).json()["events"][-1] == event
        told = models.Event(**(await port.get("/event/7")).json()).event
        assert "f_all" not in told and [one["c"] for one in told["f"]] == [one.c for one in every]
        assert port.shown() == [1, 7, 1]

    played(Port(tmp_path), script)


@pytest.mark.parametrize("sealed", [False, True])
def test_one_event_is_told_as_it_stands_and_of_which_log_it_is_asked(tmp_path, log, sealed):
    log.rotate()
    line = log.block(message(7)).decode()
    if sealed:
        for path in sorted(log.folder.glob("*.jsonl")):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()

    async def script(port: Port) -> None:
        assert (await port.get("/event/7")).json()["event"] == json.loads(line)
        assert (await port.get("/event/3")).json()["event"]["seq"] == 3
        answer = await port.get("/event/8")
        assert answer.status_code == 404 and "no event 8" in answer.json()["detail"]
        HandMade(tmp_path, log="77aa00ff", number=1).block(message(1))
        answer = await port.get("/event/7")
        assert answer.status_code == 404 and "3f9ac21b, 77aa00ff" in answer.json()["detail"]
        assert (await port.get("/event/0?log=77aa00ff")).json()["event"]["log"] == "77aa00ff"

    played(Port(tmp_path), script)


def test_what_was_found_is_counted_by_what_is_asked_for(tmp_path, log):
    async def script(port: Port) -> None:
        told = models.Stats(**(await port.get("/stats")).json())
        assert told.findings == {"enforce": 6, "shadow": 0, "exempt": 0}
        assert (told.sessions.opened, told.sessions.closed) == (1, 0)
        counted = {name: [(one.name, one.count) for one in of] for name, of in told.by.items()}
        assert counted["entity"] == [("EMAIL_ADDRESS", 4), ("CREDIT_CARD", 2)]
        assert counted["direction"] == [("up", 5), ("down", 1)]
        assert counted["verdict"] == [("rewritten", 6)] and counted["cause"] == []
        assert counted["hour"] == [(_iso(0)[:13] + ":00Z", 6)]
        told = models.Stats(**(await port.get("/stats?by=route&entity=EMAIL_ADDRESS")).json())
        assert {name: [one.count for one in of] for name, of in told.by.items()} == {"route": [3, 1]}
        assert (await port.get(f"/stats?session={SID}")).status_code == 422

    played(Port(tmp_path), script)


def test_checkpoints_are_told_with_the_key_that_opens_them(tmp_path, log):
    async def script(port: Port) -> None:
        told = models.Checkpoints(**(await port.get("/checkpoint")).json())
        (one,) = told.logs
        assert one.checkpoint is not None
        assert Verifier.parse(told.key).open(one.checkpoint).size == 7

    played(Port(tmp_path), script)


def test_an_event_is_proven_up_to_a_signed_checkpoint(tmp_path, log):
    async def script(port: Port) -> None:
        told = models.Proof(**(await port.get("/proof/3")).json())
        key = Verifier.parse((await port.get("/checkpoint")).json()["key"])
        assert check(told.model_dump_json().encode(), key).event.seq == 3
        log.block(message(9))
        answer = await port.get("/proof/7")
        assert answer.status_code == 404 and "is not signed" in answer.json()["detail"]
        other = HandMade(tmp_path, log="77aa00ff", number=1)
        other.block(message(1))
        other.checkpoint()
        answer = await port.get("/proof/3")
        assert answer.status_code == 404 and "?log=ID of 3f9ac21b, 77aa00ff" in answer.json()["detail"]
        assert (await port.get("/proof/0?log=77aa00ff")).json()["log"] == "77aa00ff"
        (log.folder / "checkpoint").write_text("not one")
        answer = await port.get("/proof/3?log=3f9ac21b")
        assert answer.status_code == 404 and "signature" in answer.json()["detail"]

    played(Port(tmp_path), script)


def test_nothing_is_proven_before_anything_is_signed(tmp_path):
    HandMade(tmp_path).block(OPEN)

    async def script(port: Port) -> None:
        answer = await port.get("/proof/0")
        assert answer.status_code == 404 and "nothing is signed yet" in answer.json()["detail"]

    played(Port(tmp_path), script)


# -- refusing -------------------------------------------------------------------------------------------------

DOORS = ["", f"/sessions/{SID}", "/event/1", "/stats", "/events", "/proof/1", "/checkpoint"]


@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens_without_a_token_that_is_set_and_given(tmp_path, log, door):
    async def locked(port: Port) -> None:
        answer = await port.get(door)
        assert answer.status_code == 403 and "--admin-token-file" in answer.json()["detail"]

    async def wrong(port: Port) -> None:
        assert (await port.get(door, headers={"Authorization": "Bearer other"})).status_code == 401

    for token, script in ((None, locked), (TOKEN, wrong)):
        port = Port(tmp_path, token)
        played(port, script)
        assert port.told == []


def test_without_an_audit_there_is_nothing_behind_the_doors(tmp_path):
    async def script(port: Port) -> None:
        for door in DOORS:
            answer = await port.get(door)
            assert answer.status_code == 409 and "--audit off" in answer.json()["detail"]

    played(Port(None), script)


@pytest.mark.parametrize(
    ("asked", "place", "cure"),
    [
        ("?limit=0", "query limit", "1 to 1000"),
        ("?limit=many", "query limit", "1 to 1000"),
        ("?entty=EMAIL_ADDRESS", "query", "did you mean entity?"),
        ("?xyz=1", "query", "there are since, until"),
        ("?kind=mesage", "query kind", "'message'"),
        ("?direction=left", "query direction", "'up' or 'down'"),
        ("?session=1", "query session", "1f3a9c22-17"),
        ("?since=whenever", "query since", "2h, 30m"),
        ("?until=99999999999999w", "query until", "2h, 30m"),
        ("/sessions/1", "path session", "1f3a9c22-17"),
        (f"/sessions/{SID}?limit=1", "query", "leave it out"),
        ("/proof/one", "path seq", "a number"),
        ("/proof/1?log=0", "query log", "8 hex digits"),
        ("/event/-1", "path seq", "a number"),
        ("/event/1?log=0", "query log", "8 hex digits"),
        ("/events?kind=mesage", "query kind", "'message'"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_told_with_place_cause_and_cure(tmp_path, log, asked, place, cure):
    async def script(port: Port) -> None:
        answer = await port.get(asked)
        assert answer.status_code == 422
        (fault,) = models.Faults(**answer.json()).detail
        assert fault.place == place and cure in fault.cure and fault.cause
        assert port.told == []

    played(Port(tmp_path), script)


def test_what_was_asked_is_not_quoted(tmp_path, log):
    async def script(port: Port) -> None:
        for asked in (
            "?session=jana@example.com",
            "?since=jana@example.com",
            "?kind=jana@example.com",
            "?before=j.1",
        ):
            answer = await port.get(asked)
            assert answer.status_code == 422 and "jana" not in answer.text

    played(Port(tmp_path), script)


NAMES = st.sampled_from([*models.Search.model_fields, "by", "log", "q"])
VALUES = st.text(max_size=20) | st.sampled_from(
    ["1", "2h", "message", SID, "1.1", "clean", "enforce", "9" * 19 + ".1"]
)


def test_whatever_is_asked_is_answered_or_refused_but_breaks_nothing(tmp_path, log):
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    def law(query: list[tuple[str, str]]) -> None:
        answer = loop.run_until_complete(port.get("", params=query))
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 200:
            models.Found(**answer.json())
        else:
            assert answer.json()["detail"]

    port, loop = Port(tmp_path), asyncio.new_event_loop()
    opened = port.open()
    loop.run_until_complete(opened.__aenter__())
    try:
        law()
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.close()


def test_nothing_is_shown_that_the_log_cannot_take_down(tmp_path, log):
    async def script(port: Port) -> None:
        port.full = True
        for door in ("", "/events", "/event/1", f"/sessions/{SID}"):
            answer = await port.get(door)
            assert answer.status_code == 503 and "0badcafe" not in answer.text

    played(Port(tmp_path), script)


def test_the_models_say_what_the_doors_take(tmp_path, log):
    async def script(port: Port) -> None:
        described = (await port.client.get("/-/openapi.json")).json()
        search = described["paths"]["/-/audit"]["get"]
        assert {one["name"] for one in search["parameters"]} == set(models.Search.model_fields)
        assert search["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Found")

    played(Port(tmp_path), script)


def test_the_kinds_that_can_be_asked_for_are_those_there_are():
    there_are = {kind.__struct_config__.tag for kind in events.Any.__args__}
    assert set(models.Kind.__args__) == there_are
    with pytest.raises(ValidationError):
        models.Found(events=[], next=None, more=1)
