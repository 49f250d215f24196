"""A leg whose other end may send only so many messages a second: the rest waits, and then its socket.

A bucket of tokens: one a message, refilled steadily, never more than a second's worth. Where it is empty the leg
reads no further and TCP slows the sender down; nothing is lost and nobody is closed. Legs without a limit are
plain ones, so that their hot path knows nothing of this.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.core.message import Side
from proxy.wire.frames import CLOSE
from proxy.wire.leg import PACED
from proxy.wire.pump import Pump

if TYPE_CHECKING:
    from proxy.wire.relay import Relay

LEAST = 0.02  # seconds to wait at least: what has been read is copied at every turn


class PacedLeg(Pump):
    """`rate` is in messages per second. Frames inside a message, pings, pongs and CLOSE cost nothing."""

    __slots__ = ("early", "filled", "rate", "tokens")

    def __init__(self, relay: Relay, side: Side, transport: asyncio.Transport, limit: int, rsv1: bool) -> None:
        super().__init__(relay, side, transport, limit, rsv1)
        self.rate = relay.exchange.settings.max_rate
        self.tokens = max(1.0, self.rate)
        self.filled = relay.born
        self.early = False  # something was read before its time, and waits

    def pump(self, data: bytes) -> None:
        """Read as many messages of `data` as there are tokens for; the others in a while."""
        if self.mute:  # nothing of it is forwarded: it is only read for its CLOSE
            super().pump(data)
            return
        now = self.relay.now()
        self.tokens = min(max(1.0, self.rate), self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        messages, size = affordable(data, int(self.tokens))
        self.tokens -= messages
        if size:
            super().pump(data if size == len(data) else data[:size])
        else:
            self.flush()  # what was let go a moment ago does not wait for what comes behind it
        if self.held:
            self.tokens += affordable(b"".join(self.backlog), messages)[0]  # paid for, and not read yet
        if size == len(data) or self.deaf or self.mute:
            return
        if self.held:  # somebody looks at the last one: this comes behind whatever waits for that already
            self._queue(data[size:])
        else:
            self.early = True
            self.rest(data[size:], max(LEAST, (1 - self.tokens) / self.rate))
            self.block(PACED)

    def carry_on(self, reason: int) -> None:
        """Read on where it stopped."""
        self.relay.active = True  # it is the proxy that lets it wait
        self.early = False
        super().carry_on(reason)
        if not self.early:
            self.unblock(PACED)


def affordable(data: bytes, messages: int) -> tuple[int, int]:
    """How many messages begin whole in `data`, at most `messages`, and where the first one too many begins.

    Frames are taken at their word here; what is wrong with them is found when they are read.
    """
    begun = pos = 0
    size = len(data)
    while size - pos >= 2:
        opcode, length = data[pos] & 0x0F, data[pos + 1] & 0x7F
        start = pos + 2
        if length >= 126:
            extra = 2 if length == 126 else 8
            length = int.from_bytes(data[start : start + extra])
            start += extra
        end = start + (4 if data[pos + 1] & 0x80 else 0) + length
        if end > size:
            break
        if 0 < opcode < CLOSE:
            if begun == messages:
                return begun, pos
            begun += 1
        pos = end
    return begun, size
