"""One end of a proxied connection after the handshake: bytes in, frames out of them, bytes to the other leg.

This is the hot path. `pump` has one branch for what nearly all traffic is, a whole unfragmented text or
binary frame, and leaves everything else to `_frame`. An unchanged frame leaves as the bytes it came in (the
client's own mask kept), and all frames of one read leave in one write: in bursts that is 5 times cheaper
than a write per frame. What a frame means is decided by the relay; nothing here knows rules or closes.
"""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from typing import TYPE_CHECKING

from websockets.speedups import apply_mask

from proxy.core.action import Cause, Refusal
from proxy.core.message import Kind, Side
from proxy.wire.frames import BINARY, CLOSE, CONTINUATION, FIN, MASKED, PING, PONG, RSV1, TEXT, build
from proxy.wire.inspection import DROPPED

if TYPE_CHECKING:
    from proxy.wire.relay import Relay

# By opcode (1 or 2); indexing a tuple is 5 times cheaper than calling the enum.
KINDS = (Kind.TEXT, Kind.TEXT, Kind.BINARY)

PEER_FULL, HELD_FULL, PACED = 1, 2, 4
"""Why a leg is not reading: its peer's write buffer is full, too much waits behind a held message, or it is too
early (pace.py)."""

VERDICT, REST, LOG = 1, 2, 4
"""Why a leg is held: a message is being looked at elsewhere, it is not its turn (or too early), or the audit log
has not taken down yet what is to leave. What comes in meanwhile waits in `backlog`, in order."""

HELD_LIMIT = 256 * 1024  # bytes queued behind a held message before the leg stops reading
MAX_FRAGMENTS = 65_536  # of one message that is kept to be looked at: empty ones cost memory and add up to nothing


