"""The thread that waits for the disk, so that the loop does not: fdatasync, leaves, checkpoints.

While anything is written, it syncs every few milliseconds; at once if legs wait for that. Nothing else that can
take long is done in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from proxy.audit.writing.log import Log

PAUSE = 0.005  # seconds between two syncs; with the sync itself, what a power cut may cost
SIGN_SECONDS, SIGN_BLOCKS = 1.0, 10_000
RETRY = 0.05


class Syncing:
    """Begins with `start`. `tell(size, error)` is called in the thread after each sync: so many blocks are safe,
    or why no more are. `signed` is called there after each new checkpoint."""

    def __init__(self, kept: Log, at_once: bool, tell: Callable[[int, Exception | None], None]) -> None:
        self.signed: Callable[[], None] | None = None
        self._log, self._tell, self._pause = kept, tell, 0.0 if at_once else PAUSE
        self._dirty, self._ended = threading.Event(), False
        self._awake = False
        self._thread = threading.Thread(target=self._run, name="audit-sync", daemon=True)
        self.reached = kept.size
        """Blocks that are on the disk."""
        self._signed_at = 0.0

    def start(self) -> None:
        """Once."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to sync. 0.03 us if that is known already."""
        if not self._awake:
            self._awake = True
            self._dirty.set()

    def stop(self) -> None:
        """When the sync that runs has ended; `Log.close` does the last one."""
        self._ended = True
        self._dirty.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            unsigned = self._log.signed != self.reached
            due = max(0.0, self._signed_at + SIGN_SECONDS - time.monotonic()) if unsigned else None
            self._dirty.wait(due)
            if self._ended:
                return
            self._dirty.clear()
            self._awake = False
            self._sync()
            time.sleep(self._pause)

    def _sync(self) -> None:
        now = time.monotonic()
        sign = now - self._signed_at >= SIGN_SECONDS or self._log.size - self._log.signed >= SIGN_BLOCKS
        before = self._log.signed
        try:
            self.reached = self._log.sync(sign=sign)
        except Exception as error:  # whatever it is: this thread must not end silently
            self._tell(self.reached, error)
            self._dirty.set()
            time.sleep(RETRY)
            return
        if self._log.signed != before:
            self._signed_at = now
            if self.signed is not None:
                self.signed()
        self._tell(self.reached, None)
