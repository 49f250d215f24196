from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.audit.sinks import ShipError, follow, shipper
from proxy.audit.sinks.cursor import enlist, lags, load, shipped
from proxy.audit.sinks.shipper import Shipper
from tests.audit.logs import HandMade, message
from tests.audit.sinks.remote import PLACE, CrashError, Memory, proves, signed_lines
from tests.audit.sinks.test_follow import prune, read, seal

NAME = PLACE.name


def grown(directory: Path, count: int = 3, **more: int) -> HandMade:
    log = HandMade(directory, **more)
    for number in range(count):
        log.block(message(number), message(number))
    log.checkpoint()
    return log


def test_everything_signed_arrives_with_its_checkpoint_and_the_copy_proves_itself(tmp_path: Path):
    log, sink = grown(tmp_path), Memory()
    log.block(message(9))  # signed by nobody yet
    assert Shipper(tmp_path, PLACE, sink).once()
    assert {log.log: sink.lines(log.log)} == signed_lines(tmp_path)
    assert proves(sink.lines(log.log), sink.notes[log.log, 3], log.signer.verifier)
    assert not proves(sink.lines(log.log)[1:], sink.notes[log.log, 3], log.signer.verifier)


def test_another_shipper_goes_on_where_the_last_one_was(tmp_path: Path):
    log, sink = grown(tmp_path), Memory()
    Shipper(tmp_path, PLACE, sink).once()
    log.block(message(9))
    log.checkpoint()
    Shipper(tmp_path, PLACE, sink).once()
    assert [(batch.first, len(batch.blocks)) for batch in sink.batches] == [(0, 3), (6, 1)]


