"""A few threads that look at large messages while the event loop goes on.

The queue is short on purpose: a message that would wait behind many others is refused at once instead of
holding memory until its own time is up.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class OverloadError(TimeoutError):
    """Too many messages are waiting; a kind of being too slow, and refused as such."""


class Workers:
    """`threads` at work, and at most `waiting` jobs behind them."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="detect")
        self._free = threads + waiting
        self._lock = Lock()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run `job` in a thread. Fails with OverloadError when the queue is full, RuntimeError after `close`."""
        with self._lock:
            taken = self._free > 0
            self._free -= taken
        if not taken:
            return _failed(OverloadError("too many messages are waiting for inspection"))
        try:
            future = self._pool.submit(job)
        except RuntimeError as closed:
            self._give_back()
            return _failed(closed)
        future.add_done_callback(self._give_back)  # also called when it is cancelled
        return future

    def _give_back(self, _: object = None) -> None:
        with self._lock:
            self._free += 1

    def close(self) -> None:
        """Cancel what waits, wait for what runs (its own deadline bounds that)."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _failed(error: Exception) -> Future[T]:
    future: Future[T] = Future()
    future.set_exception(error)
    return future
