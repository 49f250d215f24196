"""The live tail: what comes is told once and in order, whoever was away goes on, and no reader holds others up."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin import live
from proxy.admin.asking import STREAMS, AskError, Audit, Piece
from proxy.admin.live import Following, position, tail
from proxy.admin.stream import EventStream
from proxy.audit import events
from proxy.audit.reading.question import Asked, Question
from tests.admin.test_audit import TOKEN, Port, played
from tests.audit.logs import HandMade, finding, message

EVERYTHING = Asked(Question())


class Told:
    """Server-sent events, parsed (HTML Living Standard, section 9.2.6)."""

    def __init__(self, text: str) -> None:
        fields = [line.partition(": ") for line in text.splitlines()]
        self.fields = {name: value for name, _, value in fields if name}
        self.comment = next((value for name, _, value in fields if not name), None)

    @property
    def seq(self) -> int:
        return int(json.loads(self.fields["data"])["seq"])


@asynccontextmanager
async def listening(port: Port, query: str = "", last: str | None = None) -> AsyncIterator[AsyncIterator[Told]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with port.client.stream("GET", f"/-/audit/events{query}", headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = _parsed(answer)
        assert (await anext(told)).comment == "following"
        yield told


async def _parsed(answer: httpx.Response) -> AsyncIterator[Told]:
    rest = ""
    async for text in answer.aiter_text():
        *whole, rest = (rest + text).split("\n\n")
        for one in whole:
            yield Told(one)


async def some(told: AsyncIterator[Told], count: int) -> list[Told]:
    return [await anext(told) for _ in range(count)]


def test_what_comes_is_told_and_what_was_there_before_is_not(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1), message(2))

    async def script(port: Port) -> None:
        async with listening(port) as told:
            log.block(message(3))
            log.block(message(4), message(5))
            assert [one.seq for one in await some(told, 3)] == [2, 3, 4]
            other = HandMade(tmp_path, log="77aa00ff", number=1)  # another worker begins
            other.block(message(1))
            (one,) = await some(told, 1)
            assert one.fields["event"] == "message" and one.fields["id"] == "0.4-1.0"
        await _until(lambda: [type(event) for event in port.told] == [events.Admin, events.Export])
        assert port.shown() == [4]

    played(Port(tmp_path), script)


async def _until(true: Any) -> None:
    while not true():  # noqa: ASYNC110 - of another process, which sets no event
        await asyncio.sleep(0.02)


def test_only_what_fits_is_told(tmp_path):
    log = HandMade(tmp_path)

    async def script(port: Port) -> None:
        async with listening(port, "?entity=IBAN_CODE&direction=down") as told:
            log.block(message(1), message(1, dir="down"), message(2, f=[finding("IBAN_CODE")]))
            log.block(message(7, dir="down", f=[finding("IBAN_CODE")]))
            assert (await anext(told)).seq == 3

    played(Port(tmp_path), script)


def test_an_event_with_very_many_findings_is_told_in_short(tmp_path):
    log = HandMade(tmp_path)

    async def script(port: Port) -> None:
        async with listening(port) as told:
            log.block(message(1, f=[finding(c=f"{n:032x}") for n in range(9000)]), message(2))
            one, other = [json.loads(one.fields["data"]) for one in await some(told, 2)]
            assert len(json.dumps(one)) < 20_000
            assert (len(one["f"]), one["f_all"]["count"], one["f"][99]["c"]) == (100, 9000, f"{99:032x}")
            assert other == json.loads(events.encode(*_events(log)[1:]))

    played(Port(tmp_path), script)


def _events(log: HandMade) -> list[Any]:
    lines = (log.folder / f"{log.name}.jsonl").read_bytes().splitlines()
    return [events.decode(line) for line in lines]


def test_whoever_was_away_goes_on_where_he_was(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1), message(2))
    other = HandMade(tmp_path, log="77aa00ff", number=1)

    async def script(port: Port) -> None:
        async with listening(port) as told:
            log.block(message(3))
            last = (await anext(told)).fields["id"]
        log.block(message(4))
        log.rotate()
        log.block(message(5))
        other.block(message(1))
        async with listening(port, last=last) as told:
            again = [json.loads(one.fields["data"]) for one in await some(told, 3)]
        assert sorted((one["log"], one["seq"]) for one in again) == [
            ("3f9ac21b", 3),
            ("3f9ac21b", 4),
            ("77aa00ff", 0),
        ]

    played(Port(tmp_path), script)


@pytest.mark.parametrize("last", ["", "1", "0.1-", "0.1,1.2", "-1.2", "0.-1", "0.1" * 2000, "jana@example.com"])
def test_an_id_that_is_none_is_told_without_being_quoted(tmp_path, last):
    HandMade(tmp_path)

    async def script(port: Port) -> None:
        answer = await port.get("/events", headers={"Last-Event-ID": last})
        assert answer.status_code == 422 and "jana" not in answer.text
        (fault,) = answer.json()["detail"]
        assert fault["place"].lower().replace("_", "-") == "header last-event-id" and fault["cure"]

    played(Port(tmp_path), script)


@given(st.dictionaries(st.integers(0, 999), st.integers(0, 1 << 50), min_size=1, max_size=9))
def test_a_position_is_read_as_it_was_written(sent):
    assert position("-".join(f"{log}.{seq}" for log, seq in sent.items())) == sent


# -- reading that is slow, and logs that change ---------------------------------------------------------------


def told(following: Following) -> list[Told]:
    return [Told(one.decode()) for one in following.news(EVERYTHING)]


def test_whoever_was_slow_gets_the_newest_and_is_told_how_many_he_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "QUEUE", 3)
    log = HandMade(tmp_path)
    following = Following(tmp_path, None)
    for n in range(10):
        log.block(message(n))
    gap, *rest = told(following)
    assert gap.fields == {"event": "gap", "data": '{"log": 0, "lost": 7}'}
    assert [one.seq for one in rest] == [7, 8, 9] and told(following) == []


def test_a_segment_that_is_sealed_or_grows_or_is_torn_loses_and_repeats_nothing(tmp_path):
    log = HandMade(tmp_path)
    following = Following(tmp_path, None)
    seen = []
    for n in range(12):
        log.block(message(n), message(n))
        path = log.folder / f"{log.name}.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole + b'{"b":99,"kind":"mess')  # is being written
        seen += [one.seq for one in told(following)]
        path.write_bytes(whole)
        if n % 4 == 3:
            path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(whole))
            path.unlink()
            log.rotate()
    assert seen == list(range(24))


def test_a_log_that_is_not_what_it_was_is_followed_from_where_it_is_now(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1), message(2))
    following = Following(tmp_path, None)
    path = log.folder / f"{log.name}.jsonl"
    path.unlink()
    new = HandMade(tmp_path / "elsewhere", log="aaaaaaaa")
    new.block(message(1))
    path.write_bytes((new.folder / f"{new.name}.jsonl").read_bytes())
    assert told(following) == []
    new.block(message(2))
    path.write_bytes((new.folder / f"{new.name}.jsonl").read_bytes())
    assert [json.loads(one.fields["data"])["log"] for one in told(following)] == ["aaaaaaaa"]


def test_a_tail_that_has_nothing_to_say_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "BEAT", 0.0)
    HandMade(tmp_path)
    said: list[bytes] = []
    tail(tmp_path, EVERYTHING, None, lambda text, _count: said.append(text), lambda: len(said) > 2)
    assert b": following" in said[0] and said[1] == said[2] == b": nothing new\n\n"


def test_a_reader_that_does_not_read_holds_nobody_up(tmp_path):
    log = HandMade(tmp_path)

    async def script(port: Port) -> None:
        with socket.create_connection(port.address) as dead:
            ask = f"GET /-/audit/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            dead.sendall(ask.encode())
            await _until(lambda: port.told)
            for n in range(3000):  # 1 MiB: more than sockets and pipes take
                log.block(message(n))
            async with asyncio.timeout(20):
                assert len((await port.get("?limit=5")).json()["events"]) == 5
                assert (await port.client.get("/-/live")).status_code == 200
                async with listening(port) as others:
                    log.block(message(7))
                    assert (await anext(others)).seq == 3000
        await _until(lambda: len(port.shown()) == 3)  # the dead one, too, once it has left

    played(Port(tmp_path), script)


def test_there_are_so_many_tails_and_no_more(tmp_path):
    HandMade(tmp_path)

    async def script(port: Port) -> None:
        assert port.audit is not None
        open_ones = [listening(port) for _ in range(STREAMS)]
        for one in open_ones:
            await one.__aenter__()
        answer = await port.get("/events")
        assert answer.status_code == 503 and "end one of them" in answer.json()["detail"]
        for one in open_ones:
            await one.__aexit__(None, None, None)
        await _until(lambda: port.audit is not None and not port.audit._streams)
        async with listening(port):
            pass

    played(Port(tmp_path), script)


def test_closing_the_audit_ends_its_tails_in_order(tmp_path):
    HandMade(tmp_path)

    async def script(port: Port) -> None:
        assert port.audit is not None
        async with listening(port) as told:
            await port.audit.close()
            assert [one async for one in told] == []  # a whole answer: nothing was cut

    played(Port(tmp_path), script)


# -- the response ---------------------------------------------------------------------------------------------


def test_a_client_that_takes_nothing_for_long_frees_its_place(tmp_path):
    async def go() -> None:
        gone, over, counted = asyncio.Event(), asyncio.Event(), []

        async def pieces() -> Any:
            try:
                while True:
                    yield Piece(200, 1, b"data: 1\n\n")
            finally:
                over.set()

        async def send(message: Any) -> None:
            if message.get("body"):
                await asyncio.Event().wait()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        response = EventStream(Piece(200, 0, b": following\n\n"), pieces(), counted.append, stall=0.05)
        serving = asyncio.create_task(response({}, receive, send))
        await _until(lambda: counted)
        assert counted == [0] and not serving.done()  # its socket is the kernel's matter
        gone.set()
        await asyncio.wait_for(serving, 5)

    asyncio.run(go())


def test_a_source_that_fails_ends_the_answer(tmp_path):
    async def go() -> list[Any]:
        sent: list[Any] = []

        async def pieces() -> Any:
            yield Piece(200, 2, b"a")
            raise AskError(503, "gone")  # type: ignore[arg-type]

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            await asyncio.Event().wait()

        counted: list[int] = []
        await EventStream(Piece(200, 0, b"first"), pieces(), counted.append)({}, receive, send)
        assert counted == [2]
        return sent

    start, *bodies = asyncio.run(go())
    assert start["status"] == 200
    assert [(body["body"], body["more_body"]) for body in bodies] == [(b"first", True), (b"a", True), (b"", False)]


def test_a_process_that_cannot_be_started_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("proxy.admin.asking.sys.executable", str(tmp_path / "missing"))

    async def go() -> None:
        audit = Audit(Path(tmp_path))
        with pytest.raises(AskError, match="has ended"):
            await audit.ask({"ask": "checkpoint"})
        with pytest.raises(AskError, match="has ended"):
            await anext(audit.stream({"ask": "tail"}))
        assert not audit._streams

    asyncio.run(go())
