"""proxy.core.plugs.Journal, kept in a log: what the wire tells becomes events. When they are written: turns.py."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Protocol

from msgspec import UNSET

from proxy.audit import events
from proxy.audit.writing.elsewhere import Elsewhere
from proxy.audit.writing.log import Log
from proxy.audit.writing.page import Pages
from proxy.audit.writing.retention import FOREVER, Retention
from proxy.audit.writing.tending import Anchor, Tending
from proxy.audit.writing.turns import LIMIT, PATIENCE, Durability, Turns
from proxy.core.action import ENFORCE, Note
from proxy.core.lane import RESTORE
from proxy.core.operators import KEEP
from proxy.core.plugs import Ending
from proxy.core.session import Session

LEAVING = (KEEP, RESTORE)
"""Operators behind which the value itself leaves."""


MOST = 1 << 16
"""Findings of one message: a row of marks has 16 bits for the place, an event 10 MB then."""


class FullError(Exception):
    """The message must be refused: the disk takes nothing, and memory no more events; or more was found in it than
    an event can say."""


class Names(Protocol):
    """What is asked of the keys (proxy/audit/people/keys.py)."""

    @property
    def epoch(self) -> int:
        """Of the fingerprints that findings are marked with."""

    def client(self, address: str) -> str:
        """How events name a client of this address; empty: not at all."""


def redacted(note: Note) -> bool:
    """Whether what left may be kept: it was looked at, and of what was found nothing is left in it. A rule may
    keep a value, only watch it (shadow), spare it, or put it back for whoever it belongs to (restore)."""
    return note.verdict in ("clean", "rewritten") and not any(
        done.mode != ENFORCE or done.operator in LEAVING for done in note.findings
    )


class Journal(Turns):
    """Everything is called on `loop`. `run` begins the ids of sessions."""

    def __init__(
        self,
        kept: Log,
        loop: asyncio.AbstractEventLoop,
        names: Names,
        run: str,
        *,
        level: events.Level,
        durability: Durability,
        retention: Retention = FOREVER,
        anchors: Sequence[Anchor] = (),
        patience: float = PATIENCE,
        limit: int = LIMIT,
    ) -> None:
        pages = Pages(kept.id, kept.seq, run, lambda: names.epoch)
        super().__init__(kept, loop, pages, durability, patience, limit)
        self.tending = Tending(kept, Elsewhere(self, loop, patience), retention, anchors)
        self.syncing.signed = self.tending.wake
        self.level, self.every = level, level in ("messages", "sanitised")
        self._names = names
        self._quiet, self._keeps, self._waits = level == "sessions", level == "sanitised", durability != "async"
        self._limited: dict[tuple[str, str], int] = {}

    # -- what is taken down -------------------------------------------------------------------------------

    def message(
        self, session: Session, note: Note, number: int, size: int, sent: bytes | None, took: float
    ) -> bool:
        """See proxy.core.plugs.Journal."""
        if self._quiet:
            session.findings[note.direction] += sum(done.mode == ENFORCE for done in note.findings)
            return False
        pages = self._pages
        if len(note.findings) > MOST or (pages.weight > self._limit and self._full()):
            if self._waits:
                raise FullError
            self._lose()
            return False
        if not self._turn:
            self._begin()
        pages.message(session, note, number, size, sent, took)
        if self._keeps and sent is not None and redacted(note):
            pages.keep(sent)
        return self._waits

    def opened(self, session: Session, subprotocol: str, address: str, who: str) -> None:
        """See proxy.core.plugs.Journal."""
        self.note(
            events.SessionOpen,
            sid=self._sid(session),
            route=session.route,
            sub=subprotocol or UNSET,
            client=(address and self._names.client(address)) or UNSET,
            who=who or UNSET,
        )

    def refused(self, session: Session, note: Note, lost: int = 0) -> None:
        """See proxy.core.plugs.Journal."""
        found = note.findings
        if self._quiet:
            session.findings[note.direction] += sum(done.mode == ENFORCE for done in found)
            found = ()
        if self._room():
            self._pages.refuse(session, note, lost, found[:MOST])

    def closed(self, session: Session, ending: Ending) -> None:
        """See proxy.core.plugs.Journal."""
        up, down = session.findings
        self.note(
            events.SessionClose,
            sid=self._sid(session),
            route=session.route,
            first=ending.first,
            codes=ending.codes,
            reasons=ending.reasons,
            messages=ending.messages,
            bytes=ending.bytes,
            findings=(up, down),
            ms=int(ending.seconds * 1000),
        )

    def limited(self, route: str, reason: str) -> None:
        """See proxy.core.plugs.Journal. One event per second, route and reason."""
        if not self._limited:
            self._loop.call_later(1.0, self._note_limited)
        self._limited[route, reason] = self._limited.get((route, reason), 0) + 1

    def _note_limited(self) -> None:
        limited, self._limited = self._limited, {}
        for (route, reason), count in limited.items():
            self.note(events.Limit, route=route, reason=reason, count=count)

    def _sid(self, session: Session) -> str:
        return f"{self._pages.run}-{session.sid}"

    # -- beginning and end --------------------------------------------------------------------------------

    def start(
        self,
        version: str,
        worker: int,
        policies: dict[str, str],
        epoch: int = 0,
        check: str | None = None,
    ) -> None:
        """The first event, and the threads. `policies` are the digests by route; `epoch` and the `check` value of
        its key say which fingerprints are made from now on."""
        self.note(
            events.Start,
            who="proxy",
            run=self._pages.run,
            version=version,
            pid=os.getpid(),
            worker=worker,
            level=self.level,
            durability=self.durability,
            policies=policies,
            repaired=self.log.repaired or UNSET,
            adopted=self.log.adopted or UNSET,
            epoch=epoch or UNSET,
            check=check or UNSET,
        )
        self.syncing.start()
        self.tending.start()

    def policy_applied(self, routes: list[str], name: str, digest: str, how: str) -> None:
        """Rules went live on these routes, by `how`. A name may be that of a file, which need not be UTF-8."""
        name = name.encode(errors="replace").decode()
        self.note(events.PolicyApply, routes=routes, name=name, policy=digest[:16], how=how)

    def policy_rejected(self, routes: list[str], codes: list[str]) -> None:
        """Rules were refused for faults with these codes."""
        self.note(events.PolicyReject, routes=routes, codes=codes)

    def close(self) -> None:
        """The last event, synced and signed (about 20 ms). Raises OSError if not everything is on the disk."""
        self._note_limited()
        self._write()
        self.note(events.Stop, run=self._pages.run)
        self.syncing.stop()
        try:
            self.commit()
            self._synced = self.log.sync()
        finally:
            self.dismiss()
            self.tending.stop()
            self.log.close()
