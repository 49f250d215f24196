"""Frames of RFC 6455 section 5.2 as bytes: build any frame, legal or not, and read any frame back.

The reader judges nothing: reserved bits and opcodes, wrong masks and wasteful lengths are what it is there
to report. Independent of proxy/wire on purpose, so that a fault there cannot hide itself here.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NAMES = {CONT: "cont", TEXT: "text", BINARY: "binary", CLOSE: "CLOSE", PING: "ping", PONG: "pong"}
MASK = bytes.fromhex("37fa213d")  # the key of the RFC's own examples (section 5.7)


class Frame(NamedTuple):
    """One frame as received. `width` is the size of the extended length: 0, 2 or 8 bytes."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    width: int
    payload: bytes

    def __str__(self) -> str:
        marks = [
            "" if self.fin else " more",
            f" rsv={self.rsv}" if self.rsv else "",
            "" if self.masked else " bare",
        ]
        shown = (
            repr(self.payload) if len(self.payload) <= 40 else f"{self.payload[:16]!r}.. {len(self.payload)} bytes"
        )
        return f"{NAMES.get(self.opcode, hex(self.opcode))}{''.join(marks)} w{self.width} {shown}"


def build(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = None,
    width: int | None = None,
) -> bytes:
    """The bytes of a frame; `width` None takes the shortest length encoding."""
    size = len(payload)
    if width is None:
        width = 0 if size < 126 else 2 if size < 65536 else 8
    length = {0: size, 2: 126, 8: 127}[width] | (0x80 if mask else 0)
    head = bytes([fin << 7 | rsv << 4 | opcode, length])
    extended = {0: b"", 2: struct.pack("!H", size & 0xFFFF), 8: struct.pack("!Q", size)}[width]
    return head + extended + (mask + xor(payload, mask) if mask else payload)


def parse(data: bytes | bytearray) -> tuple[Frame, int] | None:
    """The frame `data` begins with and the number of its bytes; None while it is incomplete."""
    if len(data) < 2:
        return None
    masked, short = bool(data[1] & 0x80), data[1] & 0x7F
    width = {126: 2, 127: 8}.get(short, 0)
    start = 2 + width + (4 if masked else 0)
    size = int.from_bytes(data[2 : 2 + width], "big") if width else short
    if len(data) < start + size or len(data) < start:
        return None
    payload = bytes(data[start : start + size])
    if masked:
        payload = xor(payload, bytes(data[start - 4 : start]))
    return Frame(bool(data[0] & 0x80), data[0] >> 4 & 7, data[0] & 15, masked, width, payload), start + size


def xor(payload: bytes, mask: bytes) -> bytes:
    """`payload` with the 4-byte `mask` laid over it (section 5.3); its own inverse."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def close(code: int | None = None, reason: str | bytes = b"") -> bytes:
    """The payload of a CLOSE frame; None is the empty one (section 5.5.1)."""
    text = reason.encode() if isinstance(reason, str) else reason
    return b"" if code is None else struct.pack("!H", code) + text
