"""The rhythm of a journal: events gather during a turn of the loop, are one block at its end, and legs are told.

One write per turn, inline: that costs less than telling a thread, and once it returns no kill loses it. Where
nobody waits for it (durability `async`), a turn lasts 10 ms: larger blocks are cheaper. If the disk does not take
it, legs wait, `patience` seconds; then they are told, and the wire closes their connections. Nothing is let go
instead. A disk that fails to sync is no better than one that does not take: legs wait too.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from proxy.audit import events
from proxy.audit.storage import LostError
from proxy.audit.writing.log import Log
from proxy.audit.writing.page import Pages, UnspeltError
from proxy.audit.writing.syncing import Syncing
from proxy.core.plugs import Waiting

log = logging.getLogger("hushwire")

Durability = Literal["async", "written", "synced"]

PATIENCE = 1.0  # seconds that what waits is kept waiting
GATHER = 0.01  # seconds that a turn lasts where nobody waits for its end; what a kill may cost there
RETRY = 0.05  # seconds between attempts at a disk that takes nothing
LIMIT = 16 << 20  # bytes of events that may gather meanwhile; no block is larger than twice that


@dataclass(slots=True)
class Held:
    """Legs that wait, `since` that time of the loop's, for the log to have `size` blocks."""

    since: float
    size: int
    legs: list[Waiting]


@dataclass(slots=True)
class Counts:
    """For the metrics; of this process. `stuck` are seconds, without those of a trouble that still lasts."""

    events: int = 0
    blocks: int = 0
    lost: int = 0
    stuck: float = 0.0


