"""What the wire tells becomes events, once per turn; legs are told when these are where they must be, or not."""

from __future__ import annotations

import asyncio
import errno
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from proxy.audit import bodies, events, marks
from proxy.audit.marks import ROW
from proxy.audit.proof.verify import verify
from proxy.audit.writing import syncing, turns
from proxy.audit.writing.elsewhere import Elsewhere
from proxy.audit.writing.journal import MOST, FullError, Journal
from proxy.audit.writing.turns import PATIENCE
from proxy.core.action import Cause
from proxy.core.message import Direction, Kind
from proxy.core.plugs import Ending
from proxy.core.session import Session
from tests.audit.writing import Disk, Leg, Names, done, lines, note, opened

UP, DOWN = Direction
Play = Callable[[Journal], Awaitable[None]]


def kept(directory: Path, play: Play, **given: Any) -> list[events.Event]:
    """What a journal has written down of a play, from its start to its stop."""

    async def run() -> list[events.Event]:
        log = opened(directory)
        given.setdefault("level", "findings")
        given.setdefault("durability", "written")
        journal = Journal(log, asyncio.get_running_loop(), Names(), "0badcafe", **given)
        journal.start("1.2.3", 4, {"default": "0123456789abcdef"})
        await play(journal)
        journal.close()
        return lines(log.folder)

    return asyncio.run(run())


def say(journal: Journal, session: Session, number: int = 1, *found: Any, sent: bytes | None = b"sent") -> bool:
    return journal.message(session, note(*(found or (done(),))), number, 64, sent, 21.9e-6)


async def told(journal: Journal) -> bool:
    leg = Leg()
    journal.wait(leg)
    return await asyncio.wait_for(leg.told, 5)


def test_a_log_begins_and_ends_with_who_wrote_it(tmp_path):
    async def nothing(journal: Journal) -> None: ...

    first, last = kept(tmp_path, nothing)
    assert isinstance(first, events.Start)
    assert (first.who, first.run, first.version, first.worker) == ("proxy", "0badcafe", "1.2.3", 4)
    assert (first.level, first.durability, first.repaired) == ("findings", "written", UNSET)
    assert first.policies == {"default": "0123456789abcdef"}
    assert isinstance(last, events.Stop)
    assert verify(tmp_path).verdict == "whole"


def test_what_was_repaired_is_said_at_the_start(tmp_path):
    async def nothing(journal: Journal) -> None: ...

    kept(tmp_path, nothing)
    (segment,) = (tmp_path / "log-0").glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"b":1,"ki')
    assert kept(tmp_path, nothing)[2].repaired == 10


def test_a_message_is_an_event_with_a_finding_each_for_what_was_found(tmp_path):
    async def play(journal: Journal) -> None:
        assert say(journal, Session(7, "chat"), 3, done(), done("shadow"))
        assert await told(journal)

    _, message, _ = kept(tmp_path, play)
    assert isinstance(message, events.Message)
    assert (message.sid, message.route, message.dir, message.n, message.op) == (
        "0badcafe-7",
        "chat",
        "up",
        3,
        "text",
    )
    assert (message.in_, message.out, message.policy) == (64, 4, "ab" * 8)
    assert (message.verdict, message.lat_us, message.cause, message.body) == ("rewritten", 21, UNSET, UNSET)
    first, second = message.f
    assert (first.entity, first.rule, first.recognizer, first.op) == ("EMAIL_ADDRESS", "contact", "email", "mask")
    assert (first.len, first.score, first.mode, second.mode) == (17, 1.0, "enforce", "shadow")
    assert first.c is UNSET


def test_what_was_dropped_or_leaked_is_said(tmp_path):
    async def play(journal: Journal) -> None:
        session = Session(1)
        journal.message(session, note(done(), verdict="dropped"), 1, 9, None, 0.0)
        leaked = note(verdict="leaked", cause=Cause.BUDGET, direction=DOWN, kind=Kind.BINARY)
        journal.message(session, leaked, 1, 9, b"123456789", 0.05)

    _, dropped, leaked, _ = kept(tmp_path, play)
    assert (dropped.verdict, dropped.out, dropped.cause) == ("dropped", 0, UNSET)
    assert (leaked.verdict, leaked.cause, leaked.dir, leaked.op, leaked.f) == (
        "leaked",
        "budget",
        "down",
        "binary",
        [],
    )


