"""Backslash escapes: reading through them, finding the way back, and spelling new text between them.

One decoder serves JSON strings (RFC 8259 section 7) and text that only looks like JSON: what a strict
string can hold it reads like `json.loads`, and it reads what lenient parsers (JSON5, JavaScript) read, so
that `\\u0040` hides nothing in a document with a trailing comma. Every escape stands for one character.
Where strings begin and end is not known here.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from proxy.core.message import Edit, Leaf

MAX_DEPTH = 8
"""Levels of escaping that are read through. Spelling a quote at depth d takes up to 2**d characters."""

Place = Callable[[int], int]
"""A boundary between decoded characters -> the boundary in their spelling."""

_ESCAPE = re.compile(
    r"""\\(?: ([bfnrt])
            | u([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})  # a surrogate pair is one character
            | (?: u([0-9a-fA-F]{4})
                | u\{0{0,8}((?:10[0-9a-fA-F]{4}|[0-9a-fA-F]{1,5}))\}      # JavaScript
                | x([0-9a-fA-F]{2}) )
            | ([^\w\s]) )                                                 # \" \\ \/, and leniently \@ \.""",
    re.VERBOSE,
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PAIR, _SIGN = 2, 6  # groups of _ESCAPE

_MUST_ESCAPE = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def _char(match: re.Match[str]) -> str:
    kind = match.lastindex
    assert kind is not None
    found = match[kind]
    if kind == 1:
        return _LETTERS[found]
    if kind == _SIGN:
        return found
    if kind == _PAIR:
        return chr(0x10000 + ((int(found[:4], 16) & 0x3FF) << 10) + (int(found[6:], 16) & 0x3FF))
    return chr(int(found, 16))


def settle(text: str, depth: int) -> tuple[str, int]:
    """Decode again and again until no escape is left (or MAX_DEPTH); the text, and its depth then.

    Whoever reads the message may decode it more often than its syntax demands: JSON in a JSON string is
    common, and a double-encoded `bob\\\\u0040x.org` must be looked at as what it becomes.
    """
    while depth < MAX_DEPTH and "\\" in text:
        text, escapes = _ESCAPE.subn(_char, text)
        if not escapes:
            break
        depth += 1
    return text, depth


def offsets(spelling: str) -> Place:
    """From places in the text that `spelling` decodes to (one level) to places in `spelling`."""
    after, shift = array("q", [0]), array("q", [0])  # past each escape: decoded place, spelling ahead by
    ahead = 0
    for match in _ESCAPE.finditer(spelling):
        start, end = match.span()
        ahead += end - start - 1
        after.append(end - ahead)
        shift.append(ahead)
    return lambda place: place + shift[bisect_right(after, place) - 1]


def locate(spelling: str, leaf: Leaf) -> Place:
    """From places in `leaf.text` to places in `spelling`; ValueError if that does not spell the leaf."""
    if "\\" not in spelling and spelling == leaf.text:
        return _same
    text, maps = spelling, []
    for _ in range(leaf.depth):
        if "\\" not in text:
            break
        maps.append(offsets(text))
        text = _ESCAPE.sub(_char, text)
    if text != leaf.text:
        raise ValueError("the leaf is not from this payload")

    def place(at: int) -> int:
        for step in reversed(maps):
            at = step(at)
        return at

    return place


def _same(at: int) -> int:
    return at


def spell(text: str, depth: int) -> str:
    """Write `text` so that decoding it `depth` times gives it back.

    A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD at any depth: spelt as an escape it could
    join one that it comes to stand beside.
    """
    if text.isprintable() and '"' not in text and "\\" not in text:  # no controls, no surrogates
        return text
    text = _SURROGATE.sub("\ufffd", text)
    for _ in range(depth):
        text = _MUST_ESCAPE.sub(_escape, text)
    return text


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT.get(char) or f"\\u{ord(char):04x}"


def spots(edits: Sequence[Edit], spelling: Callable[[Leaf], str]) -> Iterator[tuple[Edit, int, int]]:
    """Each edit with the start and end of its span in `spelling(leaf)`; ValueError if one does not fit."""
    leaf: Leaf | None = None
    done = 0
    for edit in edits:
        if leaf is None or (edit.leaf is not leaf and edit.leaf != leaf):
            if leaf is not None and edit.leaf.start < leaf.end:
                raise ValueError("edits overlap or are out of order")
            leaf, done = edit.leaf, 0
            place = locate(spelling(leaf), leaf)
        if not done <= edit.start <= edit.end <= len(leaf.text):
            raise ValueError("edits overlap, are out of order, or reach outside their leaf")
        done = edit.end
        yield edit, place(edit.start), place(edit.end)


def splice(text: str, edits: Sequence[Edit]) -> str:
    """`text` with the edits spelt in, all else untouched. ValueError if an edit does not fit."""
    parts: list[str] = []
    done = 0
    for edit, start, end in spots(edits, lambda leaf: text[leaf.start : leaf.end]):
        base = edit.leaf.start
        parts += (text[done : base + start], spell(edit.text, edit.leaf.depth))
        done = base + end
    parts.append(text[done:])
    return "".join(parts)
