"""The hot path: bytes that one end of a connection sent, read as frames, and forwarded to the other end.

`Pump.pump` has one branch for what nearly all traffic is, a whole unfragmented text or binary frame, and leaves
everything else to `_frame`. An unchanged frame leaves as the bytes it came in (the client's own mask kept), and
all frames of one read leave in one write: in bursts that is 5 times cheaper than a write per frame. Nothing here
knows rules or closes.
"""

from __future__ import annotations

from websockets.speedups import apply_mask

from proxy.core.action import Cause, Refusal
from proxy.core.message import Kind
from proxy.wire.frames import CLOSE, FIN, MASKED, RSV1, forbidden
from proxy.wire.inspection import DROPPED
from proxy.wire.leg import Leg
from proxy.wire.unfinished import MAX_FRAGMENTS, Unfinished

# By opcode (1 or 2); indexing a tuple is 5 times cheaper than calling the enum.
KINDS = (Kind.TEXT, Kind.TEXT, Kind.BINARY)


class Pump(Leg):
    """A leg that reads."""

    __slots__ = ()

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

    # -- everything but whole unfragmented messages -------------------------------------------------------

    def _frame(self, data: bytes, pos: int) -> int:
        """One frame of any sort at `pos`. Returns where it ends; 0 if it is incomplete (`need` is set)."""
        first, second = data[pos], data[pos + 1]
        opcode, length, start = first & 0x0F, second & 0x7F, pos + 2
        if forbidden(first, second, self.mask_bit, self.rsv1, self.message is not None):
            raise Refusal(Cause.PROTOCOL)
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

    def _control(self, opcode: int, payload: bytes, raw: bytes) -> None:
        if opcode == CLOSE:
            if self.message is not None:  # it never became a message: nothing of it was looked at
                self.out.extend(self.message.take_controls())
                self.message = None
            self.relay.close_frame(self, payload, raw)
            return
        raw = self.relay.controls.ping(self, opcode, payload, raw)
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