def test_a_fingerprint_stands_in_the_side_file_and_its_commitment_in_the_event(tmp_path):
    async def play(journal: Journal) -> None:
        for number in range(300):  # more salts than are drawn at once
            say(journal, Session(1), number, done(), done(mark=b"%016d" % number))

    found = [event for event in kept(tmp_path, play) if isinstance(event, events.Message)]
    (path,) = (tmp_path / "log-0").glob("*.marks")
    rows = list(ROW.iter_unpack(path.read_bytes()))
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        (event.seq, 1, Names.epoch, b"%016d" % number) for number, event in enumerate(found)
    ]
    assert len({row[3] for row in rows}) == 300
    assert [event.f[1].c for event in found] == [marks.commitment(row[3], row[4]) for row in rows]
    assert verify(tmp_path).verdict == "whole"


@pytest.mark.parametrize("level", ["sessions", "findings"])
def test_a_refusal_by_a_rule_says_what_was_found_and_its_rows_are_there(tmp_path, level):
    session = Session(1)

    async def play(journal: Journal) -> None:
        say(journal, session, 1, done(mark=b"%016d" % 1))
        found = note(done(), done(mark=b"%016d" % 2), verdict="refused", cause=Cause.POLICY, kind=None)
        journal.refused(session, found)
        say(journal, session, 2, done(mark=b"%016d" % 3))

    (refusal,) = (event for event in kept(tmp_path, play, level=level) if isinstance(event, events.Refuse))
    assert session.findings == [4, 0]
    assert verify(tmp_path).verdict == "whole"
    if level == "sessions":
        assert refusal.f is UNSET
        assert not list((tmp_path / "log-0").glob("*.marks"))
        return
    (path,) = (tmp_path / "log-0").glob("*.marks")
    rows = list(ROW.iter_unpack(path.read_bytes()))
    assert [(row[0], row[1]) for row in rows] == [(refusal.seq - 1, 0), (refusal.seq, 1), (refusal.seq + 1, 0)]
    assert refusal.f[1].c == marks.commitment(rows[1][3], rows[1][4])
    assert refusal.f[0].c is UNSET


def test_findings_in_force_are_counted_at_every_level(tmp_path):
    for number, level in enumerate(("sessions", "findings", "messages")):
        session = Session(1)

        async def play(journal: Journal, session: Session = session) -> None:
            say(journal, session, 1, done(), done("shadow"), done())
            journal.message(session, note(done(), direction=DOWN), 1, 1, b"", 0.0)

        kept(tmp_path / str(number), play, level=level)
        assert session.findings == [2, 1]


def test_at_level_sessions_no_message_is_taken_down_nor_waits(tmp_path):
    async def play(journal: Journal) -> None:
        assert not say(journal, Session(1))
        assert not journal.every

    assert [type(event) for event in kept(tmp_path, play, level="sessions")] == [events.Start, events.Stop]


def test_at_level_sanitised_what_left_is_kept(tmp_path):
    async def play(journal: Journal) -> None:
        assert journal.every
        say(journal, Session(1), 1, sent=b"what left")
        say(journal, Session(1), 2, sent=None)
        journal.message(Session(1), note(verdict="clean"), 3, 5, b"clean", 0.0)

    _, first, second, third, _ = kept(tmp_path, play, level="sanitised")
    (path,) = (tmp_path / "log-0").glob("*.bodies")
    rows = list(bodies.read(path, range(9)))
    assert [(row.seq, row.payload) for row in rows] == [(first.seq, b"what left"), (third.seq, b"clean")]
    assert rows[0].fits(first.body)
    assert rows[1].fits(third.body)
    assert second.body is UNSET


