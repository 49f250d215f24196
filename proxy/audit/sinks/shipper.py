"""The loop that ships: every log of a directory, in order, to one sink, from where its cursor left off.

It runs in a process of its own (child) or in `hushwire audit ship`, never in a proxy: a client library that holds
the interpreter lock, or blocks in C, then delays no message. A crash anywhere between the other side's commit and
the cursor ships the last batches twice, which the other side sees by (log, seq).
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec

from proxy.audit.checkpoint import CheckpointError, Verifier
from proxy.audit.layout import logs
from proxy.audit.sinks import AuditSink, Batch, ShipError
from proxy.audit.sinks.cursor import Cursor, Shipped, State, exists, load, save
from proxy.audit.sinks.follow import DamagedError, Head, Reached, batches, head, pruned
from proxy.audit.sinks.place import Place

log = logging.getLogger("hushwire")

POLL = 1.0  # seconds: a checkpoint is signed about as often
SAVE = 1.0  # seconds of work that a crash may have to be repeated; each save costs an fsync
ALIVE = 10.0  # seconds between two saves while nothing happens
TURN = 20  # batches of one log before the others have theirs
FIRST, LONGEST = 1.0, 60.0  # seconds before the second try, and at most before any
LAST = 3.0  # seconds for what is left when it is told to stop


class _Timed(msgspec.Struct, gc=False):
    t: int


_timed = msgspec.json.Decoder(_Timed).decode


class Shipper:
    """Ships to one sink. `told` hears how many events have just arrived; `leaving`, once, how many are about to
    leave: the sink can be reached then, and none has left yet."""

    def __init__(
        self,
        directory: Path,
        place: Place,
        sink: AuditSink,
        told: Callable[[int], object] = lambda _: None,
        leaving: Callable[[int], object] | None = None,
    ) -> None:
        """Raises CursorError."""
        self.directory, self.place, self.sink, self.told, self.leaving = directory, place, sink, told, leaving
        self.cursor = load(directory, place.name) if exists(directory, place.name) else Cursor(place.where)
        self.reached = {name: one.reached() for name, one in self.cursor.logs.items()}
        self.unsaved = False
        self.tries = 0

    def run(self, stop: threading.Event) -> None:
        """Ship until `stop`, and what is there then. What fails is tried again, later and later."""
        while not stop.wait(self.turn()):
            pass
        until = time.monotonic() + LAST
        while self.cursor.state != "failing" and time.monotonic() < until and self.turn() == 0.0:
            pass

    def turn(self) -> float:
        """Ship some. Returns the seconds until the next turn."""
        try:
            even = self.once()
        except (ShipError, OSError) as error:
            words = str(error) if isinstance(error, ShipError) else f"{type(error).__name__}: {error.strerror}"
            self._enter("failing", words)
            with contextlib.suppress(OSError):  # what is told may be just this, and the next save says the same
                self._save()
            self.tries += 1
            return self.pause()
        self.tries = 0
        return POLL if even else 0.0

    def pause(self) -> float:
        """Twice as long after every failure, up to a minute, and at random between half of that and all of it:
        many proxies shall not come back to a sink at the same moment."""
        longest = min(LONGEST, FIRST * 2.0 ** min(self.tries, 10))
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret

    def once(self) -> bool:
        """Ship some batches of every log. Returns whether all is there that is signed.

        Raises ShipError, OSError, and what `leaving` does.
        """
        if self.leaving is not None and (count := self.left()):
            self.sink.connect()
            self.leaving(count)
            self.leaving = None
        even = all(tuple(map(self._ship, logs(self.directory))))  # each has its turn, whatever the first says
        self._enter("even" if even else "behind", "")
        if even:
            self.cursor.even = time.time()
        idle = time.time() - self.cursor.saved
        if (even and self.unsaved) or idle >= ALIVE:
            self._save()
        return even

    def left(self) -> int:
        """Events that are signed and not there yet; those of damaged logs do not count."""
        count = 0
        for folder in logs(self.directory):
            with contextlib.suppress(DamagedError):  # which is told when it is its turn
                target = self._head(folder)
                count += target.checkpoint.seq - self._reached(target).seq if target else 0
        return count

    @property
    def new(self) -> bool:
        """Whether nothing has ever arrived there."""
        return not any(one.t for one in self.cursor.logs.values())

    def again(self) -> None:
        """Begin anew: the other side has lost what it had."""
        self.cursor.logs.clear()
        self.reached.clear()

    def _ship(self, folder: Path) -> bool:
        """Some batches of one log. Whether that was all; nothing more comes of a damaged one."""
        try:
            target = self._head(folder)
            if target is None:
                return True
            for batch, behind in islice(batches(target, self._reached(target)), TURN):
                self.sink.ship(batch)
                self._arrived(batch, behind)
        except DamagedError as error:
            self._damaged(folder.name, str(error))
            return True
        except FileNotFoundError:  # a segment was sealed or pruned just now: the next turn finds its new name
            return False
        self._damaged(folder.name, "")
        return self._reached(target).tree.size == target.checkpoint.size

    def _head(self, folder: Path) -> Head | None:
        try:
            verifier = Verifier.parse((self.directory / "public.key").read_text(errors="replace"))
        except FileNotFoundError:
            return None  # nothing can be signed yet
        except CheckpointError as error:
            raise DamagedError(f"public.key: {error}") from None
        return head(folder, verifier)

    def _reached(self, target: Head) -> Reached:
        """Where to go on in this log. What retention removed unshipped is counted, and passed over."""
        name = target.checkpoint.log
        reached = self.reached.setdefault(name, Reached())
        gone = pruned(target.folder)
        if gone is None or gone.tree.size <= reached.tree.size:
            return reached
        shipped = self.cursor.logs.setdefault(name, Shipped(0, 0, []))
        missed = gone.seq - reached.seq
        shipped.missed += missed
        log.warning("retention removed %d events before %s had them", missed, self.place.where)
        self._go_to(name, gone)
        return gone

    def _arrived(self, batch: Batch, behind: Reached) -> None:
        self._go_to(batch.log, behind)
        self.cursor.logs[batch.log].t = _timed(batch.lines()[-1]).t
        self.told(behind.seq - batch.first)
        if time.time() - self.cursor.saved >= SAVE:
            self._save()

    def _go_to(self, name: str, reached: Reached) -> None:
        self.reached[name] = reached
        shipped = self.cursor.logs.setdefault(name, Shipped(0, 0, []))
        shipped.seq, shipped.size = reached.seq, reached.tree.size
        shipped.peaks = [peak.hex() for peak in reached.tree.peaks]
        self.unsaved = True

    def _save(self) -> None:
        save(self.directory, self.place.name, self.cursor)
        self.unsaved = False

    def _enter(self, state: State, problem: str) -> None:
        """Tell of changes, not of tries: a sink may be away for days."""
        before, self.cursor.state, self.cursor.problem = self.cursor.state, state, problem
        if before == state:
            return
        self.cursor.since, self.unsaved = time.time(), True
        if state == "failing":
            log.warning("shipping to %s fails: %s", self.place.where, problem)
        elif before == "failing":
            log.info("shipping to %s goes on", self.place.where)

    def _damaged(self, folder: str, problem: str) -> None:
        """Keep in mind what is wrong with a log, or that nothing is."""
        if self.cursor.damaged.get(folder, "") == problem:
            return
        self.cursor.damaged[folder] = problem
        self.unsaved = True
        if problem:
            log.error("%s is not shipped to %s: %s", folder, self.place.where, problem)
        else:
            del self.cursor.damaged[folder]
