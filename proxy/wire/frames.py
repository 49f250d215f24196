"""Frames of RFC 6455 section 5.2 as bytes: which may be, building them, and reading a CLOSE. No state, no sockets.

The parser itself is in pump.py: it is the hot path and works on offsets, not on frame objects.
"""

from __future__ import annotations

import os
import struct

from websockets.speedups import apply_mask

from proxy.core.message import Close

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
FIN, RSV1 = 0x80, 0x40
MASKED = 0x80

_POOL_SIZE = 4096
_pool = b""
_pool_at = 0


def fresh_mask() -> bytes:
    """Four unpredictable bytes (RFC 6455 section 5.3), from a pool: one getrandom call serves 1,024 frames."""
    global _pool, _pool_at  # noqa: PLW0603 - one pool per process; only the event loop draws from it
    if _pool_at >= len(_pool):
        _pool, _pool_at = os.urandom(_POOL_SIZE), 0
    mask = _pool[_pool_at : _pool_at + 4]
    _pool_at += 4
    return mask


def forbidden(first: int, second: int, mask_bit: int, rsv1: bool, inside: bool) -> bool:
    """Whether sections 5.2 to 5.5 forbid a frame with these first two bytes; `inside` a fragmented message,
    `rsv1` if permessage-deflate was agreed."""
    opcode, length = first & 0x0F, second & 0x7F
    control = opcode >= CLOSE
    return bool(
        second & MASKED != mask_bit
        or opcode not in OPCODES
        or first & 0x30
        or (first & RSV1 and (not rsv1 or opcode not in (TEXT, BINARY)))
        or (control and (length > 125 or not first & FIN))
        or (not control and (opcode == CONTINUATION) != inside)
    )


def build(first: int, payload: bytes, masked: bool) -> bytes:
    """One frame with first byte `first` (FIN, RSV and opcode) around `payload`."""
    size = len(payload)
    bit = MASKED if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    mask = fresh_mask()
    return head + mask + apply_mask(payload, mask)


def close_payload(close: Close) -> bytes:
    """The body of a CLOSE frame; a reason over 123 bytes is cut between characters."""
    if close.code is None:
        return b""
    reason = close.reason.encode()[:123].decode(errors="ignore").encode()
    return struct.pack("!H", close.code) + reason


def read_close(payload: bytes) -> tuple[int | None, bytes]:
    """Code and raw reason of a CLOSE body. Raises ValueError for a body of one byte (section 5.5.1)."""
    if not payload:
        return None, b""
    if len(payload) == 1:
        raise ValueError("a CLOSE frame has no body or at least two bytes")
    return int.from_bytes(payload[:2]), payload[2:]
