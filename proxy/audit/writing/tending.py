"""The thread for what may take long, so that syncing never waits for it: anchors, compression, retention.

Nothing in here may stop the proxy: what fails is said in the log of the process and tried again a minute later.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from proxy.audit import storage
from proxy.audit.checkpoint import CheckpointError
from proxy.audit.layout import logs, segments
from proxy.audit.writing.clock import Clock
from proxy.audit.writing.log import Log
from proxy.audit.writing.retention import Retention, Told, overdue, prune
from proxy.audit.writing.sealing import finished, seal

log = logging.getLogger("hushwire")

Anchor = Callable[[str], None]
"""Keeps a signed checkpoint somewhere else. Called with the newest one, once a minute and at the end; it may wait,
but not for ever, and raises if it could not."""

EVERY = 60.0  # seconds between two anchored checkpoints, two looks at what is old, a failure and the next attempt
END = 2.0  # seconds that the end of the process waits


class Tending:
    """Begins with `start`. `told` takes down what retention removes."""

    def __init__(
        self, kept: Log, told: Told, retention: Retention, anchors: Sequence[Anchor], every: float = EVERY
    ) -> None:
        self._log, self._told, self._retention, self._anchors = kept, told, retention, anchors
        self._anchored = ["" for _ in anchors]  # the newest checkpoint that each of them has
        self._every, self._clock = every, Clock()
        self._next: dict[str, float] = {}  # not before, by name of what is done
        self._woken, self._ended = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="audit-tend", daemon=True)

    def start(self) -> None:
        """Once."""
        self._thread.start()

    def wake(self) -> None:
        """There is a new checkpoint, and perhaps another segment."""
        self._woken.set()

    def stop(self) -> None:
        """What takes too long is left: nothing of it minds being interrupted."""
        self._ended = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(END)

    def _run(self) -> None:
        while True:
            ended = self._ended  # before the last look at the newest checkpoint
            self._attempt("anchor", self.anchor, now=ended)
            if ended:
                return
            self._attempt("seal", self.seal)
            self._attempt("prune", self.prune)
            self._woken.wait(self._every)
            self._woken.clear()

    def _attempt(self, step: str, work: Callable[[], bool], *, now: bool = False) -> None:
        """If its time has come; then it has to come again if there was anything to do."""
        if time.monotonic() < self._next.get(step, 0.0) and not now:
            return
        try:
            if work():
                self._next[step] = time.monotonic() + self._every
        except Exception as error:
            why = getattr(error, "says", "") or (isinstance(error, OSError) and error.strerror)
            why = why or type(error).__name__
            log.error("audit: %s failed, and is tried again in a minute: %s", step, why)
            self._next[step] = time.monotonic() + self._every

    def anchor(self) -> bool:
        """Give the newest checkpoint to every anchor that has not got it; whether there was one. Raises what the
        first failing one does, after all were asked."""
        note, failure, asked = self._log.note, None, False
        for index, anchor in enumerate(self._anchors):
            if note and self._anchored[index] != note:
                asked = True
                try:
                    anchor(note)
                    self._anchored[index] = note
                except Exception as error:
                    failure = failure or error
        if failure is not None:
            raise failure
        return asked

    def seal(self) -> bool:
        """Compress what is finished and on the disk; never put off. Raises OSError, SealError."""
        for segment in finished(self._log.folder, self._log.settled):
            if self._ended:
                break
            seal(segment)
        return False

    def prune(self) -> bool:
        """Remove what is too old, here and in logs that nobody writes to. Raises what prune does."""
        own, now = self._log.folder, self._clock.now()
        prune(own, self._log.settled, self._log.signed, self._retention, self._told, now)
        for folder in logs(own.parent):
            if folder != own and self._overdue(folder, now):
                self._prune_idle(folder, now)
        return True

    def _overdue(self, folder: Path, now: float) -> bool:
        """Whether anything is. If it was compressed or removed just now, its writer looks after the log."""
        try:
            return overdue(segments(folder), self._retention, now) > 0
        except FileNotFoundError:
            return False

    def _prune_idle(self, folder: Path, now: float) -> None:
        """If nobody holds it, and it is signed."""
        lock = storage.lock(folder / "lock")
        if lock is None:
            return
        try:
            signed = self._log.verifier.open((folder / "checkpoint").read_text()).size
            prune(folder, sys.maxsize, signed, self._retention, self._told, now)
        except (FileNotFoundError, CheckpointError):
            log.warning("audit: %s is not pruned: it has no checkpoint of ours", folder.name)
        finally:
            os.close(lock)
