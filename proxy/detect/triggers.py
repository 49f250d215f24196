"""Triggers as written (recognizer.py says how) -> as a gate compiles them, for ASCII texts and for all others.

The engines disagree about what `\\d`, `\\w`, `\\s` and "caselessly" mean beyond ASCII, and each has its own
Unicode tables. So these are spelt out here, once: every character beyond ASCII may be a word character and may
be none, and digits beyond ASCII make everybody look. That matches more than was written, never less.
No engine is known here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache

import regex

WIDEST = 1024
"""Characters. A trigger that can match more than this does not say where it matched: see `width`."""

WIDEST = 1024
"""Characters. A trigger that can match more than this does not say where it matched: see `width`."""

_BEYOND = r"\x{80}-\x{10ffff}"
# ASCII of the categories. Python's `\s` takes more of it than PCRE's or RE2's.
_MEMBERS = {
    "w": "0-9A-Za-z_",
    "W": r"\x00-/:-@\[-^\x60{-\x7f",
    "d": "0-9",
    "D": r"\x00-/:-\x7f",
    "s": r"\t-\r\x1c-\x20",
    "S": r"\x00-\x08\x0e-\x1b!-\x7f",
}
# What `regex` and `re` take for these letters when case does not count, besides the other case.
_ALIKE = {"i": r"\x{130}\x{131}", "k": r"\x{212a}", "s": r"\x{17f}"}
_ALL_ALIKE = "".join(_ALIKE.values())

_ESCAPE = r"\\(?:x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|.)"
_TOKEN = re.compile(rf"{_ESCAPE}|\[\^?|\(\?[a-zA-Z-]*[:)]?|\{{[0-9,]*\}}|.", re.DOTALL)
_MEMBER = re.compile(rf"{_ESCAPE}|.", re.DOTALL)


def width(trigger: str) -> int | None:
    """The most characters that `trigger` can match; None if that is unbounded, over WIDEST, or not to be told."""
    # `re` has no public way to ask; its parser has been there since Python 2 and moved once, in 3.11
    try:
        from re import _parser  # type: ignore[attr-defined]  # noqa: PLC0415

        widest = int(_parser.parse(trigger, re.IGNORECASE).getwidth()[1])
    except (re.error, OverflowError):
        return None
    return widest if widest <= WIDEST else None


def spelt(trigger: str, beyond_ascii: bool) -> str:
    """`trigger` with its categories spelt out, for an engine that scans UTF-8 if `beyond_ascii`, else ASCII.

    Raises ValueError for what cannot be spelt: look-around, back-references, `\\b`, categories like `\\pL`.
    """
    out: list[str] = []
    at = 0
    while token := _TOKEN.match(trigger, at):
        at, text = token.end(), token[0]
        if text.startswith("["):
            inside, at = _class(trigger, at, beyond_ascii, text == "[^")
            out += (text, inside)
        elif text.startswith("(?") and text not in ("(?:", "(?i:", "(?-i:"):
            raise ValueError("a trigger has no groups but (...), (?:...), (?i:...) and (?-i:...)")
        elif beyond_ascii and text.lower() in _ALIKE:
            out.append(f"[{text}{_ALIKE[text.lower()]}]")
        elif category := _category(text, beyond_ascii):
            out.append(f"[{category}]")
        else:
            out.append(text)
    return "".join(out)


def _class(trigger: str, at: int, beyond_ascii: bool, negated: bool) -> tuple[str, int]:
    """The members of the class that begins at `at`, and where it ends. Excluded is only what is ASCII."""
    out: list[str] = []
    letters = False
    while member := _MEMBER.match(trigger, at):
        at, text = member.end(), member[0]
        if text == "]" and out:
            if beyond_ascii and letters and not negated:
                out.append(_ALL_ALIKE)
            return "".join(out) + "]", at
        letters = letters or text.isalpha()
        category = _category(text, beyond_ascii and not negated)
        out.append(category or ("\\" + text if text in "[]" else text))
    raise ValueError("a class does not end")


def _category(token: str, beyond_ascii: bool) -> str | None:
    """The members of a category, None if `token` is something else; ValueError if it is nothing for a trigger."""
    if len(token) != 2 or token[0] != "\\" or not token[1].isalnum() or token[1] in "tnrfv":
        return None
    if token[1] not in _MEMBERS:
        raise ValueError("a trigger has no assertions, no references, and no categories but \\d, \\w and \\s")
    if not beyond_ascii:
        return _MEMBERS[token[1]]
    return _MEMBERS[token[1]] + {"d": "", "s": _spaces()}.get(token[1], _BEYOND)


@cache
def odd_digits() -> str:
    """A class of all digits beyond ASCII. In every `\\d` it would be too much for an engine, so it is a trigger
    of its own, for everybody."""
    digit = regex.compile(r"\d")  # with a newer table than Python's own
    return f"[{_ranges(char for char in map(chr, range(0x80, sys.maxunicode + 1)) if digit.match(char))}]"


@cache
def _spaces() -> str:
    return _ranges(char for char in map(chr, range(0x80, sys.maxunicode + 1)) if char.isspace())


def _ranges(chars: Iterable[str]) -> str:
    parts: list[list[int]] = []
    for code in map(ord, chars):
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in parts)
