"""Plain text: one leaf. Also what every text falls back to that is not what it seemed to be."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.codecs.escapes import settle, splice
from proxy.core.message import Edit, Leaf


def whole(text: str) -> Leaf:
    """All of `text` as one leaf, with its backslash escapes decoded.

    Almost-JSON (cut short, a trailing comma, `42["chat",{...}]`) is text here but not to its reader; read
    raw, `bob\\u0040x.org` would pass. Text that means its backslashes literally is merely looked at in
    another spelling, and kept as it is around what is found.
    """
    decoded, depth = settle(text, 0)
    return Leaf("", decoded, 0, len(text), depth)


class Text:
    """Text without structure. Offsets are characters of the payload decoded as UTF-8."""

    name = "text"
    rigid = False

    def read(self, payload: bytes, near: Sequence[int] | None = None) -> Sequence[Leaf]:  # noqa: ARG002
        """One leaf, which is near everything. Raises UnicodeDecodeError."""
        return (whole(payload.decode()),)

    def write(self, payload: bytes, edits: Sequence[Edit]) -> bytes:
        """Splice; JSON texts are written by this too. Raises ValueError if an edit does not fit."""
        return splice(payload.decode(), edits).encode() if edits else payload
