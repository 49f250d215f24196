"""What one connection has noted: counted by the sink, and taken down by the audit log.

A note is made before what it tells of is known to anybody else, and what cannot be noted is refused, whatever the
route says of errors. Which notes to make is decided by the callers; that nothing leaves before the log has them is
leg.py's matter. The beginning and the end of a connection are noted by its exchange.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from proxy.core.action import CLEAN, Cause, Note, Refusal
from proxy.core.lane import UnsettledError
from proxy.core.message import Direction, Kind
from proxy.core.session import Session

if TYPE_CHECKING:
    from proxy.core.lane import Lane
    from proxy.wire.exchange import Exchange
    from proxy.wire.leg import Leg

log = logging.getLogger("hushwire")


@lru_cache(64)  # made anew, a note takes longer than the gate
def _plain(direction: Direction, kind: Kind, verdict: str, digest: str) -> Note:
    """The note of a message in which nothing was found."""
    return Note(direction, kind, verdict, None, digest, ())


class Notes:
    """The notes of one connection, which the log of the process calls `name`."""

    __slots__ = ("exchange", "journal", "name", "session")

    def __init__(self, exchange: Exchange, session: Session, name: str) -> None:
        self.exchange = exchange
        self.journal = exchange.journal
        self.session = session
        self.name = name

    def found(self, leg: Leg, note: Note, number: int, size: int, sent: bytes | None, took: float) -> None:
        """Message `number`, of `size` bytes, becomes `sent` because of what `note` tells (None: it is dropped).

        Raises Refusal or UnsettledError if that was not counted and taken down.
        """
        self._take_down(leg, note, number, size, sent, took)
        try:
            self.exchange.sink(note)
        except Exception as full:
            raise UnsettledError(type(full).__name__) from None

    def clean(self, leg: Leg, lane: Lane, kind: Kind, number: int, size: int, sent: bytes, took: float) -> None:
        """A message was settled that had nothing in it. Raises Refusal."""
        note = _plain(lane.direction, kind, CLEAN, lane.policy.digest)
        self._take_down(leg, note, number, size, sent, took)

    def passes(self, leg: Leg, lane: Lane, kind: Kind, payload: bytes, count: int, verdict: str) -> None:
        """A message goes on as it is that nobody has to settle (`count`: Inspection.inspect). Raises Refusal."""
        number = leg.messages + leg.dropped + count + 1
        note = _plain(lane.direction, kind, verdict, lane.policy.digest)
        self._take_down(leg, note, number, len(payload), payload, 0.0)

    def _take_down(self, leg: Leg, note: Note, number: int, size: int, sent: bytes | None, took: float) -> None:
        if self.journal is None:
            return
        try:
            waits = self.journal.message(self.session, note, number, size, sent, took)
        except Exception as error:  # its type is all that may be said: its text may quote what was to be written
            log.error("session %s: %s in the audit log", self.name, type(error).__name__)
            raise Refusal(Cause.AUDIT) from None
        if waits and sent is not None:
            leg.unlogged += 1

    def refused(self, note: Note, lost: int) -> None:
        """The proxy ends the connection; `lost` messages that were noted are not sent. Where even that cannot be
        noted the connection is closed all the same: nothing leaves."""
        try:
            self.exchange.sink(note)
            if self.journal is not None:
                self.journal.refused(self.session, note, lost)
        except Exception as error:
            log.error("session %s: %s while noting a refusal", self.name, type(error).__name__)

    def wait(self, leg: Leg) -> None:
        """Have `leg` told when the log has what was noted."""
        assert self.journal is not None  # who else had notes to wait for
        self.journal.wait(leg)

    def committed(self) -> bool:
        """Whether the log has all that was noted: it writes it at once, for what cannot wait."""
        assert self.journal is not None
        try:
            self.journal.commit()
        except Exception as error:
            log.error("session %s: %s in the audit log", self.name, type(error).__name__)
            return False
        return True
