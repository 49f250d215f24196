"""permessage-deflate (RFC 7692): negotiating it, looking inside, and spelling a changed message.

Both legs run without context takeover in either direction, so every message stands alone: a clean one is
inflated to be looked at and its compressed bytes are forwarded untouched (a 16 KiB message costs 1/18 of
inflating and deflating it anew), and one that is rewritten disturbs none after it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from websockets.exceptions import InvalidHeader
from websockets.headers import build_extension, parse_extension
from websockets.typing import ExtensionName

from proxy.core.action import Cause, Refusal

NAME = "permessage-deflate"
TAIL = b"\x00\x00\xff\xff"  # section 7.2.1: cut from the end of each message, put back to inflate it
FINAL = b"\x01\x00\x00\xff\xff"  # an empty last block: shows that the message ended between two blocks
MAX_STREAMS = 16  # zlib streams in one message: compressors end none, and each costs a copy of all that follows
NO_TAKEOVER = ("server_no_context_takeover", "client_no_context_takeover")


def offer(values: Sequence[bytes]) -> str | None:
    """The Sec-WebSocket-Extensions header to send upstream for a client's; None for none.

    Offers of other extensions are left out (nobody here could look inside), and each offer of this one asks
    for no context takeover in both directions (section 7.1.1).
    """
    parsed = [_without_takeover(params) for params in _parse(values)]
    return build_extension([(ExtensionName(NAME), params) for params in parsed]) if parsed else None


def answer(values: Sequence[bytes]) -> tuple[str, DeflateParams] | None:
    """The header to answer the client with for an upstream's, and what was agreed; None for no extension.

    Raises ValueError if the upstream agreed to something that was not offered to it.
    """
    agreed = _parse(values, strict=True)
    if not agreed:
        return None
    if len(agreed) > 1:
        raise ValueError("the upstream accepted permessage-deflate twice")
    params = agreed[0]
    names = [name for name, _ in params]
    if "server_no_context_takeover" not in names:  # it MUST echo this (section 7.1.1.1)
        raise ValueError("the upstream accepted permessage-deflate but not server_no_context_takeover")
    header = build_extension([(ExtensionName(NAME), _without_takeover(params))])
    bits = {
        name: int(value) for name, value in params if value is not None and value.isascii() and value.isdigit()
    }
    agreed_bits = (bits.get("client_max_window_bits", 15), bits.get("server_max_window_bits", 15))
    if not all(8 <= b <= 15 for b in agreed_bits):
        raise ValueError("the upstream agreed to a window size that RFC 7692 does not know")
    return header, agreed_bits


Param = tuple[str, str | None]
DeflateParams = tuple[int, int]
"""Window bits of what the client sends and of what the upstream sends (indexed by Direction)."""


def _parse(values: Sequence[bytes], strict: bool = False) -> list[list[Param]]:
    found: list[list[Param]] = []
    for value in values:
        try:
            headers = parse_extension(value.decode("latin-1"))
        except InvalidHeader as error:
            if strict:
                raise ValueError("the upstream sent a malformed Sec-WebSocket-Extensions header") from error
            continue  # a malformed offer is no offer; the handshake goes on without the extension
        for name, params in headers:
            if name == NAME:
                found.append(list(params))
            elif strict:
                raise ValueError(f"the upstream accepted the extension {name!s}, which was not offered")
    return found


def _without_takeover(params: Sequence[Param]) -> list[Param]:
    have = {name for name, _ in params}
    return [*params, *((name, None) for name in NO_TAKEOVER if name not in have)]


def inflate(payload: bytes, limit: int) -> bytes:
    """The message inside `payload`. Raises Refusal TOO_BIG over `limit` bytes (bombs stop there), or DEFLATE.

    The inflater is new for each message (no context takeover) and never shared: one sender's window must not
    be readable by another's back-references.
    """
    end = TAIL + FINAL
    rest = payload + end
    pieces: list[bytes] = []
    size = 0
    for _ in range(MAX_STREAMS):
        inflater = zlib.decompressobj(wbits=-15)  # the largest window reads what any smaller one wrote
        try:
            piece = inflater.decompress(rest, limit - size + 1)
        except zlib.error:
            raise Refusal(Cause.DEFLATE) from None
        size += len(piece)
        if size > limit:
            raise Refusal(Cause.TOO_BIG)
        if not inflater.eof:
            # Inside a block where the message ends: a peer that keeps its context would read the next message
            # as the rest of this block, and so see a text that nobody here has looked at.
            raise Refusal(Cause.DEFLATE)
        pieces.append(piece)
        rest = inflater.unused_data
        if rest in (b"", end):  # behind a block with BFINAL, which ends zlib's stream, not the message (7.2.3.4)
            return b"".join(pieces) if len(pieces) > 1 else pieces[0]
    raise Refusal(Cause.DEFLATE)


_deflaters: dict[int, zlib._Compress] = {}


def deflate(payload: bytes, bits: int) -> bytes | None:
    """`payload` compressed as one message; None where `bits` is 8, which zlib cannot do: send it plain.

    One compressor per window size for the whole process: Z_FULL_FLUSH forgets everything before it, so no
    message can refer to another one's text (3.7 us, against 12 for a new compressor each time).
    """
    if bits == 8:
        return None
    # Taken out while it works: one that fails half-way would hold this text back for the next message.
    deflater = _deflaters.pop(bits, None) or zlib.compressobj(level=6, wbits=-bits, memLevel=8)
    data = deflater.compress(payload) + deflater.flush(zlib.Z_FULL_FLUSH)
    if not data.endswith(TAIL):
        raise Refusal(Cause.PIPELINE)
    _deflaters[bits] = deflater
    return data[: -len(TAIL)] or b"\x00"