class Unfinished:
    """A message whose frames are still coming (or, under rules that look at nothing, passing through)."""

    __slots__ = ("compressed", "controls", "frames", "kind", "pieces", "size", "watched")

    def __init__(self, kind: Kind, compressed: bool, watched: bool) -> None:
        self.kind = kind
        self.compressed = compressed
        self.watched = watched
        self.frames: list[bytes] = []  # as received, control frames among them where they stood
        self.controls: list[int] = []  # which of `frames` are control frames
        self.pieces: list[bytes] = []
        self.size = 0

    def take_controls(self) -> list[bytes]:
        """Remove the control frames among the fragments and return them in order."""
        taken = [self.frames[index] for index in self.controls]
        for index in reversed(self.controls):
            del self.frames[index]
        self.controls = []
        return taken


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

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self.relay.active = True
        self.bytes += len(data)
        if self.deaf:
            return
        if self.held:
            self._queue(data)
            return
        if self.parts is not None:
            self.parts.append(data)
            self.have += len(data)
            if self.have < self.need:
                return
            data = b"".join(self.parts)
            self.parts = None
        self.pump(data)

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

    # -- the hot path -------------------------------------------------------------------------------------

    def pump(self, data: bytes) -> None:  # noqa: PLR0912, PLR0915 - one function: a call costs 60 ns a frame
        """Parse `data`, which starts at a frame, and forward what the relay lets through, in one write."""
        size = len(data)
        pos = sent = count = 0  # data[sent:pos] is unchanged and not yet in `out`
        mask_bit, inspection, out = self.mask_bit, self.inspection, self.out
        watched = inspection.watched(self)
        inspection.spent = 0.0
        self.need = 0
        if not out:
            self.sure = self.messages
        try:
            while size - pos >= 2:
                first, second = data[pos], data[pos + 1]
                length = second & 0x7F
                start = pos + 2
                if (first == 0x81 or first == 0x82) and second & MASKED == mask_bit and length != 127:  # noqa: PLR1714
                    if self.message is not None:
                        raise Refusal(Cause.PROTOCOL)  # a new message inside a fragmented one (section 5.4)
                    if length == 126:
                        if size - start < 2:
                            break
                        length = data[start] << 8 | data[start + 1]
                        start += 2
                        if length < 126:
                            raise Refusal(Cause.PROTOCOL)  # section 5.2: the minimal number of bytes
                    body = start + 4 if mask_bit else start
                    end = body + length
                    if length > self.limit:
                        raise Refusal(Cause.TOO_BIG)
                    if end > size:
                        self.need = end - pos
                        break
                    if watched:
                        payload = data[body:end]
                        if mask_bit:
                            payload = apply_mask(payload, data[start:body])
                        new = inspection.inspect(self, KINDS[first & 3], payload, count)
                        if new is not payload:
                            out.append(data[sent:pos])
                            sent = end
                            if new is None:  # held: it comes back through `release`
                                self.hold([data[pos:end]], data[end:])
                                pos = end
                                break
                            if new is DROPPED:
                                count -= 1
                                self.dropped += 1
                            else:
                                out.append(self.peer.spell(first, new))
                    count += 1
                    pos = end
                    if watched and inspection.spent > inspection.turn and pos < size:
                        self.rest(data[pos:])
                        break
                else:
                    if pos > sent:
                        out.append(data[sent:pos])
                        sent = pos
                    self._count(count)  # before a CLOSE makes this leg mute
                    count = 0
                    if self.unlogged and first & 0x0F == CLOSE:
                        break  # nothing waits behind it: it is read when the log has what goes before
                    end = self._frame(data, pos)
                    if not end:
                        break
                    pos = sent = end
                    if self.deaf:
                        return
                    if self.held:
                        self._queue(data[end:])
                        break
                    if inspection.spent > inspection.turn and pos < size:
                        self.rest(data[pos:])
                        break
        except Refusal as refusal:
            out.append(data[sent:pos])  # what was good before it still goes
            if self.message is not None:
                out.extend(self.message.take_controls())
            self._count(count)
            self.settle()
            self.relay.refuse(self, refusal)
            return
        self._count(count)
        if pos < size and not self.held:
            rest = data[pos:] if pos else data
            self.parts, self.have = [rest], size - pos
            if self.need <= self.have:
                self.need = self.have + 1  # not even the header is whole
        if self.message is not None and self.message.controls:
            out.extend(self.message.take_controls())  # do not let a ping wait for the rest of a message
        if pos > sent:
            if not out and not self.mute and not self.unlogged:
                self.peer.transport.write(data if pos == size and not sent else data[sent:pos])
                return
            out.append(data[sent:pos])
        if out:
            self.flush()

    def _count(self, messages: int) -> None:
        if not self.mute:
            self.messages += messages

    def flush(self) -> None:
        """Write what is waiting in `out` to the peer, once the log has what was noted about it."""
        if (self.unlogged or self.held & LOG) and not self.mute:
            self._await_log()
            return
        out, self.out[:] = b"".join(self.out), []
        self.awaited = 0
        if out and not self.mute:
            self.peer.transport.write(out)

    def spell(self, first: int, payload: bytes) -> bytes:
        """A frame to send on this leg: masked if the other end is a server."""
        return build(first, payload, masked=not self.mask_bit)

    # -- everything else ----------------------------------------------------------------------------------

    def _frame(self, data: bytes, pos: int) -> int:
        """One frame of any sort at `pos`. Returns where it ends; 0 if it is incomplete (`need` is set)."""
        first, second = data[pos], data[pos + 1]
        opcode, length, start = first & 0x0F, second & 0x7F, pos + 2
        self._check(first, second, opcode, length)
        extra = 2 if length == 126 else 8 if length == 127 else 0
        if extra:
            if len(data) - start < extra:
                self.need = start + extra - pos
                return 0
            length = int.from_bytes(data[start : start + extra])
            if length < (126 if extra == 2 else 65536) or length >> 63:
                raise Refusal(Cause.PROTOCOL)
            start += extra
        if length + (self.message.size if self.message is not None and opcode < CLOSE else 0) > self.limit:
            raise Refusal(Cause.TOO_BIG)
        body = start + 4 if self.mask_bit else start
        end = body + length
        if end > len(data):
            self.need = end - pos
            return 0
        payload = data[body:end]
        if self.mask_bit:
            payload = apply_mask(payload, data[start:body])
        raw = data[pos:end]
        if opcode >= CLOSE:
            self._control(opcode, payload, raw)
        else:
            self._fragment(first, payload, raw)
        return end

    def _check(self, first: int, second: int, opcode: int, length: int) -> None:
        """What section 5.2 to 5.5 forbid, by the first two bytes."""
        control = opcode >= CLOSE
        bad = (
            second & MASKED != self.mask_bit
            or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG)
            or first & 0x30
            or (first & RSV1 and (not self.rsv1 or opcode not in (TEXT, BINARY)))
            or (control and (length > 125 or not first & FIN))
            or (not control and (opcode == CONTINUATION) != (self.message is not None))
        )
        if bad:
            raise Refusal(Cause.PROTOCOL)

    def _control(self, opcode: int, payload: bytes, raw: bytes) -> None:
        if opcode == CLOSE:
            if self.message is not None:  # it never became a message: nothing of it was looked at
                self.out.extend(self.message.take_controls())
                self.message = None
            self.relay.close_frame(self, payload, raw)
            return
        raw = self.inspection.ping(self, opcode, payload, raw)
        if self.message is not None and self.message.watched:
            self.message.controls.append(len(self.message.frames))
            self.message.frames.append(raw)
        else:
            self.out.append(raw)

    def _fragment(self, first: int, payload: bytes, raw: bytes) -> None:
        message = self.message
        if message is None:
            kind = KINDS[first & 3]
            message = self.message = Unfinished(kind, bool(first & RSV1), self.inspection.watched(self))
        message.size += len(payload)
        if message.watched:
            message.frames.append(raw)
            message.pieces.append(payload)
            if len(message.pieces) > MAX_FRAGMENTS:
                raise Refusal(Cause.TOO_BIG)
        else:
            self.out.append(raw)
        if first & FIN:
            self.message = None
            if message.watched:
                self._whole(message)
            else:
                self._count(1)

    def _whole(self, message: Unfinished) -> None:
        """All frames of a message are here: have it looked at, and forward them as they came if it is clean."""
        payload = message.pieces[0] if len(message.pieces) == 1 else b"".join(message.pieces)
        inspect = self.inspection.inspect_deflated if message.compressed else self.inspection.inspect
        new = inspect(self, message.kind, payload, 0)
        if new is payload:
            self.out.extend(message.frames)
            self._count(1)
            return
        self.out.extend(message.take_controls())
        if new is None:
            self.hold(message.frames, b"")
            return
        if new is DROPPED:
            self.dropped += 1
            return
        self.out.append(self.changed(message.kind, new, message.compressed))
        self._count(1)

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
        self.inspection.wait(self)

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
            if not self.inspection.committed():
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
