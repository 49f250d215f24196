"""The pair of legs of one connection, and how it ends: by CLOSE, FIN, RST, a refusal or a timer.

Each way to end is told, case by case, in tests/wire/test_relay.py. What is looked at, and how, is
inspection.py's matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.core.action import Action, Cause, CloseSide, Note, Refusal
from proxy.core.message import Close, Direction, Side
from proxy.core.session import Session
from proxy.wire.controls import Controls
from proxy.wire.deflate import DeflateParams
from proxy.wire.frames import CLOSE, FIN, build, close_payload
from proxy.wire.inspection import Inspection
from proxy.wire.notes import Notes
from proxy.wire.pace import PacedLeg
from proxy.wire.pump import Pump
from proxy.wire.reset import reset

if TYPE_CHECKING:
    from proxy.wire.exchange import Exchange
    from proxy.wire.leg import Leg


class Relay:
    """One connection. Made by the door when both handshakes are done; lives until both transports are lost."""

    __slots__ = (
        "active",
        "born",
        "closed",
        "codes",
        "controls",
        "deadline",
        "exchange",
        "first",
        "inspection",
        "key",
        "legs",
        "lost_legs",
        "lost_messages",
        "name",
        "notes",
        "reasons",
        "refused",
        "session",
        "sid",
        "untaken",
    )

    def __init__(
        self,
        exchange: Exchange,
        sid: int,
        key: str,
        transports: tuple[asyncio.Transport, asyncio.Transport],
        deflated: DeflateParams | None,
    ) -> None:
        self.exchange = exchange
        self.sid = sid
        self.name = f"{exchange.crowd.run}-{sid}"  # in the log and the audit
        self.key = key  # under which the limits count this client
        self.session = Session(sid, exchange.name)
        self.notes = Notes(exchange, self.session, self.name)
        self.inspection = Inspection(self, exchange, deflated)
        self.controls = Controls(self.inspection)
        limit, rsv1 = exchange.settings.max_message, deflated is not None
        self.active = True  # bytes came since the last sweep
        self.born = self.now()
        client = (PacedLeg if exchange.settings.max_rate else Pump)(self, Side.CLIENT, transports[0], limit, rsv1)
        upstream = Pump(self, Side.UPSTREAM, transports[1], limit, rsv1)
        self.legs = (client, upstream)
        client.peer, upstream.peer = upstream, client
        self.closed = 0  # how many sides have sent CLOSE
        self.codes: list[int | None] = [None, None]  # by Side: what their CLOSE said
        self.reasons = [0, 0]  # and how long its reason was, in bytes
        self.lost_legs = 0
        self.lost_messages = 0  # noted, and not sent on: the log could not take them
        self.refused = False  # the proxy has closed both sides itself
        self.deadline = 0.0  # loop time at which whatever is left is aborted; 0: none
        self.untaken = 0  # bytes that the peers had not taken when the deadline was set
        self.first = "lost"  # who ended it, for the log line

    def start(self, early: tuple[bytes, bytes]) -> None:
        """Take over both transports; `early` is what each side sent right behind its handshake."""
        for leg in self.legs:
            leg.transport.set_protocol(leg)
        for leg, data in zip(self.legs, early, strict=True):
            if data and not leg.deaf:
                leg.data_received(data)

    def now(self) -> float:
        """Loop time in seconds."""
        return self.exchange.loop.time()

    def close_frame(self, leg: Leg, payload: bytes, raw: bytes) -> None:
        """CLOSE from `leg`: pass it on behind everything sent before, and hear nothing more from there."""
        code, raw = self.controls.reason(leg, payload, raw)
        self.codes[leg.side], self.reasons[leg.side] = code, max(len(payload) - 2, 0)
        if self.refused:
            leg.deaf = True
            self._hang_up(leg)  # its answer to the proxy's own CLOSE: swallowed, or two peers storm each other
            return
        if leg.unlogged and not self.notes.committed():  # its reason: nothing waits behind a CLOSE
            raise Refusal(Cause.AUDIT)
        leg.unlogged = 0
        leg.out.append(raw)
        leg.flush()
        leg.deaf = leg.mute = leg.peer.told = True
        self.closed += 1
        if self.closed == 1:
            self.first = f"{leg.side.name.lower()} {code}"
        else:
            self._end_by(self.exchange.settings.close_timeout)

    # -- ending -------------------------------------------------------------------------------------------

    def refuse(self, leg: Leg, refusal: Refusal) -> None:
        """Close both sides because of what came from `leg`; nothing more is forwarded in either direction."""
        lane = self.exchange.live.lanes[Direction(leg.side)]
        actions = lane.refuse(refusal)
        leg.deaf = True  # after a failure nobody knows where its next frame starts
        self._close_both(actions, refusal.cause)

    def end(self, cause: Cause) -> None:
        """Close both sides for a reason of the proxy's own (shutdown, timers)."""
        self._close_both(self.exchange.live.lanes[0].refuse(Refusal(cause)), cause)

    def _close_both(self, actions: Sequence[Action], cause: Cause) -> None:
        again, self.refused = self.refused, True
        if not again:
            if not self.closed:
                self.first = f"proxy {cause.value}"
            self._end_by(self.exchange.settings.close_timeout)
            for leg in self.legs:
                leg.lose() if cause is Cause.AUDIT else leg.settle()
            for action in actions:
                match action:
                    case Note():
                        self.notes.refused(action, self.lost_messages)
                    case CloseSide(side, close):
                        self._send_close(self.legs[side], close)
        for leg in self.legs:  # only now: a leg may find its peer's answer behind a held message, and hang up
            self._drop(leg)
            leg.unblock(leg.blocked)  # its answer has to be read
            if leg.deaf:
                self._hang_up(leg)

    def _send_close(self, leg: Leg, close: Close) -> None:
        if leg.told or leg.ended or leg.transport.is_closing():
            return  # its peer's CLOSE or FIN was passed on already: a transport raises at a write behind FIN
        leg.told = True
        leg.transport.write(build(FIN | CLOSE, close_payload(close), masked=leg.side is Side.UPSTREAM))

    def _drop(self, leg: Leg) -> None:
        """Forget whatever of this leg was not forwarded yet."""
        leg.mute = True
        leg.message = None
        leg.lose()
        self.inspection.forget(leg)
        if not leg.deaf and (leg.held or leg.backlog or leg.saw_eof):
            leg.carry_on(leg.held)

    def _hang_up(self, leg: Leg) -> None:
        """Nothing more goes to this leg. FIN first, so that a CLOSE still in flight is not lost to a RST."""
        if leg.saw_eof:
            leg.transport.close()
        else:
            self._send_fin(leg)

    def _send_fin(self, leg: Leg) -> None:
        leg.ended = True
        if leg.transport.is_closing():
            return
        if leg.transport.can_write_eof():
            leg.transport.write_eof()
        else:
            leg.transport.close()  # TLS

    def _end_by(self, seconds: float) -> None:
        if not self.deadline:
            self.deadline = self.now() + seconds
            self.untaken = sum(leg.untaken() for leg in self.legs)

    def overdue(self, now: float) -> bool:
        """Whether the time to end is up. A peer that still takes what was sent before the end gets more of it:
        cutting it off would lose bytes that a direct connection delivers."""
        if not 0 < self.deadline < now:
            return False
        left = sum(leg.untaken() for leg in self.legs)
        if not 0 < left < self.untaken:
            return True
        self.untaken = left
        self.deadline = now + self.exchange.settings.close_timeout
        return False

    def fin(self, leg: Leg) -> None:
        """The other end of `leg` has sent FIN."""
        peer = leg.peer
        leg.parts, leg.message = None, None
        leg.deaf = leg.mute = True
        if not self.closed and not self.refused and not leg.ended:
            self.first = f"{leg.side.name.lower()} FIN"
        self._end_by(self.exchange.settings.close_timeout)
        if self.refused:
            leg.transport.close()
        elif leg.ended:  # not `peer.saw_eof`: the peer's FIN may stand behind a held message
            leg.transport.close()
            peer.transport.close()
        else:
            self._send_fin(peer)

    def lost(self, leg: Leg, exc: Exception | None) -> None:
        """The transport of `leg` is gone; `exc` tells RST and time-outs from an orderly end."""
        self.lost_legs += 1
        peer = leg.peer
        peer.mute = True  # there is nobody to write to
        if leg.held and exc is None and not self.refused and self.lost_legs == 1:
            leg.saw_eof = True  # TLS has no half-close: `fin` follows once the verdict on what it said is there
            return
        for gone in self.legs if self.lost_legs == len(self.legs) else (leg,):
            gone.deaf = True
            self._drop(gone)
        if self.lost_legs == len(self.legs):
            self.exchange.ended(self)
        elif exc is not None and not self.refused and not self.closed:
            self.first = f"{leg.side.name.lower()} RST"
            reset(peer.transport)
        elif not self.refused:
            peer.transport.close()  # flushes: a CLOSE that is still in the buffer arrives

    def abort_both(self) -> None:
        """End both TCP connections at once."""
        for leg in self.legs:
            reset(leg.transport)
