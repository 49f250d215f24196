"""JSON by offsets: leaves are the strings and numbers where they stand, and writing splices there.

Never parse and dump: number formats, key order, duplicate keys, white space and the spelling of every
other character stay as they are. Keys are leaves too (a key can be an e-mail address).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from proxy.codecs.escapes import MAX_DEPTH, Place, offsets, settle
from proxy.codecs.nearby import touched
from proxy.codecs.scan import Span, is_number, scan, string_at
from proxy.codecs.text import Text, whole
from proxy.core.message import Leaf

_CONTINUE = bytes(range(0x80, 0xC0))  # bytes of UTF-8 that begin no character
_OPENS = re.compile(r"\ufeff?[ \t\n\r]*[\[{]").match


class Json(Text):
    """JSON text (RFC 8259); text that is not valid JSON is read as plain text, whole."""

    name = "json"

    def read(self, payload: bytes, near: Sequence[int] | None = None) -> Sequence[Leaf]:
        """A leaf for every key (its path ends with `~`), string and longer number. Raises UnicodeDecodeError.

        A string that holds a JSON object or array is not a leaf; the strings in there are, one level
        deeper, as if they stood in the outer document: `$.body.email`. Which ones are `near` is said in nearby.py.
        """
        text = payload.decode()
        spans = None if near is None else touched(text, _characters(payload, text, near))
        if spans is None:
            spans = scan(text)
        if spans is None:
            return (whole(text),)
        if "\\" not in text:
            return [
                Leaf(path, text[start:end], start, end, 0, True)
                if is_number(text, start)
                else Leaf(path, text[start:end], start, end, 1)
                for path, start, end in spans
            ]
        leaves: list[Leaf] = []
        _collect(leaves, text, spans, 1, _same)
        return leaves


def _characters(payload: bytes, text: str, places: Sequence[int]) -> Sequence[int]:
    """Places in bytes as places in characters. One within a character counts as behind it."""
    if len(text) == len(payload):
        return places
    found: list[int] = []
    at = characters = 0
    for place in sorted(places):
        # every character has one byte that does not continue another one
        characters += len(payload[at:place].translate(None, _CONTINUE))
        at = place
        found.append(characters)
    return found


def _collect(leaves: list[Leaf], text: str, spans: list[Span], depth: int, place: Place) -> None:
    """Append the leaves of one document; `place` leads from `text` back to the payload."""
    for path, start, end in spans:
        value = text[start:end]
        if is_number(text, start):
            leaves.append(Leaf(path, value, place(start), place(end), depth - 1, True))
        elif "\\" in value:
            decoded = string_at(text, start)
            # Without a string in it, "[4111111111111111]" is more use as a text than as a bare number.
            inner = scan(decoded, path) if depth < MAX_DEPTH and _OPENS(decoded) else None
            if inner and not all(is_number(decoded, at) for _, at, _ in inner):
                _collect(leaves, decoded, inner, depth + 1, partial(_through, place, start, offsets(value)))
                continue
            decoded, levels = settle(decoded, depth)
            leaves.append(Leaf(path, decoded, place(start), place(end), levels))
        else:
            leaves.append(Leaf(path, value, place(start), place(end), depth))


def _through(outer: Place, start: int, inner: Place, at: int) -> int:
    return outer(start + inner(at))


def _same(at: int) -> int:
    return at
