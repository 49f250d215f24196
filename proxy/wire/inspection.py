"""What a connection says, looked at: messages go to the lanes, and what control frames carry (controls.py) too.

No message is forwarded that this module did not return, and every failure in here is a Refusal, which closes
both sides (unless the route says on_error: pass, and then it is noted as a leak). How they are closed is
relay.py's matter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from proxy.core.action import CLEAN, LEAKED, UNSEEN, Action, Cause, Drop, Note, Refusal, Send
from proxy.core.lane import UnsettledError, refusal_of
from proxy.core.message import Kind
from proxy.wire.deflate import DeflateParams, deflate, inflate
from proxy.wire.pending import Pending

if TYPE_CHECKING:
    from proxy.core.lane import Lane
    from proxy.wire.exchange import Exchange
    from proxy.wire.leg import Leg
    from proxy.wire.relay import Relay

log = logging.getLogger("hushwire")

GATE_LIMIT = 64 * 1024  # bytes scanned on the loop: 0.2 ms; larger messages go to a worker unscanned
BINARY = Kind.BINARY  # 7 ns instead of 130: in Python 3.11 members of an Enum are looked up in Python
LEAKING = (Cause.PIPELINE, Cause.BUDGET)  # the only causes that a route may let pass: nothing was decided
DROPPED = bytes(bytearray(b"dropped"))
"""This object, not its content, is what a message becomes that a rule drops: an empty message is one too."""


class Inspection:
    """The looking of one connection. `relay` is told what must be refused."""

    __slots__ = (
        "always",
        "deflate",
        "every",
        "exchange",
        "live",
        "notes",
        "pending",
        "relay",
        "resting",
        "session",
        "spent",
        "turn",
    )

    def __init__(self, relay: Relay, exchange: Exchange, deflated: DeflateParams | None) -> None:
        self.relay = relay
        self.exchange = exchange
        self.live = exchange.live  # `.lanes` of the policy in force, by Direction
        self.session = relay.session
        self.notes = relay.notes
        self.every = exchange.journal is not None and exchange.journal.every  # clean messages are noted too
        self.always = self.every or exchange.settings.binary == "deny"
        self.deflate = deflated
        self.pending: list[Pending | None] = [None, None]  # by Side
        self.turn = exchange.turn
        self.spent = 0.0  # seconds of this turn of the loop
        self.resting: list[asyncio.Handle | None] = [None, None]  # by Side: goes on in the next turn

    def watched(self, leg: Leg) -> bool:
        """Whether anybody needs to look at what this leg sends."""
        return (self.live.lanes[leg.side].watches or self.always) and not leg.mute

    def inspect(self, leg: Leg, kind: Kind, payload: bytes, count: int) -> bytes | None:
        """What to forward instead of `payload`: itself when clean, None when the verdict comes later, DROPPED.

        `count` messages were forwarded in this turn that the leg has not counted yet. Raises Refusal, and nothing
        else, when the message must not be forwarded.
        """
        exchange = self.exchange
        lane, size = self.live.lanes[leg.side], len(payload)
        if kind is BINARY and exchange.settings.binary != "scan":
            if exchange.settings.binary == "deny":
                raise Refusal(Cause.BINARY)
            if self.every:
                self.notes.passes(leg, lane, kind, payload, count, UNSEEN)
            return payload
        if not lane.watches:  # it is only noted
            if self.every:
                self.notes.passes(leg, lane, kind, payload, count, UNSEEN)
            return payload
        since = 0.0
        try:
            if size <= GATE_LIMIT and lane.clear(kind, payload, self.session):
                if self.every:
                    self.notes.passes(leg, lane, kind, payload, count, CLEAN)
                return payload  # most traffic ends here
            since = perf_counter()
            number = leg.messages + leg.dropped + count + 1
            if size > exchange.settings.inline_bytes or lane.heavy:
                self._look_later(leg, lane, kind, payload, number, since)
                return None
            actions = lane.work(kind, payload, self.session)
            took = perf_counter() - since
            result = self._settled(leg, kind, actions, number, size, took)
        except Exception as error:
            number = leg.messages + leg.dropped + count + 1
            self._refuse_or_leak(leg, kind, payload, number, since, error)
            return payload
        self.spent += took
        exchange.tally.took(took)
        return result

    def inspect_deflated(self, leg: Leg, kind: Kind, payload: bytes, count: int) -> bytes | None:
        """Like `inspect`, for a compressed message: `payload` itself when clean, else the new text inflated."""
        inflated = inflate(payload, leg.limit)
        new = self.inspect(leg, kind, inflated, count)
        pending = self.pending[leg.side]
        if new is None and pending is not None:
            pending.compressed = True
        return payload if new is inflated else new

    def look_now(self, leg: Leg, kind: Kind, payload: bytes) -> bytes:
        """Like `inspect`, for something small that is no message (a control frame holds 125 bytes): never None."""
        since = perf_counter()
        try:
            actions = self.live.lanes[leg.side].prompt.work(kind, payload, self.session)
            took = perf_counter() - since
            result = self._settled(leg, kind, actions, 0, len(payload), took)
        except Exception as error:
            self._refuse_or_leak(leg, kind, payload, 0, since, error)
            return payload
        self.spent += took
        return result

    def squeeze(self, leg: Leg, payload: bytes) -> bytes | None:
        """`payload` deflated the way the other end of `leg` would have done it; None: send it plain."""
        return deflate(payload, self.deflate[leg.side]) if self.deflate is not None else None

    # -- what becomes of it, and who is told --------------------------------------------------------------

    def _settled(
        self, leg: Leg, kind: Kind, actions: Sequence[Action], number: int, size: int, took: float
    ) -> bytes:
        """What is sent on for a settled message of `size` bytes: the payload of its Send, or DROPPED. It is noted
        before that is known to anybody else. `number` is 0 for what is no message."""
        match actions:
            case [Send(_, payload)]:
                if self.every and number:
                    self.notes.clean(leg, self.live.lanes[leg.side], kind, number, size, payload, took)
                return payload
            case [Note() as note, Send(_, payload)]:
                self.notes.found(leg, note, number, size, payload, took)
                return payload
            case [Note() as note, Drop()]:
                self.notes.found(leg, note, number, size, None, took)
                return DROPPED
        raise Refusal(Cause.PIPELINE)  # a settled message has a Send or a Drop

    def _refusal(self, error: Exception) -> Refusal:
        if not isinstance(error, Refusal):
            # The type is all that may be said: the text of an exception can quote the message.
            why = error.why if isinstance(error, UnsettledError) else type(error).__name__
            log.error("session %s: %s in the pipeline", self.relay.name, why)
        return refusal_of(error)

    def _refuse_or_leak(
        self, leg: Leg, kind: Kind, payload: bytes, number: int, since: float, error: Exception
    ) -> None:
        """Raise the Refusal that follows from `error`; return only where the route says that what could not be
        inspected is forwarded as it is. That is noted before; what cannot even be noted is refused."""
        refusal = self._refusal(error)
        looked_at = isinstance(error, UnsettledError)
        if self.exchange.settings.on_error != "pass" or refusal.cause not in LEAKING or looked_at:
            raise refusal from None  # a cause may quote the payload
        lane = self.live.lanes[leg.side]
        note = Note(lane.direction, kind, LEAKED, refusal.cause, lane.policy.digest, ())
        took = perf_counter() - since if since else 0.0
        try:
            self.notes.found(leg, note, number, len(payload), payload, took)
        except Exception as full:
            raise self._refusal(full) from None
        log.error("session %s: a message was forwarded uninspected (on_error: pass)", self.relay.name)

    # -- messages whose verdict comes later ---------------------------------------------------------------

    def _look_later(self, leg: Leg, lane: Lane, kind: Kind, payload: bytes, number: int, since: float) -> None:
        exchange = self.exchange
        job = partial(lane.work, kind, payload, self.session)
        future = exchange.submit(job, self.relay.sid, len(payload))
        timer = exchange.loop.call_later(exchange.settings.inspect_timeout, self._overdue, leg)
        pending = self.pending[leg.side] = Pending(kind, payload, number, since, future, timer)
        future.add_done_callback(lambda future: exchange.post(self._verdict, leg, pending, future))

    def waits(self, leg: Leg, frames: Sequence[bytes]) -> None:
        """The frames in which the message came whose verdict `leg` is waiting for."""
        pending = self.pending[leg.side]
        assert pending is not None
        pending.frames = frames

    def _overdue(self, leg: Leg) -> None:
        pending = self.pending[leg.side]
        assert pending is not None  # its timer is cancelled with it
        self._unsettled(leg, pending, Refusal(Cause.BUDGET))

    def _verdict(self, leg: Leg, pending: Pending, future: Future[list[Action]]) -> None:
        if self.pending[leg.side] is not pending:
            return  # refused, timed out or lost in the meantime
        pending.timer.cancel()
        payload: bytes | None = None
        try:
            took = perf_counter() - pending.since
            payload = self._settled(leg, pending.kind, future.result(), pending.number, len(pending.payload), took)
            output = self._output(leg, pending, payload)
        except Exception as error:  # the one door: whatever failed, the message is not forwarded
            self._unsettled(leg, pending, error if payload is None else UnsettledError(type(error).__name__))
            return
        self.pending[leg.side] = None
        self.exchange.tally.took(took)
        leg.release(output)

    def _output(self, leg: Leg, pending: Pending, payload: bytes) -> bytes | None:
        """The frames for the verdict `payload`; None: nothing is sent."""
        if payload is pending.payload:
            return b"".join(pending.frames)
        return None if payload is DROPPED else leg.changed(pending.kind, payload, pending.compressed)

    def _unsettled(self, leg: Leg, pending: Pending, error: Exception) -> None:
        """There is no verdict on a held message."""
        try:
            self._refuse_or_leak(leg, pending.kind, pending.payload, pending.number, pending.since, error)
        except Refusal as refusal:
            self.relay.refuse(leg, refusal)
        else:
            self.pending[leg.side] = None
            pending.give_up()
            leg.release(b"".join(pending.frames))

    # -- a leg that rests, and one that ends --------------------------------------------------------------

    def rests(self, leg: Leg, reason: int, seconds: float) -> None:
        """Let `leg` carry on in the next turn of the loop or `seconds` later, unless it is forgotten by then."""
        loop = self.exchange.loop
        self.resting[leg.side] = (
            loop.call_later(seconds, leg.carry_on, reason) if seconds else loop.call_soon(leg.carry_on, reason)
        )

    def forget(self, leg: Leg) -> None:
        """No verdict on anything from this leg is waited for any more."""
        resting = self.resting[leg.side]
        if resting is not None:
            resting.cancel()
        pending = self.pending[leg.side]
        if pending is not None:
            self.pending[leg.side] = None
            pending.give_up()
