"""Reading a connection cheaply: the HTTP head, the first message whole, and after that only a count.

Both ends of the load are made of this. What to do about what arrives is left to load.py.
"""

from __future__ import annotations

import asyncio
from typing import cast

from websockets.speedups import apply_mask

from benchmarks.cases import inflate

BUFFER = memoryview(bytearray(256 * 1024))  # shared: a read is dealt with before the next one starts


class Counter:
    """Counts the messages that end in a byte stream of frames; payload is skipped, not looked at."""

    __slots__ = ("closed", "ends", "head", "left")

    def __init__(self) -> None:
        self.left = 0  # payload bytes of the open frame still to come
        self.ends = 0  # 1 if the open frame ends a message
        self.head = b""  # the beginning of a header that was cut
        self.closed = False  # a CLOSE frame was seen

    def feed(self, data: bytes | memoryview) -> int:
        """Messages that are complete with `data`."""
        if self.head:
            data, self.head = self.head + bytes(data), b""
        pos, have = self.left, len(data)
        if pos > have:
            self.left = pos - have
            return 0
        done, self.ends, self.left = self.ends, 0, 0
        while have - pos >= 2:
            first, second = data[pos], data[pos + 1]
            size, start = second & 127, pos + 2
            if size > 125:
                wide = 2 if size == 126 else 8
                size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
            if second & 128:
                start += 4
            if start > have:
                break
            ends = int(first & 0x88 == 0x80)  # FIN, and not a control frame
            self.closed = self.closed or first & 15 == 8
            pos = start + size
            if pos > have:
                self.left, self.ends = pos - have, ends
                return done
            done += ends
        self.head = bytes(data[pos:])
        return done


def first_message(stream: bytes) -> bytes:
    """The payload of the first message in `stream`, joined, unmasked and inflated."""
    parts, pos, deflated = [], 0, False
    while True:
        first, second = stream[pos], stream[pos + 1]
        size, start = second & 127, pos + 2
        if size > 125:
            wide = 2 if size == 126 else 8
            size, start = int.from_bytes(stream[start : start + wide], "big"), start + wide
        mask, start = (stream[start : start + 4], start + 4) if second & 128 else (b"", start)
        pos = start + size
        if first & 8:
            continue
        deflated = deflated or bool(first & 0x40)
        parts.append(apply_mask(stream[start:pos], mask) if mask else stream[start:pos])
        if first & 0x80:
            whole = b"".join(parts)
            return inflate(whole) if deflated else whole


class End(asyncio.BufferedProtocol):
    """One end of a connection: HTTP head, then the first message, then counting."""

    def __init__(self) -> None:
        self.http: bytearray | None = bytearray()
        self.taste: bytearray | None = bytearray()
        self.counter = Counter()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def get_buffer(self, sizehint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self.feed(BUFFER[:nbytes])

    def feed(self, data: bytes | memoryview) -> None:
        if self.http is not None:
            self.http += data
            head, blank, rest = bytes(self.http).partition(b"\r\n\r\n")
            if not blank:
                return
            self.http = None
            self.on_head(head)
            data = rest
        if self.taste is not None:
            self.taste += data
        if done := self.counter.feed(data):
            if self.taste is not None:
                whole, self.taste = bytes(self.taste), None
                self.on_first(first_message(whole))
            self.on_messages(done)
        if self.counter.closed and not self.transport.is_closing():
            self.on_close()

    def on_head(self, head: bytes) -> None:
        raise NotImplementedError

    def on_first(self, payload: bytes) -> None:
        raise NotImplementedError

    def on_messages(self, count: int) -> None:
        raise NotImplementedError

    def on_close(self) -> None:
        raise NotImplementedError
