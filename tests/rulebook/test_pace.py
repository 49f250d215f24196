"""Building that rests while others are busy; the clocks are set by hand."""

from __future__ import annotations

import threading

import pytest

from proxy.rulebook import pace
from proxy.rulebook.pace import LONGEST, SLICE, breathe, paced


class Clocks:
    """The time that passes, that of the thread's own work, and every rest."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall = self.own = 100.0
        self.rests: list[float] = []
        patch.setattr(pace.time, "perf_counter", lambda: self.wall)
        patch.setattr(pace.time, "thread_time", lambda: self.own)
        patch.setattr(pace.time, "sleep", self.rests.append)

    def work(self, seconds: float, waiting: float = 0.0) -> None:
        self.own += seconds
        self.wall += seconds + waiting
        breathe()


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def test_who_is_alone_on_the_machine_never_rests(clocks: Clocks) -> None:
    with paced():
        for _ in range(100):
            clocks.work(SLICE)
    assert clocks.rests == []


def test_who_had_to_wait_rests_longer_than_that_but_not_for_ever(clocks: Clocks) -> None:
    with paced():
        clocks.work(SLICE / 2, SLICE)
        clocks.work(SLICE, 1.0)
    short, long = clocks.rests
    assert SLICE < short < LONGEST
    assert long == LONGEST


def test_nobody_rests_at_every_step(clocks: Clocks) -> None:
    with paced():
        for _ in range(9):
            clocks.work(0.0, SLICE / 10)
    assert clocks.rests == []


def test_whoever_is_not_paced_never_rests(clocks: Clocks) -> None:
    clocks.work(1.0, 1.0)
    with paced():
        other = threading.Thread(target=clocks.work, args=(1.0, 1.0))
        other.start()
        other.join()
    clocks.work(1.0, 1.0)
    assert clocks.rests == []
