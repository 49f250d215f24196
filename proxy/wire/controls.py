"""Control frames can carry text too: what becomes of a ping, of its pong, and of the reason of a CLOSE.

They hold 125 bytes at most and belong to no message, so they are looked at without waiting, and passed on in their
place. How a connection ends after a CLOSE is relay.py's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.core.action import Cause, Refusal
from proxy.core.message import Close, Kind, Side
from proxy.wire.frames import CLOSE, FIN, PING, close_payload, read_close
from proxy.wire.inspection import DROPPED, Inspection

if TYPE_CHECKING:
    from proxy.wire.leg import Leg

PINGS_KEPT = 8  # rewritten pings whose pongs may still come


class Controls:
    """The control frames of one connection. Whatever its methods raise is a Refusal."""

    __slots__ = ("inspection", "pings")

    def __init__(self, inspection: Inspection) -> None:
        self.inspection = inspection
        self.pings: list[tuple[Side, bytes, bytes]] = []  # who sent it, as covered, as it was

    def ping(self, leg: Leg, opcode: int, payload: bytes, raw: bytes) -> bytes:
        """The ping or pong to forward. Where a value is found it is covered with stars; the pong that answers such
        a ping gets the original back, or its sender would not recognise it."""
        if opcode != PING:
            for index, (side, covered, original) in enumerate(self.pings):
                if side is leg.peer.side and payload == covered:
                    del self.pings[index]
                    return leg.peer.spell(raw[0], original)
        if not payload or not self.inspection.watched(leg):
            return raw
        if self.inspection.look_now(leg, Kind.BINARY, payload) is payload:
            return raw
        covered = b"*" * len(payload)
        if opcode == PING:
            self.pings = [*self.pings[1 - PINGS_KEPT :], (leg.side, covered, payload)]
        return leg.peer.spell(raw[0], covered)

    def reason(self, leg: Leg, payload: bytes, raw: bytes) -> tuple[int, bytes]:
        """The code of a CLOSE (1005 for an empty one) and the frame to pass on: its reason is text like any other.

        Codes are passed on as they are, illegal ones too (as a byte tunnel would): the endpoint judges them.
        """
        try:
            code, reason = read_close(payload)
            reason.decode()
        except UnicodeDecodeError:
            raise Refusal(Cause.BAD_UTF8) from None
        except ValueError:
            raise Refusal(Cause.PROTOCOL) from None
        if reason and self.inspection.watched(leg):
            new = self.inspection.look_now(leg, Kind.TEXT, reason)
            if new is not reason:
                said = "" if new is DROPPED else new.decode()
                raw = leg.peer.spell(FIN | CLOSE, close_payload(Close(code, said)))
        return 1005 if code is None else code, raw
