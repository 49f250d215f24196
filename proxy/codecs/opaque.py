"""Binary whose format is not known: runs of printable ASCII, as strings(1) finds them, rewritten in place.

A format we cannot see may carry lengths, offsets or checksums, so no byte moves: new text is cut or padded
to the bytes of the old. Runs are ASCII only: a letter beyond it is indistinguishable from a MessagePack
header between two strings (C3 A5 is "å", or `true` and a string of five), and headers must not be
overwritten. So of `jörg@x.org` only `rg@x.org` is seen here; formats with a codec of their own do better.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy.codecs.escapes import settle, spots
from proxy.core.message import Edit, Leaf

# The second kind is UTF-16: every other byte is zero. It fits either byte order.
_RUN = re.compile(rb"[\t -~]{6,}|[\t -~](?:\x00[\t -~]){5,}")
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")  # all but printable ASCII, and `"` and `\`, which would need escapes
FILL = "*"


class Opaque:
    """Binary without known structure. Offsets are bytes."""

    name = "opaque"
    rigid = True

    def read(self, payload: bytes, near: Sequence[int] | None = None) -> Sequence[Leaf]:  # noqa: ARG002
        """A leaf for each run of at least six printable ASCII characters (also as UTF-16), escapes decoded."""
        leaves = []
        for match in _RUN.finditer(payload):
            start, end = match.span()
            text, depth = settle(_spelling(payload, start, end), 0)
            leaves.append(Leaf("", text, start, end, depth))
        return leaves

    def write(self, payload: bytes, edits: Sequence[Edit]) -> bytes:
        """Overwrite; the length stays, and what is not plain ASCII becomes `*`. ValueError if an edit is amiss."""
        if not edits:
            return payload
        out = bytearray(payload)
        for edit, first, last in spots(edits, lambda leaf: _spelling(payload, leaf.start, leaf.end)):
            start, stride = edit.leaf.start, _stride(payload, edit.leaf.start)
            out[start + first * stride : start + last * stride : stride] = _fit(edit.text, last - first)
        return bytes(out)


def _spelling(payload: bytes, start: int, end: int) -> str:
    return payload[start : end : _stride(payload, start)].decode("ascii")


def _stride(payload: bytes, start: int) -> int:
    return 1 if payload[start + 1] else 2


def _fit(text: str, size: int) -> bytes:
    return _UNSAFE.sub(FILL, text)[:size].ljust(size, FILL).encode("ascii")
