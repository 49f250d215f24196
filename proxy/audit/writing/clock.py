"""What time it is, for whoever removes what is old: a clock that leaps ahead must not cost the log.

A clock that was set wrong, or a machine that wakes up in another century, would make everything old at once, and
what retention removes does not come back. So a leap counts only once it has lasted for a day, by the clock that
nobody sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LEAP, PROOF = 3600.0, 86_400.0  # seconds


def running() -> float:
    """Seconds since the machine was started, asleep or not."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))  # only Linux has the first


class Clock:
    """Asked now and then, by one thread."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = running) -> None:
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()
        """From the steady clock to the one on the wall, as far as that is believed."""
        self._leapt: float | None = None

    def now(self) -> float:
        """Unix time, without a leap ahead that is younger than a day. A clock that goes back is believed."""
        steady = self._steady()
        apart = self._wall() - steady
        if apart <= self._apart + LEAP:
            self._apart, self._leapt = apart, None
        elif self._leapt is None:
            self._leapt = steady
        elif steady - self._leapt >= PROOF:
            self._apart, self._leapt = apart, None
        return steady + self._apart
