"""Events that other threads than the loop's have to tell: they go on when theirs is on the disk."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from proxy.audit import events
from proxy.audit.writing.turns import Turns


class _Thread(NamedTuple):
    """Waits as a leg does."""

    told: Future[None]

    def written(self) -> None:
        """It goes on."""
        self.told.set_result(None)

    def unwritten(self) -> None:
        """It hears why not."""
        self.told.set_exception(OSError(errno.EIO, os.strerror(errno.EIO)))


class Elsewhere:
    """To be called in any thread but the loop's."""

    def __init__(self, turns: Turns, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self._turns, self._loop, self._patience = turns, loop, patience

    def __call__(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """Take down an event; it is on the disk when this returns. OSError: it is not, or not in time."""
        told: Future[None] = Future()
        self._loop.call_soon_threadsafe(self._note, told, kind, given)
        told.result(2 * self._patience)
        self._turns.log.sync(sign=False)

    def _note(self, told: Future[None], kind: Callable[..., events.Event], given: dict[str, Any]) -> None:
        lost = self._turns.counts.lost
        self._turns.note(kind, **given)
        if self._turns.counts.lost > lost:
            told.set_exception(OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS)))
        else:
            self._turns.wait(_Thread(told))
