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

_BEYOND = r"\x{80}-\x{10ffff}"
_ASCII = "".join(map(chr, range(128)))
# ASCII of the categories: what any of Python's two engines takes, and what both take. They differ about U+001C.
_CATEGORIES = {
    letter: frozenset(re.findall(rf"\{letter}", _ASCII) + regex.findall(rf"\{letter}", _ASCII))
    for letter in "dDsSwW"
}
_IN_BOTH = {letter: frozenset(_ASCII) - _CATEGORIES[letter.swapcase()] for letter in "dDsSwW"}

_ESCAPE = r"\\(?:x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|.)"
_TOKEN = re.compile(rf"{_ESCAPE}|\[\^?|\(\?[a-zA-Z-]*[:)]?|\{{[0-9,]*\}}|.", re.DOTALL)
_MEMBER = re.compile(rf"({_ESCAPE}|.)(?:-({_ESCAPE}|[^\]]))?", re.DOTALL)
_NEVER = r"\xff"  # in no ASCII text
_META = frozenset("()|?*+^$.")
_CONTROLS = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\f": "\f", "\\v": "\v"}


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
    """`trigger` with cases and categories spelt out, for an engine that scans UTF-8 if `beyond_ascii`, else ASCII.

    Raises ValueError for what cannot be spelt: look-around, back-references, `\\b`, categories like `\\pL`.
    """
    out: list[str] = []
    caseless = [True]  # by depth of groups
    at = 0
    while token := _TOKEN.match(trigger, at):
        at, text = token.end(), token[0]
        if text.startswith("["):
            inside, at = _class(trigger, at, text == "[^", caseless[-1], beyond_ascii)
            out += (text, inside)
        elif text.startswith("("):
            if text not in ("(", "(?:", "(?i:", "(?-i:"):
                raise ValueError("a trigger has no groups but (...), (?:...), (?i:...) and (?-i:...)")
            caseless.append(caseless[-1] if text in ("(", "(?:") else text == "(?i:")
            out.append("(?:")
        elif len(text) == 2 and text[1] in _CATEGORIES:
            out.append(f"[{_ranges(_CATEGORIES[text[1]])}{_beyond(text[1]) if beyond_ascii else ''}]")
        elif caseless[-1] and text.isascii() and text.isalpha():
            out.append(f"[{text.upper()}{text.lower()}]")
        else:
            if text == ")" and len(caseless) > 1:
                caseless.pop()
            out.append(text if text in _META or text.startswith("{") else _literal(_char(text), beyond_ascii))
    return "".join(out)


def _class(trigger: str, at: int, negated: bool, caseless: bool, beyond_ascii: bool) -> tuple[str, int]:
    """The members of the class that begins at `at`, and where it ends. Excluded is only what is ASCII."""
    ascii_members: set[str] = set()
    others: list[str] = []
    first = True
    while member := _MEMBER.match(trigger, at):
        low, high = member.groups()
        if low == "]" and not first:
            if caseless:
                ascii_members |= {char.swapcase() for char in ascii_members}
            return (_ranges(ascii_members) + "".join(others) or _NEVER) + "]", at + 1
        at, first = member.end(), False
        if len(low) == 2 and low[1] in _CATEGORIES:
            if high:
                raise ValueError("a category is not the beginning of a range")
            ascii_members |= (_IN_BOTH if negated else _CATEGORIES)[low[1]]
            if beyond_ascii and not negated:
                others.append(_beyond(low[1]))
            continue
        start, end = ord(_char(low)), ord(_char(high or low))
        ascii_members.update(map(chr, range(start, min(end, 127) + 1)))
        if beyond_ascii and end > 127:
            others.append(f"{_hex(chr(max(start, 128)))}-{_hex(chr(end))}")
    raise ValueError("a class does not end")


def _char(token: str) -> str:
    """The character that a token stands for; ValueError if it stands for something else."""
    if len(token) == 1:
        return token
    if token in _CONTROLS:
        return _CONTROLS[token]
    if token[1] == "x":
        return chr(int(token[2:].strip("{}"), 16))
    if token[1].isalnum():
        raise ValueError("a trigger has no assertions, no references, and no categories but \\d, \\w and \\s")
    return token[1]


def _literal(char: str, beyond_ascii: bool) -> str:
    return _hex(char) if beyond_ascii or char.isascii() else _NEVER


def _hex(char: str) -> str:
    return rf"\x{{{ord(char):x}}}" if ord(char) > 127 else rf"\x{ord(char):02x}"


def _beyond(category: str) -> str:
    """What a category may take of characters beyond ASCII, or more."""
    return {"d": "", "s": _spaces()}.get(category, _BEYOND)


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
    """The inside of a class of `chars`."""
    parts: list[list[str]] = []
    for char in sorted(chars):
        if parts and ord(parts[-1][1]) == ord(char) - 1:
            parts[-1][1] = char
        else:
            parts.append([char, char])
    return "".join(f"{_hex(first)}-{_hex(last)}" for first, last in parts)
