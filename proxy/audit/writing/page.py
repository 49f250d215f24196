"""What goes into the next block: events as they come, with the rows of their side files.

The hot path: one of these per message with a finding. Figures are of this machine's kind, per event of 390 bytes
with one finding: its struct 0.14 us, the finding's 0.05, commitment and row 0.55, encoding 0.25 where 50 share a
block.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.audit import bodies, events
from proxy.core.action import ENFORCE, Done, Note
from proxy.core.message import Kind
from proxy.core.session import Session

encode_lines = msgspec.json.Encoder().encode_lines  # 0.25 us an event of 390 bytes; 0.39 one by one
PLACE = Struct("<QHH")  # what stands before salt and fingerprint in marks.ROW
SALT = 16
SALTS = 256  # drawn at once: 0.02 us each, 0.4 one by one
EVENT = 256  # bytes that an event takes at most, about, without findings; and a finding with them


TEXT = Kind.TEXT  # reading it off the enumeration takes 0.05 us


Page = tuple[bytes, int, int, bytes, bytes]
"""A block's worth: what Log.append is given."""


class UnspeltError(Exception):
    """One of the events cannot be written as JSON: a name in it is no text (half of a surrogate pair)."""


class Pages:
    """Events of log `log`, from number `seq` on, by session ids that begin with `run`. Whoever adds some says
    `now` before: `t` and `mono` are those of all events of a turn. `epoch` is asked for then too."""

    def __init__(self, log: str, seq: int, run: str, epoch: Callable[[], int] = int) -> None:
        self.log, self.seq, self.run = log, seq, run
        self.t = self.mono = 0
        self.weight = 0
        """Bytes, about."""
        self._epoch, self._era = epoch, 0
        self._entries: list[events.Event] = []
        self._rows: list[bytes] = []
        self._bodies: list[bytes] = []
        self._salts: list[bytes] = []

    def __len__(self) -> int:
        return len(self._entries)

    def now(self) -> None:
        """It is later."""
        self.t, self.mono, self._era = time.time_ns(), time.monotonic_ns(), self._epoch()

    def add(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """One event of any kind that has no findings."""
        self._take(kind(log=self.log, seq=self.seq, t=self.t, mono=self.mono, **given), 0)

    def message(
        self, session: Session, note: Note, number: int, size: int, sent: bytes | None, took: float
    ) -> None:
        """What became of one message: see proxy.core.plugs.Journal."""
        found = self._findings(session, note.direction, note.findings)
        event = events.Message(  # with more than 15 keywords CPython packs a dict: 0.5 us, instead of 0.12
            log=self.log,
            seq=self.seq,
            t=self.t,
            mono=self.mono,
            sid=f"{self.run}-{session.sid}",
            route=session.route,
            dir="down" if note.direction else "up",
            n=number,
            op="text" if note.kind is TEXT else "binary",
            in_=size,
            out=0 if sent is None else len(sent),
            policy=note.digest[:16],
            verdict=note.verdict,  # type: ignore[arg-type] # one of those, as Note says
            lat_us=int(took * 1e6),
            f=found,
        )
        if note.cause is not None:
            event.cause = note.cause.value
        self._take(event, len(found))

    def refuse(self, session: Session, note: Note, lost: int, done: Sequence[Done]) -> None:
        """A refusal, and what was found in the message."""
        found = self._findings(session, note.direction, done)
        event = events.Refuse(
            log=self.log,
            seq=self.seq,
            t=self.t,
            mono=self.mono,
            sid=f"{self.run}-{session.sid}",
            route=session.route,
            dir=events.WAYS[note.direction],
            cause=note.cause.value if note.cause is not None else note.verdict,
            policy=note.digest[:16],
            lost=lost or UNSET,
            f=found or UNSET,
        )
        self._take(event, len(found))

    def _findings(self, session: Session, direction: int, every: Sequence[Done]) -> list[events.Finding]:
        """What the next event says of them; counted for their session, and their rows made."""
        found: list[events.Finding] = []
        for entity, rule, operator, recognizer, length, score, mode, mark in every:
            finding = events.Finding(
                entity=entity,
                rule=rule,
                recognizer=recognizer,
                op=operator,
                len=length,
                score=score,
                mode=mode,  # type: ignore[arg-type] # one of those, as Done says
            )
            if mark is not None:
                salted = (self._salts.pop() if self._salts else self._drawn()) + mark
                finding.c = sha256(salted).hexdigest()[:32]  # marks.commitment, without the call
                self._rows.append(PLACE.pack(self.seq, len(found), self._era) + salted)
            if mode == ENFORCE:
                session.findings[direction] += 1
            found.append(finding)
        return found

    def _take(self, event: events.Event, found: int) -> None:
        self._entries.append(event)
        self.seq += 1
        self.weight += EVENT + EVENT * found

    def keep(self, sent: bytes) -> None:
        """Keep what left of the message that was added last (level `sanitised`)."""
        event, salt = self._entries[-1], self._salts.pop() if self._salts else self._drawn()
        assert isinstance(event, events.Message)
        event.body = bodies.commitment(salt, sent)
        self._bodies.append(bodies.row(event.seq, salt, sent))
        self.weight += len(sent)

    def _drawn(self) -> bytes:
        """One salt, when there is none left."""
        drawn = os.urandom(SALT * SALTS)
        self._salts += [drawn[at : at + SALT] for at in range(0, len(drawn), SALT)]
        return self._salts.pop()

    def tear(self) -> Page:
        """All there is; another page begins. UnspeltError: it begins as if there had been nothing."""
        entries, rows, kept = self._entries, b"".join(self._rows), b"".join(self._bodies)
        self._entries, self._rows, self._bodies, self.weight = [], [], [], 0
        try:
            lines = encode_lines(entries)
        except Exception as error:  # its text may quote
            self.seq = entries[0].seq
            raise UnspeltError(type(error).__name__) from None
        return lines, len(entries), entries[0].t, rows, kept