class Turns:
    """Everything is called on `loop`. `counts` and `problem` are for metrics and readiness."""

    def __init__(
        self,
        kept: Log,
        loop: asyncio.AbstractEventLoop,
        pages: Pages,
        durability: Durability,
        patience: float = PATIENCE,
        limit: int = LIMIT,
    ) -> None:
        self.log, self.durability, self.counts = kept, durability, Counts()
        self.problem: str | None = None
        """Why the log takes nothing, in the system's words."""
        self._loop, self._pages, self._patience, self._limit = loop, pages, patience, limit
        self._prompt = durability != "synced"
        self._turn = False  # whether its end is scheduled
        self._waiting: list[Waiting] = []  # since this turn
        self._held: deque[Held] = deque()  # since turns before
        self._timer: asyncio.TimerHandle | None = None  # while anything is held, or the disk takes nothing
        self._stuck_since = 0.0
        self._refusing = False  # the disk takes nothing
        self._unsynced = False  # it takes, but may not keep
        self._failing = False  # the same, as the thread that syncs knows it: the loop may be told later
        self._synced = kept.size
        self._spoilt = False  # events of this turn were lost: nothing that waits may leave
        self._closed = False
        self._lost = self._lost_since = 0
        self.syncing = Syncing(kept, durability == "synced", self._from_syncing)

    @property
    def waiting(self) -> int:
        """Legs that wait now."""
        return len(self._waiting) + sum(len(held.legs) for held in self._held)

    @property
    def unsynced(self) -> int:
        """Blocks that may not be on the disk yet."""
        return self.log.size - self.syncing.reached

    @property
    def stuck(self) -> float:
        """Seconds in which the disk took nothing, or did not keep it."""
        return self.counts.stuck + (self._loop.time() - self._stuck_since if self.problem else 0.0)

    # -- events -------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """The first event of a turn: all of them have its time (two clocks for each would cost 0.1 us)."""
        self._turn = True
        self._pages.now()
        if self.durability == "async":
            self._loop.call_later(GATHER, self._end)
        else:
            self._loop.call_soon(self._end)

    def note(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """Take down an event that nothing waits for. If there is no room, it is counted as lost."""
        if self._room():
            self._pages.add(kind, **given)

    def _room(self) -> bool:
        """Whether an event can be taken down now that nothing waits for; else it counts as lost."""
        if self._pages.weight > self._limit and self._full():
            self._lose()
            return False
        if not self._turn:
            self._begin()
        return True

    def note_now(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """Write down one event, in a block of its own. After OSError nothing of it stays, and none comes later."""
        pages, error = self._pages, self._write()
        if error is not None:
            raise error
        if self._closed or self._unsynced or self._spoilt:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        pages.now()
        pages.add(kind, **given)
        try:
            self.log.append(*pages.tear())
        except UnspeltError:
            raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ)) from None
        except OSError:
            self.log.disown()
            pages.seq = self.log.seq
            raise
        self.counts.events += 1
        self.counts.blocks += 1
        self.syncing.wake()

    def _full(self) -> bool:
        """Whether there is no room, after an attempt to make some."""
        if not self._refusing:
            self._write()
        return self._pages.weight > self._limit

    def _lose(self) -> None:
        """A gap in the log will tell."""
        if not self._lost:
            self._lost_since = time.time_ns()
        self._lost += 1
        self.counts.lost += 1

    def wait(self, waiting: Waiting) -> None:
        """See proxy.core.plugs.Journal."""
        if not self._turn:
            self._begin()
        self._waiting.append(waiting)

    def commit(self) -> None:
        """See proxy.core.plugs.Journal. Who waits is told at the end of the turn nevertheless."""
        error = self._write()
        if error is None and (self._unsynced or self._spoilt):
            error = OSError(errno.EIO, os.strerror(errno.EIO))
        if error is not None:
            raise error
        if self.durability == "synced":  # whoever cannot wait sends at once: everybody waits for the disk, rarely
            self.log.sync(sign=False)

    # -- turns --------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self._turn = False
        waiting, self._waiting = self._waiting, []
        if not self._refusing:
            self._write()
        if self._spoilt:
            self._spoilt = False
            self._held.append(Held(self._loop.time(), 0, waiting))
            self._give_up(self._held[-1].since)
        elif self._prompt and not (self._held or self._refusing or self._unsynced or self._closed):
            for leg in waiting:
                _tell_one(leg.written)
        elif waiting or self._closed:
            size = self.log.size + self.log.owing + bool(self._pages)
            self._held.append(Held(self._loop.time(), size, waiting))
            self._tell()

    def _write(self) -> OSError | None:
        """One block of all there is. An error is told here, and to `commit`'s caller."""
        pages, kept = self._pages, self.log
        if self._closed:  # its descriptors may be another's by now
            return OSError(errno.EBADF, os.strerror(errno.EBADF)) if pages or kept.owing else None
        try:
            kept.resume()
            if self._lost:
                pages.now()
                pages.add(events.Gap, lost=self._lost, since=self._lost_since)
            if count := len(pages):
                page = pages.tear()
                self._lost = 0
                self.counts.events += count
                self.counts.blocks += 1
                kept.append(*page)
        except OSError as error:
            self._refusing = True
            self._trouble(error)
            return error
        except UnspeltError as unspelt:
            return self._spoil(count - bool(self._lost), str(unspelt))  # a gap is told of next time
        self.syncing.wake()
        if self._refusing:
            self._refusing = False
            self._ease()
        return None

    def _spoil(self, count: int, why: str) -> OSError:
        """So many events are lost. Whose they were is not known any more: whoever waits is given up."""
        log.error("audit: %s: the events of a turn are lost, because one of them cannot be written", why)
        for _ in range(count):
            self._lose()
        self._spoilt = True
        if not self._turn:
            self._begin()
        return OSError(errno.EILSEQ, os.strerror(errno.EILSEQ))

    def _tell(self) -> None:
        """Tell the legs whose notes are where they must be."""
        if self._spoilt:  # they are told at the end of the turn
            return
        held = self._held
        reached = self.log.size if self._prompt and not self._unsynced else self._synced
        while held and held[0].size <= reached:
            for leg in held.popleft().legs:
                _tell_one(leg.written)
        if self._closed:
            self._give_up(held[-1].since if held else 0.0)
        elif held and self._timer is None:
            self._timer = self._loop.call_later(RETRY, self._again)

    # -- trouble ------------------------------------------------------------------------------------------

    def _again(self) -> None:
        """While anything is held: try again, and give up what was held for too long."""
        self._timer = None
        if self._refusing:
            self._write()
        self._tell()
        self._give_up(self._loop.time() - self._patience)
        if self._timer is None and (self._held or self._refusing):
            self._timer = self._loop.call_later(RETRY, self._again)

    def _give_up(self, overdue: float) -> None:
        """What has waited since then, or longer."""
        held = self._held
        while held and held[0].since <= overdue:
            for leg in held.popleft().legs:
                _tell_one(leg.unwritten)

    def _trouble(self, error: Exception) -> None:
        known = isinstance(error, OSError) and error.errno
        why = os.strerror(known) if known else type(error).__name__
        if isinstance(error, LostError):
            why = error.says
        if self.problem is None:
            self._stuck_since = self._loop.time()
            log.error("audit: %s takes nothing: %s; affected messages wait", self.log.folder.name, why)
        self.problem = why
        if self._timer is None:
            self._timer = self._loop.call_later(RETRY, self._again)

    def _ease(self) -> None:
        if self._refusing or self._unsynced or self.problem is None:
            return
        self.problem = None
        age = self._loop.time() - self._stuck_since
        self.counts.stuck += age
        log.warning("audit: %s takes events again, after %.1f s", self.log.folder.name, age)

    def dismiss(self) -> None:
        """Nothing is written any more, and whoever still waits is told."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._end()

    # -- the disk -----------------------------------------------------------------------------------------

    def _from_syncing(self, size: int, error: Exception | None) -> None:
        """Called in the thread that syncs."""
        told, self._failing = self._failing, error is not None
        if told or self._failing or not self._prompt:
            self._loop.call_soon_threadsafe(self._reached, size, error)

    def _reached(self, size: int, error: Exception | None) -> None:
        if self._closed:
            return
        self._synced = max(self._synced, size)
        self._unsynced = error is not None
        if error is not None:
            self._trouble(error)
        else:
            self._ease()
        self._tell()


def _tell_one(told: Callable[[], None]) -> None:
    """A leg that fails must not leave others waiting."""
    try:
        told()
    except Exception as error:
        log.error("audit: %s in a leg that waited", type(error).__name__)