def test_sessions_are_opened_refused_and_closed(tmp_path):
    session = Session(9, "chat")

    async def play(journal: Journal) -> None:
        journal.opened(session, "graphql-ws", "192.0.2.7", "mobile")
        journal.opened(session, "", "", "")
        say(journal, session)
        journal.refused(session, note(verdict="refused", cause=Cause.TOO_BIG, kind=None), lost=2)
        ending = Ending("client 1000", (1000, None), (4, 0), (1, 2), (64, 128), 1.2345)
        journal.closed(session, ending)
        journal.commit()

    _, first, second, _, refused, closed, _ = kept(tmp_path, play)
    assert (first.sid, first.route, first.sub, first.client, first.who) == (
        *("0badcafe-9", "chat", "graphql-ws"),
        *("fp:0000000000000009", "mobile"),
    )
    assert (second.sub, second.client, second.who) == (UNSET, UNSET, UNSET)
    assert (refused.cause, refused.dir, refused.policy, refused.lost) == ("too_big", "up", "ab" * 8, 2)
    assert (closed.first, closed.codes, closed.reasons) == ("client 1000", (1000, None), (4, 0))
    assert (closed.messages, closed.bytes, closed.findings, closed.ms) == ((1, 2), (64, 128), (1, 0), 1234)


def test_rules_that_went_live_or_were_refused_are_taken_down(tmp_path):
    async def play(journal: Journal) -> None:
        journal.policy_applied(["a", "b"], "default", "cd" * 32, "file")
        journal.policy_rejected(["a"], ["E001"])

    _, applied, rejected, _ = kept(tmp_path, play)
    assert (applied.routes, applied.name, applied.policy, applied.how) == (["a", "b"], "default", "cd" * 8, "file")
    assert (rejected.routes, rejected.codes) == (["a"], ["E001"])


def test_handshakes_that_were_turned_away_are_counted_not_listed(tmp_path):
    async def play(journal: Journal) -> None:
        for reason in ("crowd", "crowd", "token", "crowd"):
            journal.limited("default", reason)

    _, first, second, _ = kept(tmp_path, play)
    assert [(limit.reason, limit.count) for limit in (first, second)] == [("crowd", 3), ("token", 1)]


def test_a_turn_is_a_block_and_has_one_time(tmp_path):
    async def play(journal: Journal) -> None:
        for turn in range(3):
            for number in range(5):
                say(journal, Session(number), turn)
            await asyncio.sleep(0)

    found = kept(tmp_path, play)[1:-1]
    assert [event.b for event in found] == [UNSET, *[UNSET] * 4, *([1] + [UNSET] * 4), *([2] + [UNSET] * 4)]
    assert len({event.t for event in found[5:]}) == 2
    assert [event.seq for event in found] == list(range(1, 16))


def test_a_clock_that_is_set_back_disturbs_neither_order_nor_mono(tmp_path, monkeypatch):
    times = itertools.count(1_795_000_000 * 10**9, -3600 * 10**9)  # of more than a day: test_log
    monkeypatch.setattr(time, "time_ns", lambda: next(times))

    async def play(journal: Journal) -> None:
        for number in range(4):
            say(journal, Session(1), number)
            await told(journal)

    found = kept(tmp_path, play)
    assert [event.seq for event in found] == list(range(6))
    assert [event.mono for event in found] == sorted(event.mono for event in found)
    assert found[-1].t < found[0].t
    assert len(list((tmp_path / "log-0").glob("*.jsonl"))) == 1
    assert verify(tmp_path).verdict == "whole"


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_a_leg_is_told_in_a_later_turn_and_when_its_block_is_there(tmp_path, durability):
    async def play(journal: Journal) -> None:
        leg = Leg()
        assert say(journal, Session(1))
        journal.wait(leg)
        journal.commit()
        assert not leg.told.done()
        assert await leg.told
        assert journal.log.seq == 2
        if durability == "synced":
            assert journal.syncing.reached >= journal.log.size
        assert await told(journal)  # with nothing to write, too

    kept(tmp_path, play, durability=durability)


def test_with_durability_async_nothing_waits(tmp_path):
    async def play(journal: Journal) -> None:
        assert not say(journal, Session(1))
        assert await told(journal)

    assert len(kept(tmp_path, play, durability="async")) == 3


@pytest.mark.parametrize(("durability", "blocks"), [("async", 1), ("written", 3)])
def test_events_of_several_turns_share_a_block_only_where_nothing_waits_for_them(
    tmp_path, monkeypatch, durability, blocks
):
    monkeypatch.setattr(turns, "GATHER", 0.5)  # on a busy machine three turns may take 10 ms

    async def play(journal: Journal) -> None:
        journal.commit()  # the start
        before = journal.log.size
        for number in range(1, 4):
            say(journal, Session(1), number)
            await asyncio.sleep(0)
        await until(lambda: journal.log.seq == 4)
        assert journal.log.size - before == blocks

    kept(tmp_path, play, durability=durability)


