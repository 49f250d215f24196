"""A clock that leaps ahead does not make the log old at once."""

from __future__ import annotations

import time

from proxy.audit.writing.clock import Clock

HOUR, DAY, YEAR = 3600.0, 86_400.0, 31_557_600.0


class Clocks:
    """One on the wall, which is set, and one that nobody sets."""

    def __init__(self) -> None:
        self.steady, self.set = 1000.0, 1_795_000_000.0

    def wall(self) -> float:
        return self.steady + self.set

    def made(self) -> Clock:
        return Clock(self.wall, lambda: self.steady)


def test_it_is_what_the_clock_says():
    assert abs(Clock().now() - time.time()) < 1
    clocks = Clocks()
    clock = clocks.made()
    for _ in range(100):
        clocks.steady += DAY
        clocks.set += 600  # as a bad clock may drift, or be set right
        assert clock.now() == clocks.wall()


def test_a_leap_ahead_counts_only_once_it_has_lasted_for_a_day():
    clocks = Clocks()
    clock, begun = clocks.made(), clocks.set
    clocks.set += 74 * YEAR
    for _ in range(24):
        assert clock.now() == clocks.steady + begun
        clocks.steady += HOUR
    assert clock.now() == clocks.wall()


def test_a_leap_that_is_taken_back_never_counts():
    clocks = Clocks()
    clock, begun = clocks.made(), clocks.set
    for _ in range(50):
        clocks.set = begun + 74 * YEAR
        clock.now()
        clocks.steady += 23 * HOUR
        clocks.set = begun
        assert clock.now() == clocks.wall()


def test_a_clock_that_is_set_back_is_believed_at_once():
    clocks = Clocks()
    clock = clocks.made()
    clocks.set -= 40 * YEAR
    assert clock.now() == clocks.wall()
