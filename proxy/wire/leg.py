"""One end of a proxied connection after the handshake: what it holds back, and what it writes to the other one.

A leg is held while a message of it is looked at elsewhere, while it is not its turn, and while the audit log has
not taken down what is to leave: whatever comes in meanwhile waits, in order, and TCP slows the sender down. How
bytes become messages is pump.py's matter; what they mean is decided by the relay.
"""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from abc import abstractmethod
from typing import TYPE_CHECKING

from proxy.core.action import Cause, Refusal
from proxy.core.message import Kind, Side
from proxy.wire.frames import FIN, MASKED, RSV1, build

if TYPE_CHECKING:
    from proxy.wire.relay import Relay
    from proxy.wire.unfinished import Unfinished

PEER_FULL, HELD_FULL, PACED = 1, 2, 4
"""Why a leg is not reading: its peer's write buffer is full, too much waits behind a held message, or it is too
early (pace.py)."""

VERDICT, REST, LOG = 1, 2, 4
"""Why a leg is held: a message is being looked at elsewhere, it is not its turn (or too early), or the audit log
has not taken down yet what is to leave. What comes in meanwhile waits in `backlog`, in order."""

HELD_LIMIT = 256 * 1024  # bytes queued behind a held message before the leg stops reading


class Leg(asyncio.Protocol):
    """The protocol of one transport once frames flow. `relay` decides, `peer` is the leg across."""

    __slots__ = (
        "awaited",
        "backlog",
        "blocked",
        "bytes",
        "deaf",
        "dropped",
        "ended",
        "have",
        "held",
        "inspection",
        "limit",
        "mask_bit",
        "message",
        "messages",
        "mute",
        "need",
        "out",
        "parts",
        "peer",
        "relay",
        "rsv1",
        "saw_eof",
        "side",
        "stall_size",
        "stalled",
        "sure",
        "told",
        "transport",
        "unlogged",
    )

    def __init__(self, relay: Relay, side: Side, transport: asyncio.Transport, limit: int, rsv1: bool) -> None:
        self.relay = relay
        self.inspection = relay.inspection
        self.side = side
        self.transport = transport
        self.limit = limit  # bytes of one message
        self.rsv1 = rsv1  # permessage-deflate was agreed
        self.mask_bit = MASKED if side is Side.CLIENT else 0  # section 5.1: clients mask, servers must not
        self.peer: Leg = self  # set by the relay as soon as both exist
        self.parts: list[bytes] | None = None  # an incomplete frame
        self.have = 0
        self.need = 0
        self.message: Unfinished | None = None
        self.out: list[bytes] = []
        self.held = 0  # for what reasons
        self.backlog: list[bytes] = []
        self.mute = False  # nothing from this leg is forwarded any more; frames are read only to find its CLOSE
        self.deaf = False  # its CLOSE was read, or its framing is lost: whatever still comes is discarded
        self.told = False  # CLOSE was sent on this leg
        self.ended = False  # FIN was sent on this leg: nothing can be written to it any more
        self.blocked = 0
        self.saw_eof = False
        self.stalled = 0.0  # loop time at which `untaken` was last seen to shrink; 0: the buffer is not full
        self.stall_size = 0  # what it was then
        self.messages = 0  # forwarded, or about to be
        self.dropped = 0
        self.sure = 0  # `messages` when `out` was last empty: those have left
        self.unlogged = 0  # notes of what is in `out` since the log was last waited for
        self.awaited = 0  # and those before, for which it is waited
        self.bytes = 0

    @abstractmethod
    def pump(self, data: bytes) -> None:
        """Read `data`, which starts at a frame, and forward what the relay lets through."""

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def eof_received(self) -> bool:
        self.saw_eof = True
        if not self.held:
            self.relay.fin(self)
        return self.transport.can_write_eof()  # TCP half-close: the other direction stays open; TLS has none

    def connection_lost(self, exc: Exception | None) -> None:
        self.relay.lost(self, exc)

    def pause_writing(self) -> None:
        self.stalled = self.relay.now()
        self.stall_size = self.untaken()
        self.peer.block(PEER_FULL)

    def resume_writing(self) -> None:
        self.stalled = 0.0
        self.peer.unblock(PEER_FULL)

    def untaken(self) -> int:
        """Bytes written here that the other end has not acknowledged, those in the kernel included."""
        here = self.transport.get_write_buffer_size()
        sock = self.transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return here  # lost
        in_kernel = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
        return here + int.from_bytes(in_kernel, sys.byteorder)

    # -- reading pauses while any reason for it holds -----------------------------------------------------

    def block(self, reason: int) -> None:
        """Stop reading for `reason`."""
        if not self.blocked and not self.saw_eof and not self.transport.is_closing():
            self.transport.pause_reading()
        self.blocked |= reason

    def unblock(self, reason: int) -> None:
        """`reason` is gone; read again if it was the last."""
        if reason and self.blocked == reason and not self.saw_eof and not self.transport.is_closing():
            self.transport.resume_reading()
        self.blocked &= ~reason

    def _queue(self, data: bytes) -> None:
        self.backlog.append(data)
        self.have += len(data)
        if self.have > HELD_LIMIT:
            self.block(HELD_FULL)

    # -- writing ------------------------------------------------------------------------------------------

    def _count(self, messages: int) -> None:
        if not self.mute:
            self.messages += messages

    def flush(self) -> None:
        """Write what is waiting in `out` to the peer, once the log has what was noted about it."""
        if (self.unlogged or self.held & LOG) and not self.mute:
            self._await_log()
            return
        out, self.out[:] = b"".join(self.out), []
        self.awaited = self.unlogged = 0
        if out and not self.mute:
            self.peer.transport.write(out)

    def spell(self, first: int, payload: bytes) -> bytes:
        """A frame to send on this leg: masked if the other end is a server."""
        return build(first, payload, masked=not self.mask_bit)

    def changed(self, kind: Kind, payload: bytes, compressed: bool) -> bytes:
        """The one frame in which a rewritten message goes to the peer, compressed if it came so."""
        if compressed:
            squeezed = self.inspection.squeeze(self, payload)
            if squeezed is not None:
                return self.peer.spell(FIN | RSV1 | kind, squeezed)
        return self.peer.spell(FIN | kind, payload)

    # -- holding ------------------------------------------------------------------------------------------

    def hold(self, frames: list[bytes], rest: bytes) -> None:
        """Wait for the verdict on a message that came as `frames`; `rest` was read behind it."""
        self.held |= VERDICT
        self.inspection.waits(self, frames)
        self.backlog = [rest] if rest else []
        self.have = len(rest)

    def rest(self, unread: bytes, seconds: float = 0.0) -> None:
        """Read `unread` in the next turn of the loop, or later: 256 KiB of the costliest text take ten seconds to
        look at, and everybody else would wait for them."""
        self.held |= REST
        self.inspection.rests(self, REST, seconds)
        self.backlog, self.have = [unread], len(unread)

    def release(self, output: bytes | None) -> None:
        """The verdict is there: send `output` (None: nothing), then go on with what came in meanwhile."""
        if output is None:
            self.dropped += 1
        else:
            if not self.out:
                self.sure = self.messages
            self._count(1)
            self.out.append(output)
        self.carry_on(VERDICT)

    def carry_on(self, reason: int) -> None:
        """`reason` is no reason any more to hold this leg."""
        self.held &= ~reason
        if not self.held:
            self._go_on()

    def _go_on(self) -> None:
        """Read what waited while this leg was held."""
        data = b"".join(self.backlog)
        self.backlog, self.have = [], 0
        if data and not self.deaf:
            self.pump(data)
        else:
            self.flush()
        if not self.held or self.have <= HELD_LIMIT:
            self.unblock(HELD_FULL)
        if self.saw_eof and not self.held:
            self.relay.fin(self)

    # -- the audit log (core.plugs.Waiting) ---------------------------------------------------------------

    def _await_log(self) -> None:
        if self.held & LOG:
            return  # what was noted since is waited for next
        self.awaited += self.unlogged
        self.unlogged = 0
        self.held |= LOG
        if self.parts is not None:  # they wait like everything else that is not read yet
            self.backlog, self.parts = self.parts, None
        self.relay.notes.wait(self)

    def written(self) -> None:
        """The log has what was noted before the waiting began: let it go, unless more was noted since."""
        if self.held & LOG:  # else the connection has ended meanwhile
            self.held &= ~LOG
            self.flush()
            if not self.held:
                self._go_on()

    def unwritten(self) -> None:
        """The log could not take it."""
        if self.held & LOG:
            self.relay.refuse(self, Refusal(Cause.AUDIT))

    def settle(self) -> None:
        """The connection ends: send what is good and waits for nothing but the log, which has to take it now (in
        the durability `synced` everybody waits for the disk; that is rare). If it cannot, nothing is sent."""
        if self.unlogged or self.held & LOG:
            if not self.relay.notes.committed():
                self.lose()
                return
            self.unlogged = 0
            self.held &= ~LOG
        self.flush()

    def lose(self) -> None:
        """Forget what was not sent yet, also if the log already says that it was."""
        if self.unlogged or self.awaited:
            self.relay.lost_messages += self.unlogged + self.awaited
            self.messages = self.sure
        self.unlogged = self.awaited = 0
        self.held &= ~LOG
        self.out.clear()
