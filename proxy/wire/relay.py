"""The pair of legs of one connection: hands messages to the lanes, performs their actions, closes.

How a connection ends is told, case by case, in tests/wire/test_relay.py. Nothing is forwarded that
`inspect` did not return, and every failure inside it is a Refusal, which closes both sides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from time import perf_counter
from typing import TYPE_CHECKING

from proxy.core.action import Action, Cause, CloseSide, Note, Refusal, Send
from proxy.core.lane import refusal_of
from proxy.core.message import Close, Direction, Kind, Side
from proxy.wire.deflate import DeflateParams, deflate, inflate
from proxy.wire.frames import CLOSE, FIN, PING, build, close_payload, read_close
from proxy.wire.leg import Leg
from proxy.wire.reset import reset

if TYPE_CHECKING:
    from proxy.wire.exchange import Exchange

log = logging.getLogger("hushwire")

GATE_LIMIT = 64 * 1024  # bytes scanned on the loop: 0.2 ms; larger messages go to a worker unscanned
PINGS_KEPT = 8  # rewritten pings whose pongs may still come


class Pending:
    """One message that is being looked at in a worker, and what it takes to send it on."""

    __slots__ = ("compressed", "frames", "kind", "payload", "since", "timer")

    def __init__(self, kind: Kind, payload: bytes, since: float, timer: asyncio.TimerHandle) -> None:
        self.kind = kind
        self.payload = payload
        self.since = since
        self.timer = timer
        self.compressed = False
        self.frames: Sequence[bytes] = ()


class Relay:
    """One connection. Made by the door when both handshakes are done; lives until both transports are lost."""

    __slots__ = (
        "active",
        "born",
        "closed",
        "deadline",
        "deflate",
        "exchange",
        "first",
        "key",
        "legs",
        "lost_legs",
        "pending",
        "pings",
        "refused",
        "sid",
        "untaken",
        "watches",
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
        self.key = key  # under which the limits count this client
        self.deflate = deflated
        limit = exchange.settings.max_message
        self.legs = tuple(Leg(self, side, transports[side], limit, deflated is not None) for side in Side)
        self.legs[0].peer, self.legs[1].peer = self.legs[1], self.legs[0]
        self.watches = exchange.live  # `.wanted` of the policy in force, by Direction
        self.pending: list[Pending | None] = [None, None]
        self.closed = 0  # how many sides have sent CLOSE
        self.lost_legs = 0
        self.refused = False  # the proxy has closed both sides itself
        self.deadline = 0.0  # loop time at which whatever is left is aborted; 0: none
        self.untaken = 0  # bytes that the peers had not taken when the deadline was set
        self.active = True  # bytes came since the last sweep
        self.born = self.now()
        self.first = "lost"  # who ended it, for the log line
        self.pings: list[tuple[Side, bytes, bytes]] = []  # who sent it, as covered, as it was

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

    # -- looking at messages ------------------------------------------------------------------------------

    def watched(self, leg: Leg) -> bool:
        """Whether anybody needs to look at what this leg sends."""
        return (bool(self.watches.wanted[leg.side]) or self.exchange.denies_binary) and not leg.mute

    def inspect(self, leg: Leg, kind: Kind, payload: bytes) -> bytes | None:
        """What to forward instead of `payload`: itself when clean, None when the verdict comes later.

        Raises Refusal, and nothing else, when the message must not be forwarded.
        """
        exchange = self.exchange
        if kind is Kind.BINARY and exchange.settings.binary != "scan":
            if exchange.settings.binary == "deny":
                raise Refusal(Cause.BINARY)
            return payload
        lane, size = exchange.lanes[leg.side], len(payload)
        try:
            if size <= GATE_LIMIT and lane.clear(kind, payload, exchange.detector):
                return payload  # most traffic ends here
            since = perf_counter()
            if size > exchange.settings.inline_bytes:
                self._look_later(leg, kind, payload, since)
                return None
            result = self._send_of(lane.work(kind, payload, exchange.detector))
        except Exception as error:
            raise self._refusal(error) from None  # a cause may quote the payload
        exchange.tally.took(perf_counter() - since)
        return result

    def inspect_deflated(self, leg: Leg, kind: Kind, payload: bytes) -> bytes | None:
        """Like `inspect`, for a compressed message: `payload` itself when clean, else the new text inflated."""
        inflated = inflate(payload, leg.limit)
        new = self.inspect(leg, kind, inflated)
        pending = self.pending[leg.side]
        if new is None and pending is not None:
            pending.compressed = True
        return payload if new is inflated else new

    def squeeze(self, leg: Leg, payload: bytes) -> bytes | None:
        """`payload` deflated the way the other end of `leg` would have done it; None: send it plain."""
        return deflate(payload, self.deflate[leg.side]) if self.deflate is not None else None

    def _refusal(self, error: Exception) -> Refusal:
        if not isinstance(error, Refusal):
            # The type is all that may be said: the text of an exception can quote the message.
            log.error("session %d: %s in the pipeline; the message was refused", self.sid, type(error).__name__)
        return refusal_of(error)

    def _send_of(self, actions: Sequence[Action]) -> bytes:
        """Perform the notes, in order, and return the payload of the Send behind them."""
        for action in actions:
            match action:
                case Note():
                    self.exchange.sink(action)
                case Send():
                    return action.payload
                case CloseSide():
                    raise Refusal(Cause.PIPELINE)
        raise Refusal(Cause.PIPELINE)  # a settled message has a Send

    # -- messages whose verdict comes later ---------------------------------------------------------------

    def _look_later(self, leg: Leg, kind: Kind, payload: bytes, since: float) -> None:
        exchange = self.exchange
        lane = exchange.lanes[leg.side]
        future = exchange.submit(lambda: lane.work(kind, payload, exchange.detector))
        timer = exchange.loop.call_later(exchange.settings.inspect_timeout, self._overdue, leg)
        pending = self.pending[leg.side] = Pending(kind, payload, since, timer)
        future.add_done_callback(lambda future: exchange.post(self._verdict, leg, pending, future))

    def waits(self, leg: Leg, frames: Sequence[bytes]) -> None:
        """The frames in which the message came whose verdict `leg` is waiting for."""
        pending = self.pending[leg.side]
        assert pending is not None
        pending.frames = frames

    def _overdue(self, leg: Leg) -> None:
        self.pending[leg.side] = None
        self.refuse(leg, Refusal(Cause.BUDGET))

    def _verdict(self, leg: Leg, pending: Pending, future: Future[list[Action]]) -> None:
        if self.pending[leg.side] is not pending:
            return  # refused, timed out or lost in the meantime
        self.pending[leg.side] = None
        pending.timer.cancel()
        try:
            payload = self._send_of(future.result())
            unchanged = payload is pending.payload
            output = (
                b"".join(pending.frames) if unchanged else leg.changed(pending.kind, payload, pending.compressed)
            )
        except Exception as error:  # the one door: whatever failed, the message is not forwarded
            self.refuse(leg, self._refusal(error))
            return
        self.exchange.tally.took(perf_counter() - pending.since)
        leg.release(output)

    # -- control frames -----------------------------------------------------------------------------------

    def ping(self, leg: Leg, opcode: int, payload: bytes, raw: bytes) -> bytes:
        """The ping or pong to forward. Pings can carry text too, so a found value is covered with stars; the
        pong that answers such a ping gets the original back, or its sender would not recognise it."""
        if opcode != PING:
            for index, (side, covered, original) in enumerate(self.pings):
                if side is leg.peer.side and payload == covered:
                    del self.pings[index]
                    return leg.peer.spell(raw[0], original)
        if not payload or not self.watched(leg) or self._look_now(leg, Kind.BINARY, payload) is payload:
            return raw
        covered = b"*" * len(payload)
        if opcode == PING:
            self.pings = [*self.pings[1 - PINGS_KEPT :], (leg.side, covered, payload)]
        return leg.peer.spell(raw[0], covered)

    def _look_now(self, leg: Leg, kind: Kind, payload: bytes) -> bytes:
        """Inspect something small (a control frame holds 125 bytes) without waiting."""
        try:
            return self._send_of(self.exchange.lanes[leg.side].work(kind, payload, self.exchange.detector))
        except Exception as error:
            raise self._refusal(error) from None

    def close_frame(self, leg: Leg, payload: bytes, raw: bytes) -> None:
        """CLOSE from `leg`: pass it on behind everything sent before, and hear nothing more from there.

        Codes are passed on as they are, illegal ones too (as a byte tunnel would): the endpoint judges them.
        The reason is text and is looked at like any other.
        """
        try:
            code, reason = read_close(payload)
            reason.decode()
        except UnicodeDecodeError:
            raise Refusal(Cause.BAD_UTF8) from None
        except ValueError:
            raise Refusal(Cause.PROTOCOL) from None
        if reason and code is not None and self.watched(leg):
            new = self._look_now(leg, Kind.TEXT, reason)
            if new is not reason:
                raw = leg.peer.spell(FIN | CLOSE, close_payload(Close(code, new.decode())))
        if self.refused:
            leg.deaf = True
            self._hang_up(leg)  # its answer to the proxy's own CLOSE: swallowed, or two peers storm each other
            return
        leg.out.append(raw)
        leg.flush()
        leg.deaf = leg.mute = leg.peer.told = True
        self.closed += 1
        if self.closed == 1:
            self.first = f"{leg.side.name.lower()} {code if code is not None else 1005}"
        else:
            self._end_by(self.exchange.settings.close_timeout)

    # -- ending -------------------------------------------------------------------------------------------

    def refuse(self, leg: Leg, refusal: Refusal) -> None:
        """Close both sides because of what came from `leg`; nothing more is forwarded in either direction."""
        lane = self.exchange.lanes[Direction(leg.side)]
        actions = lane.refuse(refusal, Kind.TEXT)
        leg.deaf = True  # after a failure nobody knows where its next frame starts
        self._close_both(actions, refusal.cause)

    def end(self, cause: Cause) -> None:
        """Close both sides for a reason of the proxy's own (shutdown, timers)."""
        self._close_both(self.exchange.lanes[0].refuse(Refusal(cause), Kind.TEXT), cause)

    def _close_both(self, actions: Sequence[Action], cause: Cause) -> None:
        again, self.refused = self.refused, True
        if not again:
            if not self.closed:
                self.first = f"proxy {cause.value}"
            self._end_by(self.exchange.settings.close_timeout)
            for action in actions:
                match action:
                    case Note():
                        self._record(action)
                    case CloseSide(side, close):
                        self._send_close(self.legs[side], close)
        for leg in self.legs:  # only now: a leg may find its peer's answer behind a held message, and hang up
            self._drop(leg)
            leg.unblock(leg.blocked)  # its answer has to be read
            if leg.deaf:
                self._hang_up(leg)

    def _record(self, note: Note) -> None:
        """Note a refusal. Where even that fails the connection is closed all the same: nothing leaves."""
        try:
            self.exchange.sink(note)
        except Exception as error:
            log.error("session %d: %s while noting a refusal", self.sid, type(error).__name__)

    def _send_close(self, leg: Leg, close: Close) -> None:
        if leg.told or leg.ended or leg.transport.is_closing():
            return  # its peer's CLOSE or FIN was passed on already: a transport raises at a write behind FIN
        leg.told = True
        leg.transport.write(build(FIN | CLOSE, close_payload(close), masked=leg.side is Side.UPSTREAM))

    def _drop(self, leg: Leg) -> None:
        """Forget whatever of this leg was not forwarded yet."""
        leg.mute = True
        leg.message = None
        leg.out.clear()
        pending = self.pending[leg.side]
        if pending is not None:
            pending.timer.cancel()
            self.pending[leg.side] = None
        if leg.held and not leg.deaf:
            leg.carry_on()

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
