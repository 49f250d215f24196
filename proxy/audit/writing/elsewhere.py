"""Events that other threads than the loop's have to tell: they go on when theirs is on the disk.

Such an event is a block of its own, written at once or not at all: whoever asked for it does nothing if it was not
written, so it must not come later.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from proxy.audit import events
from proxy.audit.storage import sync_directory
from proxy.audit.writing.turns import Turns


class Elsewhere:
    """To be called in any thread but the loop's."""

    def __init__(self, turns: Turns, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self._turns, self._loop, self._patience = turns, loop, patience

    def __call__(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """Take down an event; it is on the disk, and signed, when this returns. OSError: the log has not taken it,
        or not in time, and never will; or it was written, and the disk failed to sync."""
        told: Future[None] = Future()
        self._loop.call_soon_threadsafe(self._note, told, kind, given)
        try:
            told.result(2 * self._patience)
        except TimeoutError:
            if told.cancel():
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
            told.result()  # it is just being written, or was not for a reason of its own
        kept = self._turns.log
        kept.sync()  # and sign: what is removed now, nobody may be able to admit afterwards
        sync_directory(kept.folder)

    def _note(self, told: Future[None], kind: Callable[..., events.Event], given: dict[str, Any]) -> None:
        if not told.set_running_or_notify_cancel():
            return  # nobody waits for it any more
        try:
            self._turns.note_now(kind, **given)
        except Exception as error:
            told.set_exception(error)
        else:
            told.set_result(None)