def test_logs_have_their_turns(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(follow, "EVENTS", 2)
    monkeypatch.setattr(shipper, "TURN", 1)
    grown(tmp_path, log="aaaaaaaa")
    grown(tmp_path, log="bbbbbbbb", number=1)
    sink = Memory()
    courier = Shipper(tmp_path, PLACE, sink)
    assert courier.left() == 12
    assert [courier.once(), courier.once(), courier.once()] == [False, False, True]
    assert courier.left() == 0
    assert [batch.log[0] for batch in sink.batches] == ["a", "b"] * 3


def test_a_sink_that_is_down_loses_nothing_and_says_so_once(tmp_path: Path, caplog):
    caplog.set_level(logging.INFO, "hushwire")
    log, sink = grown(tmp_path), Memory(["down", "down", "unheard"])
    courier = Shipper(tmp_path, PLACE, sink)
    waits = [courier.turn() for _ in range(3)]
    assert load(tmp_path, NAME).state == "failing"
    assert lags(tmp_path)[0].problem == "no answer"
    assert all(0 < wait <= shipper.LONGEST for wait in waits)
    assert courier.turn() == shipper.POLL
    assert {log.log: sink.lines(log.log)} == signed_lines(tmp_path)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["shipping to memory:// fails: connection refused", "shipping to memory:// goes on"]


def test_it_waits_longer_after_every_failure_but_never_more_than_a_minute(tmp_path: Path):
    grown(tmp_path)
    courier = Shipper(tmp_path, PLACE, Memory(["down"] * 40))
    waits = [courier.turn() for _ in range(40)]
    assert all(2**tries / 2 <= wait <= 2**tries for tries, wait in enumerate(waits[:5], 1))
    assert all(30 <= wait <= 60 for wait in waits[6:])
    assert len(set(waits[6:])) > 1


def test_a_damaged_log_is_told_once_and_holds_up_no_other(tmp_path: Path, caplog):
    bad, good, sink = grown(tmp_path), grown(tmp_path, log="bbbbbbbb", number=1), Memory()
    file = bad.folder / f"{bad.name}.jsonl"
    file.write_bytes(file.read_bytes().replace(b"rewritten", b"kept", 1))
    courier = Shipper(tmp_path, PLACE, sink)
    assert courier.once()
    assert courier.once()
    assert sink.seq(good.log) == 6
    assert sink.notes.keys() == {(good.log, 3)}
    assert len(caplog.records) == 1
    (lag,) = lags(tmp_path)
    assert lag.problem.startswith("log-0: it was changed")
    assert lag.events == 6


def test_what_retention_removed_unshipped_is_counted(tmp_path: Path, caplog):
    log, sink = grown(tmp_path), Memory()
    gone, name = read(log)[1], log.name
    log.rotate()
    rest = log.block(message(4))
    log.checkpoint()
    prune(log, name, gone)
    sink.events.update({(log.log, seq): b"" for seq in range(6)})  # not to be taken for a hole
    assert Shipper(tmp_path, PLACE, sink).once()
    assert sink.batches[0].blocks == (rest,)
    assert lags(tmp_path)[0].missed == 6
    assert "removed 6 events" in caplog.text


def test_a_stop_ships_what_is_there_and_ends(tmp_path: Path):
    log, sink, stop = grown(tmp_path), Memory(), threading.Event()
    stop.set()
    Shipper(tmp_path, PLACE, sink).run(stop)
    assert sink.seq(log.log) == 6
    waiting = Shipper(tmp_path, PLACE, Memory(["down"] * 99))
    waiting.turn()
    waiting.run(stop)  # does not wait for what is down
    assert waiting.cursor.state == "even"  # nothing was left to ship


def test_a_cursor_that_cannot_be_saved_is_a_failure_and_not_the_end(tmp_path: Path, monkeypatch):
    log, sink = grown(tmp_path), Memory()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    courier = Shipper(tmp_path, PLACE, sink)
    with monkeypatch.context() as patch:
        patch.setattr(shipper, "save", full)
        courier.turn()
        assert courier.cursor.problem == "OSError: No space left on device"
    courier.turn()
    assert courier.cursor.state == "even"
    assert sink.seq(log.log) == 6


STEPS = st.one_of(
    st.tuples(st.just("block"), st.integers(0, 1), st.integers(1, 4)),
    st.tuples(st.sampled_from(["checkpoint", "rotate", "seal", "prune"]), st.integers(0, 1), st.just(0)),
    st.tuples(st.sampled_from(["ship", "restart"]), st.just(0), st.just(0)),
)
FATES = st.lists(st.sampled_from(["well", "down", "unheard", "killed", "killed late"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=40), fates=FATES, size=st.integers(1, 6), save=st.sampled_from([0, 1000]))
def test_whatever_crashes_and_whenever_each_signed_event_arrives_once(
    tmp_path_factory: pytest.TempPathFactory, steps, fates, size, save
):
    directory = tmp_path_factory.mktemp("law")
    enlist(directory, [PLACE])
    world = World(directory, Memory(fates))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follow, "EVENTS", size)
        patch.setattr(shipper, "TURN", 2)
        patch.setattr(shipper, "SAVE", save)
        for name, which, count in steps:
            getattr(world, name)(which, count)
        world.end()
    for log in world.logs:
        assert world.sink.lines(log.log) == world.signed[log.log]
        for (name, _), note in world.sink.notes.items():
            assert name != log.log or proves(world.sink.lines(name), note, log.signer.verifier)
    assert lags(directory)[0].missed == 0


class World:
    """Two logs, their retention, and a shipper that may be killed anywhere."""

    def __init__(self, directory: Path, sink: Memory) -> None:
        self.directory, self.sink = directory, sink
        self.logs = [HandMade(directory, log=name * 8, number=number) for number, name in enumerate("ab")]
        self.lines: dict[str, list[bytes]] = {log.log: [] for log in self.logs}
        self.signed: dict[str, list[bytes]] = {log.log: [] for log in self.logs}
        self.before: list[tuple[int, str, follow.Reached]] = []  # (log, segment, what is behind it)
        self.restart(0, 0)

    def block(self, which: int, count: int) -> None:
        data = self.logs[which].block(*[message(number) for number in range(count)])
        self.lines[self.logs[which].log] += data.split(b"\n")[:-1]

    def checkpoint(self, which: int, _: int) -> None:
        log = self.logs[which]
        log.checkpoint()
        self.signed[log.log] = list(self.lines[log.log])

    def rotate(self, which: int, _: int) -> None:
        log = self.logs[which]
        self.before.append((which, log.name, follow.Reached(log.seq, log.tree.copy())))
        log.rotate()

    def seal(self, which: int, _: int) -> None:
        for number, name, _behind in self.before:
            if number == which and (self.logs[which].folder / f"{name}.jsonl").exists():
                seal(self.logs[which], name)

    def prune(self, which: int, _: int) -> None:
        """The oldest segment that is behind what was shipped, as retention does."""
        log = self.logs[which]
        mine = [one for one in self.before if one[0] == which]
        if mine and mine[0][2].seq <= (shipped(self.directory, log.log) or 0):
            prune(log, mine[0][1], mine[0][2])
            self.before.remove(mine[0])

    def ship(self, *_: int) -> None:
        try:
            self.courier.once()
        except ShipError:
            pass
        except CrashError:
            self.restart(0, 0)

    def restart(self, *_: int) -> None:
        """Killed: all that it knows is the cursor as it was saved last."""
        self.courier = Shipper(self.directory, PLACE, self.sink)

    def end(self) -> None:
        self.sink.fates = iter(["well"] * 10_000)
        for which in (0, 1):
            self.checkpoint(which, 0)
        self.restart()
        while not self.courier.once():
            pass
