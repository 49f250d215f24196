"""Threads that look at large messages while the event loop goes on, and in which order they do.

A connection has at most one message per direction here, and whoever has kept the threads least busy lately goes
first, so a flood from some connections makes no other one's message wait behind all of it. The queue is short on
purpose: beyond its length the messages of whoever has used most are refused at once instead of holding memory
until their own time is up. Very large messages have a thread of their own, because nothing interrupts them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from time import monotonic, thread_time
from typing import Any, Generic, TypeVar

T = TypeVar("T")

LARGE = 64 * 1024  # bytes; what is larger waits for the other thread
HALF_LIFE = 10.0  # seconds after which half of what somebody used is forgotten
ALLOWED = 0.05  # seconds that count as nothing: one hostile message of 64 KiB, or a second of honest ones
FORGET = 1024  # owners remembered before those are dropped who have used next to nothing


class OverloadError(TimeoutError):
    """Too many messages are waiting; a kind of being too slow, and refused as such."""


class Workers:
    """`threads` for messages of up to LARGE bytes and as many for larger ones, `waiting` jobs behind each."""

    def __init__(self, threads: int, waiting: int) -> None:
        ledger = Ledger()
        self._small, self._large = Line(threads, waiting, ledger), Line(threads, waiting, ledger)

    def submit(self, job: Callable[[], T], owner: int, size: int) -> Future[T]:
        """Run `job` of the connection `owner` in a thread; the message has `size` bytes.

        Fails with OverloadError when the queue is full and nobody in it has used more than `owner`, and with
        RuntimeError after `close`.
        """
        return (self._large if size > LARGE else self._small).submit(job, owner)

    def close(self) -> None:
        """Cancel what waits, wait for what runs (its own deadline bounds that)."""
        for line in (self._small, self._large):
            line.close()


class Ledger:
    """Who has used how much processor time lately."""

    def __init__(self) -> None:
        self._used: dict[int, tuple[float, float]] = {}  # seconds, and when that was so
        self._lock = Lock()

    def owed(self, owner: int) -> float:
        """Seconds used lately, beyond what everybody may use."""
        with self._lock:
            return max(0.0, self._left(owner, monotonic()) - ALLOWED)

    def add(self, owner: int, seconds: float) -> None:
        """Count what a job took."""
        now = monotonic()
        with self._lock:
            self._used[owner] = self._left(owner, now) + seconds, now
            if len(self._used) > FORGET:
                busy = sorted(self._used, key=lambda one: -self._left(one, now))[: FORGET // 2]
                self._used = {one: self._used[one] for one in busy}

    def _left(self, owner: int, now: float) -> float:
        used, since = self._used.get(owner, (0.0, now))
        return used * math.exp2((since - now) / HALF_LIFE)


class _Job(Generic[T]):
    """Work, whose it is, and who waits for it."""

    __slots__ = ("future", "owner", "work")

    def __init__(self, work: Callable[[], T], owner: int) -> None:
        self.work, self.owner = work, owner
        self.future: Future[T] = Future()

    def run(self, ledger: Ledger) -> None:
        """Do it, and count it before anybody is told."""
        began = thread_time()
        try:
            result = self.work()
        except BaseException as error:
            ledger.add(self.owner, thread_time() - began)
            self.future.set_exception(error)
        else:
            ledger.add(self.owner, thread_time() - began)
            self.future.set_result(result)


class Line:
    """`threads`, and at most `waiting` jobs behind them: more only while nobody owes anything."""

    def __init__(self, threads: int, waiting: int, ledger: Ledger) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="detect")
        self._most, self._ledger = waiting, ledger
        self._waiting: list[_Job[Any]] = []  # in the order in which they came
        self._lock = Lock()
        self._closed = False

    def submit(self, work: Callable[[], T], owner: int) -> Future[T]:
        """As in Workers."""
        job, surplus = _Job(work, owner), None
        with self._lock:
            if self._closed:
                return _failed(RuntimeError("the workers are closed"))
            self._waiting = [one for one in self._waiting if not one.future.cancelled()]
            self._waiting.append(job)
            if len(self._waiting) > self._most:
                surplus = self._surplus()
            self._pool.submit(self._serve)
        if surplus is not None and surplus.future.set_running_or_notify_cancel():
            surplus.future.set_exception(OverloadError("too many messages are waiting for inspection"))
        return job.future

    def _surplus(self) -> _Job[Any] | None:
        """Take out the job of whoever owes most, of those the last; None if nobody owes anything."""
        last: _Job[Any] = max(reversed(self._waiting), key=self._owed)
        if not self._owed(last):
            return None
        self._waiting.remove(last)
        return last

    def _owed(self, job: _Job[Any]) -> float:
        return self._ledger.owed(job.owner)

    def _serve(self) -> None:
        """In the thread, once for every job that came: do the one whose turn it is."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                job = min(self._waiting, key=self._owed)
                self._waiting.remove(job)
            if job.future.set_running_or_notify_cancel():
                break
        job.run(self._ledger)

    def close(self) -> None:
        """As in Workers."""
        with self._lock:
            self._closed = True
            left, self._waiting = self._waiting, []
        for job in left:
            job.future.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _failed(error: Exception) -> Future[T]:
    future: Future[T] = Future()
    future.set_exception(error)
    return future
