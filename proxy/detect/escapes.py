"""Backslash escapes of a whole payload, decoded without knowing where its texts begin and end.

Only to see what could be hidden there: a value that a codec would offer decoded stands decoded in `unescaped`, and
a key in one of the `levels`. What is done about it goes by the codec's leaves, which know the way back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_DEPTH = 8
"""Levels of escaping that are read through, as many as the codecs read through."""

_SIMPLE = (
    (b"\\n", b"\n"),
    (b"\\/", b"/"),
    (b"\\t", b"\t"),
    (b"\\r", b"\r"),
    (b"\\b", b"\b"),
    (b"\\f", b"\f"),
)
_BACKSLASH, _QUOTE = ord("\\"), b'\\"'
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
    return _simply(payload.replace(b"\\\\", b"\\"), b'"')


def levels(payload: bytes, plain: bytes) -> Iterator[bytes]:
    """`payload` as the keys of its JSON are read, and of the JSON in its strings, one level of escapes at a time.

    A quote within a key would be taken for its end, so those that are escaped at a level are `_` there: a sign
    that parts words, as they do. As it is if it is not UTF-8. `plain` is what `unescaped` makes of it.
    """
    if _is_simple(payload):
        if _QUOTE in payload:
            yield _simply(payload, b"_")
        yield plain
        return
    for _ in range(MAX_DEPTH):
        yield _once(payload, "_")
        if _QUOTE not in payload and b"u0022" not in payload:
            return  # no string in here holds a key
        payload = _once(payload, '"')


def _once(payload: bytes, quote: str) -> bytes:
    """All escapes decoded, but not what they make; `quote` for one."""
    if _is_simple(payload):
        return _simply(payload, quote.encode())
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload
    return _whole(_ESCAPE.sub(lambda match: quote if (char := _char(match)) == '"' else char, text)).encode()


def _is_simple(payload: bytes) -> bool:
    return b"\\u" not in payload and b"\\x" not in payload and b"\\\\" not in payload


def _simply(payload: bytes, quote: bytes) -> bytes:
    """What most messages have is line ends and quotes, in JSON or in JSON in JSON: no need for a regex."""
    payload = payload.replace(_QUOTE, quote)
    for spelling, char in _SIMPLE:
        if _BACKSLASH not in payload:
            return payload
        payload = payload.replace(spelling, char)
    return _sign(rb"\1", payload)


def _thoroughly(payload: bytes) -> bytes:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload
    for _ in range(MAX_DEPTH):
        text, escapes = _ESCAPE.subn(_char, text)
        if not escapes:
            break
        text = _whole(text)
    return text.encode()


def _whole(text: str) -> str:
    """`text` without halves of characters, two of which escapes may have spelt one by one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _char(match: re.Match[str]) -> str:
    kind = match.lastindex
    assert kind is not None
    found = match[kind]
    if kind == _LETTER:
        return _LETTERS[found]
    return found if kind == _SIGN else chr(int(found, 16))