def test_a_synced_leg_waits_for_the_disk(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        await told(journal)
        disk.failing = True
        leg = Leg()
        say(journal, Session(1))
        journal.wait(leg)
        await asyncio.sleep(0.1)
        assert not leg.told.done()
        assert journal.problem == "Input/output error"
        disk.failing = False
        assert await leg.told
        assert journal.problem is None

    kept(tmp_path, play, durability="synced")


def test_with_a_disk_that_fails_to_sync_legs_wait_that_need_not_otherwise(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        disk.failing = True
        say(journal, Session(1))
        assert await told(journal)
        await until(lambda: journal.problem is not None)
        say(journal, Session(1), 2)
        assert not await told(journal)
        disk.failing = False
        await until(lambda: journal.problem is None)
        say(journal, Session(1), 3)
        assert await told(journal)

    kept(tmp_path, play, patience=0.2)
    assert verify(tmp_path).verdict == "whole"


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true within 5 seconds")


@pytest.mark.parametrize("room", [0, 1, 100, 500])
def test_a_full_disk_keeps_legs_waiting_and_then_they_are_told(tmp_path, monkeypatch, room, caplog):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        await told(journal)
        disk.room = room
        since = asyncio.get_running_loop().time()
        for number in range(1, 4):
            say(journal, Session(number), 1)
        leg = Leg()
        journal.wait(leg)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert journal.problem == "No space left on device"
        say(journal, Session(4), 1)
        late = Leg()
        journal.wait(late)
        assert not await leg.told
        assert not await late.told
        assert asyncio.get_running_loop().time() - since >= 0.2
        say(journal, Session(5), 1)
        third = Leg()
        journal.wait(third)
        disk.room = None
        assert await third.told
        assert journal.problem is None
        assert journal.counts.stuck > 0.1
        assert journal.counts.lost == 0

    found = kept(tmp_path, play, patience=0.2)
    assert [event.sid for event in found[1:-1]] == [f"0badcafe-{number}" for number in range(1, 6)]
    assert verify(tmp_path).verdict == "whole"
    assert caplog.text.count("takes nothing: No space left on device") == 1


def test_patience_is_a_second(tmp_path):
    assert PATIENCE == 1.0


def test_a_commit_that_cannot_be_is_an_error_and_comes_later(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        await told(journal)
        disk.room, disk.error = 7, errno.EDQUOT
        journal.refused(Session(1), note(verdict="refused", cause=Cause.POLICY))
        for _ in range(2):
            with pytest.raises(OSError, match="Disk quota exceeded"):
                journal.commit()
        disk.room = None
        await until(lambda: journal.problem is None)

    assert [type(event) for event in kept(tmp_path, play)] == [events.Start, events.Refuse, events.Stop]


def test_a_full_buffer_refuses_messages_and_leaves_a_gap_of_other_events(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        await told(journal)
        disk.room = 0
        with pytest.raises(FullError):
            for number in range(100):
                say(journal, Session(1), number)
                await asyncio.sleep(0)
        for _ in range(3):
            journal.closed(Session(1), Ending("lost", (None, None), (0, 0), (0, 0), (0, 0), 0.0))
        assert journal.counts.lost == 3
        disk.room = None
        await until(lambda: journal.problem is None)
        assert await told(journal)
        assert say(journal, Session(1), 100)

    found = kept(tmp_path, play, limit=4000)
    (gap,) = (event for event in found if isinstance(event, events.Gap))
    assert gap.lost == 3
    assert gap.since <= gap.t
    assert [event.seq for event in found] == list(range(len(found)))
    assert found[-2].n == 100
    assert verify(tmp_path).verdict == "whole"


def test_with_durability_async_a_full_buffer_only_leaves_a_gap(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        await told(journal)
        for number in range(100):
            assert not say(journal, Session(1), number)
        assert journal.counts.lost == 0  # a block in the midst of a turn
        disk.room = 0
        for number in range(100, 200):
            assert not say(journal, Session(1), number)
        assert journal.counts.lost > 50
        disk.room = None
        await until(lambda: journal.problem is None)

    found = kept(tmp_path, play, durability="async", limit=4000)
    written = sum(isinstance(event, events.Message) for event in found)
    assert sum(event.lost for event in found if isinstance(event, events.Gap)) == 200 - written


def test_a_leg_that_fails_leaves_no_other_waiting(tmp_path, caplog):
    class Broken:
        def written(self) -> None:
            raise KeyError("a value")

        unwritten = written

    async def play(journal: Journal) -> None:
        journal.wait(Broken())
        assert await told(journal)

    kept(tmp_path, play)
    assert "KeyError in a leg that waited" in caplog.text
    assert "a value" not in caplog.text


def test_checkpoints_are_signed_while_it_is_kept_and_given_to_anchors(tmp_path):
    given: list[str] = []

    async def play(journal: Journal) -> None:
        say(journal, Session(1))
        await until(lambda: journal.log.signed == journal.log.size)
        await until(lambda: len(given) > 0)

    kept(tmp_path, play, anchors=[given.append])
    assert given[-1] == (tmp_path / "log-0" / "checkpoint").read_text()


def test_another_thread_is_told_when_its_event_is_on_the_disk(tmp_path):
    async def play(journal: Journal) -> None:
        elsewhere = Elsewhere(journal, asyncio.get_running_loop(), 0.2)
        await asyncio.to_thread(elsewhere, events.Admin, did="something")
        assert journal.log.seq == 2

    found = kept(tmp_path, play, patience=0.2)
    assert [event.did for event in found if isinstance(event, events.Admin)] == ["something"]


@pytest.mark.parametrize("room", [0, 3])
@pytest.mark.parametrize("known", [False, True])
def test_what_another_thread_was_told_is_not_written_is_never_written(tmp_path, monkeypatch, room, known):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        elsewhere = Elsewhere(journal, asyncio.get_running_loop(), 0.2)
        await told(journal)
        disk.room = room
        if known:
            journal.policy_rejected(["default"], ["unknown-key"])
            await until(lambda: journal.problem is not None)
        with pytest.raises(OSError, match=r"No space left|Input/output"):
            await asyncio.to_thread(elsewhere, events.Admin, did="this")
        disk.room = None
        await told(journal)
        await until(lambda: journal.unsynced == 0 and journal.problem is None)
        await asyncio.to_thread(elsewhere, events.Admin, did="that")

    found = kept(tmp_path, play, patience=0.2)
    assert [event.did for event in found if isinstance(event, events.Admin)] == ["that"]
    assert [event.seq for event in found] == list(range(len(found)))


def test_what_another_thread_has_given_up_is_never_written(tmp_path):
    async def play(journal: Journal) -> None:
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(None, partial(Elsewhere(journal, loop, 0.05), events.Admin, did="this"))
        time.sleep(0.3)  # noqa: ASYNC251 - the loop is busy for longer than anybody waits
        with pytest.raises(OSError, match="timed out"):
            await asking
        await told(journal)

    found = kept(tmp_path, play, patience=0.2)
    assert [event for event in found if isinstance(event, events.Admin)] == []


def test_closing_on_a_full_disk_says_so_and_lets_go_of_the_log(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        await told(journal)
        disk.room = 3

    with pytest.raises(OSError, match="No space left"):
        kept(tmp_path, play)
    disk.room = None
    assert opened(tmp_path).folder.name == "log-0"


@pytest.mark.parametrize("durability", ["written", "synced"])
@pytest.mark.parametrize(("room", "answer"), [(None, True), (3, False)])
def test_whoever_waits_when_it_is_closed_is_told(tmp_path, monkeypatch, room, answer, durability):
    disk, legs = Disk(monkeypatch), list[Leg]()

    async def play(journal: Journal) -> None:
        await told(journal)
        disk.room = room
        for number in range(2):
            legs.append(Leg())
            say(journal, Session(1), number)
            journal.wait(legs[-1])
            await asyncio.sleep(0)

    with suppress(OSError):
        kept(tmp_path, play, durability=durability)
    assert [leg.told.result() for leg in legs] == [answer, answer]


def test_nothing_is_written_behind_the_end(tmp_path):
    async def play(journal: Journal) -> None:
        journal.close()
        leg = Leg()
        say(journal, Session(1))
        journal.wait(leg)
        assert not await leg.told
        with pytest.raises(OSError, match="Bad file descriptor"):
            journal.commit()
        journal.close = lambda: None

    assert [type(event) for event in kept(tmp_path, play)] == [events.Start, events.Stop]


def test_a_bug_in_the_thread_that_syncs_is_a_trouble_as_any_other(tmp_path, monkeypatch):
    async def play(journal: Journal) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(journal.log, "sync", lambda **_: {}["a value"])
            say(journal, Session(1))
            await until(lambda: journal.problem == "KeyError")
        await until(lambda: journal.problem is None)

    kept(tmp_path, play)
    assert verify(tmp_path).verdict == "whole"


def test_what_cannot_wait_does_not_leave_either_while_the_disk_fails_to_sync(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        disk.failing = True
        say(journal, Session(1))
        await until(lambda: journal.problem is not None)
        say(journal, Session(1), 2)
        with pytest.raises(OSError, match="Input/output error"):
            journal.commit()
        disk.failing = False
        await until(lambda: journal.problem is None)
        say(journal, Session(1), 3)
        journal.commit()

    kept(tmp_path, play)


def hold_up(until: Callable[[], bool]) -> None:
    """The loop: only threads go on."""
    while not until():
        time.sleep(0.001)


def test_a_disk_that_recovers_before_the_loop_hears_of_its_failure_is_no_trouble_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(syncing, "SIGN_SECONDS", 0.0)  # nothing is left to be signed, or synced, later
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        assert await told(journal)
        await until(lambda: journal.syncing.reached == journal.log.size)
        before, disk.failing = disk.syncs, True
        say(journal, Session(1))
        await asyncio.sleep(0)
        hold_up(lambda: disk.syncs > before + 1)
        disk.failing = False
        hold_up(lambda: journal.syncing.reached == journal.log.size)
        await asyncio.sleep(0)
        await until(lambda: journal.problem is None)

    kept(tmp_path, play)


def test_rules_whose_file_has_a_name_that_is_no_text_are_taken_down(tmp_path):
    async def play(journal: Journal) -> None:
        journal.policy_applied(["default"], "rules\udcff", "cd" * 32, "files")
        assert await told(journal)

    assert kept(tmp_path, play)[1].name == "rules?"


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_events_that_cannot_be_written_are_a_gap_and_nothing_leaves_that_waited_with_them(
    tmp_path, monkeypatch, caplog, durability
):
    disk = Disk(monkeypatch)

    async def play(journal: Journal) -> None:
        assert await told(journal)
        disk.failing = True
        early = Leg()
        say(journal, Session(1))
        journal.wait(early)
        await asyncio.sleep(0)
        disk.failing = False
        bad, other = Leg(), Leg()
        say(journal, Session(2, "canary\udcff"))
        journal.wait(bad)
        say(journal, Session(3))
        for _ in range(2):
            with pytest.raises(OSError, match=r"Input/output error|multibyte"):
                journal.commit()
        journal.wait(other)
        assert [await leg.told for leg in (bad, other)] == [False, False]
        assert await early.told == (durability == "written")
        assert await told(journal)
        assert say(journal, Session(4))
        assert await told(journal)

    found = kept(tmp_path, play, durability=durability)
    assert [event.seq for event in found] == list(range(len(found)))
    assert [event.sid for event in found if isinstance(event, events.Message)] == ["0badcafe-1", "0badcafe-4"]
    assert [event.lost for event in found if isinstance(event, events.Gap)] == [2]
    assert verify(tmp_path).verdict == "whole"
    assert "canary" not in caplog.text


def test_a_message_with_more_findings_than_an_event_can_say_is_refused(tmp_path):
    async def play(journal: Journal) -> None:
        assert say(journal, Session(1), 1, *[done()] * MOST)
        with pytest.raises(FullError):
            say(journal, Session(1), 2, *[done()] * (MOST + 1))

    _, message, _ = kept(tmp_path, play)
    assert len(message.f) == MOST
    assert verify(tmp_path).verdict == "whole"
