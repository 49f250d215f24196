"""Backslash escapes of a whole payload, decoded without knowing where its texts begin and end.

Only to see what could be hidden there: a value that a codec would offer decoded stands decoded in the result.
What is done about it goes by the codec's leaves, which know the way back.
"""

from __future__ import annotations

import re

MAX_DEPTH = 8
"""Levels of escaping that are read through, as many as the codecs read through."""

_SIMPLE = (
    (b"\\n", b"\n"),
    (b'\\"', b'"'),
    (b"\\/", b"/"),
    (b"\\t", b"\t"),
    (b"\\r", b"\r"),
    (b"\\b", b"\b"),
    (b"\\f", b"\f"),
)
_sign = re.compile(rb"\\([^\w\s])").sub  # leniently \@ \. and the like

_ESCAPE = re.compile(
    r"\\(?:([bfnrt])|(?:u([0-9a-fA-F]{4})|u\{0{0,8}(10[0-9a-fA-F]{4}|[0-9a-fA-F]{1,5})\}|x([0-9a-fA-F]{2}))|([^\w\s]))"
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LETTER, _SIGN = 1, 5


def unescaped(payload: bytes) -> bytes:
    """`payload` with all backslash escapes decoded, again and again if that makes new ones.

    As it is if it is not UTF-8.
    """
    if b"\\u" in payload or b"\\x" in payload or b"\\\\\\" in payload:
        return _thoroughly(payload)
    # What most messages have is line ends and quotes, in JSON or in JSON in JSON: no need for a regex.
    payload = payload.replace(b"\\\\", b"\\")
    for spelling, char in _SIMPLE:
        payload = payload.replace(spelling, char)
    return _sign(rb"\1", payload) if b"\\" in payload else payload


def _thoroughly(payload: bytes) -> bytes:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload
    for _ in range(MAX_DEPTH):
        text, escapes = _ESCAPE.subn(_char, text)
        if not escapes:
            break
        # two escapes may spell the halves of one character
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.encode()


def _char(match: re.Match[str]) -> str:
    kind = match.lastindex
    assert kind is not None
    found = match[kind]
    if kind == _LETTER:
        return _LETTERS[found]
    return found if kind == _SIGN else chr(int(found, 16))
