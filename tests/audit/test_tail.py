"""A tail tells every event once and in order, however the log grows, rotates, is compressed or cut off."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from proxy.audit import events
from proxy.audit.reading.hits import of_event
from proxy.audit.reading.index import Index
from proxy.audit.reading.question import Question
from proxy.audit.reading.search import search
from proxy.audit.reading.tail import Tail
from tests.audit.logs import DAY, HandMade, message
from tests.commands.audit.story import story


def seal(log: HandMade) -> None:
    """Compress every segment but the open one."""
    for path in sorted(log.folder.glob("*.jsonl"))[:-1]:
        with gzip.open(f"{path}.gz", "wb") as packed:
            packed.write(path.read_bytes())
        path.unlink()


def numbers(found: list[events.Any]) -> list[int]:
    return [event.n for event in found]


@given(st.lists(st.sampled_from(["one", "three", "rotate", "seal", "look"]), max_size=25), st.integers(0, 4))
def test_every_event_is_told_once_in_order(steps, count):
    with tempfile.TemporaryDirectory() as folder:
        log, said = HandMade(Path(folder)), 0
        log.block(message(0))
        tail = Tail(Path(folder), Question(kind=("message",)))
        told = numbers(tail.last(count))
        assert told == [0][:count]
        told = [0]
        for step in [*steps, "look"]:
            if step in ("one", "three"):
                more = range(said + 1, said + 2 + 2 * (step == "three"))
                log.block(*map(message, more))
                said = more[-1]
            elif step == "rotate" and (log.folder / f"{log.name}.jsonl").exists():
                log.rotate()
            elif step == "seal":
                seal(log)
            else:
                told += numbers(tail.new())
        assert told == list(range(said + 1))


@given(st.lists(st.integers(1, 4), max_size=6), st.integers(0, 9))
def test_the_last_ones_are_those_of_all_segments(sizes, count):
    with tempfile.TemporaryDirectory() as folder:
        log, said = HandMade(Path(folder)), 0
        for size in sizes:
            log.block(*map(message, range(said, said + size)))
            said += size
            log.rotate()
        tail = Tail(Path(folder), Question())
        assert numbers(tail.last(count)) == list(range(said))[max(said - count, 0) :]
        assert tail.new() == []
        log.block(message(99))
        assert numbers(tail.new()) == [99]


def test_logs_are_told_in_the_order_of_their_times(tmp_path):
    first, second = HandMade(tmp_path), HandMade(tmp_path, "aaaaaaaa", 1)
    for n in range(3):
        first.block(message(2 * n), at=DAY + 2 * n)
        second.block(message(2 * n + 1), at=DAY + 2 * n + 1)
    assert numbers(Tail(tmp_path, Question()).last(4)) == [2, 3, 4, 5]


def test_a_log_that_was_cut_off_by_a_crash_goes_on_with_what_is_new(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1))
    path = log.folder / f"{log.name}.jsonl"
    kept = path.read_bytes()
    log.block(message(2), message(3), at=DAY + 1)
    tail = Tail(tmp_path, Question())
    assert numbers(tail.last(9)) == [1, 2, 3]
    path.write_bytes(kept)
    log.seq = 1
    log.block(message(7), message(8), message(9), at=DAY + 9)
    assert numbers(tail.new()) == [9]  # seq 1 and 2 were told before the crash
    log.block(message(10))
    assert numbers(tail.new()) == [10]


def test_an_event_from_the_log_and_from_the_index_say_the_same(tmp_path):
    story(tmp_path)
    with Index(tmp_path) as index:
        index.catch_up()
        indexed = [hit._replace(id=0) for hit in reversed(search(index, Question()).hits)]
    assert [of_event(event) for event in Tail(tmp_path, Question()).last(99)] == indexed
