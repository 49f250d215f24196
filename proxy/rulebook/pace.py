"""Building beside an event loop: whoever builds in a thread rests now and then, as long as somebody else is busy.

Two threads that both want the GIL hand it over for every callback of the loop, and each time the loop waits for a
processor too. On a machine with four times more work than processors, one turn of the loop with 2,000 messages
took 24 s while 500 rules were built; resting leaves the loop most of its time, and an idle machine knows no rests.

`breathe` is called wherever building repeats itself, at least every few milliseconds; elsewhere it does nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

SLICE = 0.002  # seconds of work between two rests
LONGER = 4  # times as long as the others made us wait
LONGEST = 0.02  # seconds of one rest


class _Breath(threading.local):
    """By thread: since when it works, and how much of that it had the processor."""

    paced = False
    since = 0.0
    worked = 0.0


_breath = _Breath()


@contextlib.contextmanager
def paced() -> Iterator[None]:
    """While this thread is to rest."""
    _breath.paced, _breath.since, _breath.worked = True, time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        _breath.paced = False


def breathe() -> None:
    """Rest, if this thread is paced, it is time, and others are at work: they made us wait."""
    breath = _breath
    if not breath.paced:
        return
    passed = time.perf_counter() - breath.since
    if passed < SLICE:
        return
    waited = passed - (time.thread_time() - breath.worked)
    if waited > SLICE / 10:
        time.sleep(min(waited * LONGER, LONGEST))
    breath.since, breath.worked = time.perf_counter(), time.thread_time()
