"""Where the strings and numbers of a JSON document stand. Nothing is decoded or built anew.

A hand-made loop over three regular expressions, each of which takes a whole member or element, instead of
a parser: offsets are what counts, and `json` does not tell them. No recursion, so no document is too deep.
"""

from __future__ import annotations

import json
import re

Span = tuple[str, int, int]
"""(path, start, end): the content of one string, between the quotes, or one number; see `is_number`."""

KEY_MARK = "~"
"""Ends the path of an object key: `$.user~` is the key, `$.user` its value."""

MAX_NESTING = 100_000  # deeper than any parser follows; bounds the memory that `[[[[...` can take
MIN_DIGITS = 3  # characters of a number that can be anybody's: the code of a card is the shortest
MAX_PATH = 200  # characters; past that a path starts anew with ELIDED, else deep nesting costs its square
MAX_STEP = 64
ELIDED = "$\N{HORIZONTAL ELLIPSIS}"

# RFC 8259, plus the NaN and Infinity that Python and JavaScript libraries emit. Possessive: no backtracking.
_WS = r"[ \t\n\r]*+"
_PLAIN = r'[^"\\\x00-\x1f]*+'
_STRING = rf'"({_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*+)"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+"
# Empty containers count as scalars: whatever is opened has a first member.
_SCALAR = rf"(?:({_NUMBER})|true|false|null|NaN|-?Infinity|\[{_WS}\]|\{{{_WS}\}})"


def _value(end: str) -> str:
    return rf"(?:{_STRING}{_WS}({end})|{_SCALAR}{_WS}({end})|([\[{{]))"


# Groups of all three, told apart by `lastindex`, the last group that took part in the match.
_KEY, _TEXT, _AFTER_TEXT, _DIGITS, _AFTER_SCALAR, _OPEN = 1, 2, 3, 4, 5, 6
_DOCUMENT = re.compile(rf"()\ufeff?{_WS}" + _value(r"\Z")).match
_MEMBER = re.compile(rf"{_WS}{_STRING}{_WS}:{_WS}" + _value(r"[,}]")).match
_ELEMENT = re.compile(rf"(){_WS}" + _value(r"[,\]]")).match
_AFTER_MEMBER = re.compile(rf"{_WS}[,}}]").match
_AFTER_ELEMENT = re.compile(rf"{_WS}[,\]]").match
_END = re.compile(rf"{_WS}\Z").match

_PLAIN_KEY = re.compile(r"[\w$@-]+").fullmatch
_IN_OBJECT = -1
_decode = json.JSONDecoder().raw_decode


def scan(text: str, root: str = "$") -> list[Span] | None:
    """Every object key, string and longer number of the JSON document `text`, in order; None if it is not one.

    Paths begin with `root` and go on like `.name`, `["odd name"]` and `[0]`; they serve people and rules
    and need not be unique (keys may repeat, and long paths lose their beginning).
    """
    found = _DOCUMENT(text)
    if found is None:
        return None
    if found.lastindex == _OPEN:
        return _walk(text, root, found.end())
    if found.lastindex == _AFTER_TEXT:
        return [(root, *found.span(_TEXT))]
    start, end = found.span(_DIGITS)
    return [(root, start, end)] if end - start >= MIN_DIGITS else []


def _walk(text: str, here: str, at: int) -> list[Span] | None:
    """The spans from inside the outermost container, whose bracket is the character before `at`, to the end."""
    spans: list[Span] = []
    outer: list[tuple[str, int]] = []  # the containers around this one
    index = _IN_OBJECT if text[at - 1] == "{" else 0
    while True:
        found = _MEMBER(text, at) if index == _IN_OBJECT else _ELEMENT(text, at)
        if found is None:
            return None
        kind, at = found.lastindex, found.end()
        if index == _IN_OBJECT:
            start, end = found.span(_KEY)
            path = here + step(text, start, end)
            spans.append((path + KEY_MARK, start, end))
        else:
            path = f"{here}[{index}]"
            index += 1
        if kind == _OPEN:
            if len(outer) == MAX_NESTING:
                return None
            outer.append((here, index))
            here = path if len(path) < MAX_PATH else ELIDED
            index = _IN_OBJECT if text[at - 1] == "{" else 0
            continue
        if kind == _AFTER_TEXT:
            spans.append((path, *found.span(_TEXT)))
        elif kind == _AFTER_SCALAR:
            start, end = found.span(_DIGITS)
            if end - start >= MIN_DIGITS:
                spans.append((path, start, end))
        while text[at - 1] != ",":  # a container was closed
            if not outer:
                return spans if _END(text, at) else None
            here, index = outer.pop()
            found = _AFTER_MEMBER(text, at) if index == _IN_OBJECT else _AFTER_ELEMENT(text, at)
            if found is None:
                return None
            at = found.end()


def is_number(text: str, start: int) -> bool:
    """Whether a span of `text` is a number: a string's begins behind a quote."""
    return not start or text[start - 1] != '"'


def string_at(text: str, start: int) -> str:
    """The decoded JSON string whose content begins at `start`. It is known to be valid."""
    decoded: str = _decode(text, start - 1)[0]
    return decoded


def step(text: str, start: int, end: int) -> str:
    key = text[start:end]
    if key.isidentifier() and len(key) <= MAX_STEP:
        return "." + key
    if "\\" in key:
        key = string_at(text, start)
    if len(key) > MAX_STEP:
        key = key[: MAX_STEP - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return "." + key if _PLAIN_KEY(key) else f"[{json.dumps(key)}]"
