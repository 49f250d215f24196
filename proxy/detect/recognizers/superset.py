"""A regex of somebody else's -> a trigger for the gate: it hits in every text in which the regex matches.

Read with Python's own parser and printed again without what a trigger must not have: look-around, word borders and
anchors are left out, a back-reference becomes what its group may match, and what comes behind a repetition without
an end is cut off. So the trigger matches more than the regex, never less. No recognizer is known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from math import log2
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_WIDEST = 512
_CATEGORIES = {
    op.CATEGORY_DIGIT: (r"\d", 10),
    op.CATEGORY_NOT_DIGIT: (r"\D", 118),
    op.CATEGORY_SPACE: (r"\s", 6),
    op.CATEGORY_NOT_SPACE: (r"\S", 122),
    op.CATEGORY_WORD: (r"\w", 63),
    op.CATEGORY_NOT_WORD: (r"\W", 65),
}
# Without case, `regex` takes these for letters of ASCII.
_FOLDED = {"k": "\u212a", "s": "\u017f", "i": "\u0130\u0131"}


# What the module `regex` reads in another way than `re`: POSIX classes, fuzzy matches.
_other = re.compile(r"\[\[|\{[a-z]")


class Shape(NamedTuple):
    """What is known about a regex: a trigger, and how many characters it may take and look at behind its start."""

    trigger: str
    longest: int | None
    digits: bool
    """Whether all that it matches are digits."""
    bits: float
    """What its trigger says: 3.7 for a digit, 1 for a character of a word. Who says little hits everywhere."""


class _Part(NamedTuple):
    text: str
    cut: bool  # whether more may follow that is not printed
    bits: float


def shape(regex: str, flags: int) -> Shape | None:
    """The shape of `regex`; None if it cannot be read, or if its trigger would hit everywhere."""
    caseless = bool(flags & re.IGNORECASE)
    if _other.search(regex):
        return None
    try:
        parsed = _parser.parse(re.sub(r"\(\?i\)", "", regex), flags & (re.IGNORECASE | re.VERBOSE))
        printer = _Printer(caseless)
        part = printer.row(parsed)
        longest = int(parsed.getwidth()[1])
    except (re.error, LookupError, ValueError, OverflowError, RecursionError):
        return None
    if not part.text or "\\\\" in part.text or "\0" in part.text:
        return None
    text = part.text if caseless else f"(?-i:{part.text})"
    bounded = longest < _WIDEST and printer.ahead is not None
    return Shape(text, longest + (printer.ahead or 0) if bounded else None, printer.digits, part.bits)


class _Printer:
    """Prints one parsed regex; `ahead` is how far it looks beyond its match, None if that has no end."""

    def __init__(self, caseless: bool) -> None:
        self.caseless = caseless
        self.groups: dict[int, _Part] = {}
        self.ahead: int | None = 0
        self.digits = True

    def row(self, items: Iterable[tuple[Any, Any]]) -> _Part:
        out, bits = "", 0.0
        for code, value in items:
            part = self.one(code, value)
            out, bits = out + part.text, bits + part.bits
            if part.cut:
                return _Part(out, True, bits)
        return _Part(out, False, bits)

    def one(self, code: Any, value: Any) -> _Part:
        readers: dict[Any, Callable[[Any], _Part]] = {
            op.LITERAL: lambda char: self.members([(op.LITERAL, char)]),
            op.NOT_LITERAL: lambda char: self.members([(op.NEGATE, None), (op.LITERAL, char)]),
            op.IN: self.members,
            op.ANY: self.any,
            op.BRANCH: lambda both: self.branches([self.row(branch) for branch in both[1]]),
            op.SUBPATTERN: self.group,
            op.ATOMIC_GROUP: self.group,
            op.MAX_REPEAT: self.repeat,
            op.MIN_REPEAT: self.repeat,
            op.POSSESSIVE_REPEAT: self.repeat,
            op.AT: lambda _: _Part("", False, 0.0),
            op.ASSERT: self.looks,
            op.ASSERT_NOT: self.looks,
            op.GROUPREF: self.groups.__getitem__,
        }
        return readers[code](value)

    def any(self, _: Any) -> _Part:
        self.digits = False
        return _Part(".", False, 0.0)

    def members(self, items: Sequence[tuple[Any, Any]]) -> _Part:
        negated = items[0][0] is op.NEGATE
        inside, count = "", 0
        for code, value in items[negated:]:
            if code is op.CATEGORY:
                text, size = _CATEGORIES.get(value) or _unreadable()
            else:
                low, high = (value, value) if code is op.LITERAL else value
                text, size = self.characters(chr(low), chr(high))
            inside, count = inside + text, count + size
            self.digits &= (
                text == r"\d" or (code is not op.CATEGORY and low >= 48 and high <= 57)
            ) and not negated
        if items[0][0] is op.LITERAL and inside == _literal(chr(items[0][1])):
            return _Part(inside, False, log2(128 / max(count, 1)))
        size = 128 - count if negated else count
        return _Part(f"[{'^' * negated}{inside}]", False, log2(128 / min(max(size, 1), 128)))

    def characters(self, low: str, high: str) -> tuple[str, int]:
        """The inside of a class for a range, and how many characters of ASCII, of either case, it has."""
        if low == high:
            others = "".join({low.upper(), low.lower()} - {low}) if not low.isascii() and self.caseless else ""
            others += _FOLDED.get(low.lower(), "") if self.caseless else ""
            if len(others) > 3:
                _unreadable()
            return _literal(low) + others, 2 if low.isalpha() and self.caseless else 1
        folded = "".join(
            odd for char, odd in _FOLDED.items() if low <= char <= high or low <= char.upper() <= high
        )
        if self.caseless and high > "\x7f":
            folded += "\x80-\U0010ffff"
        size = max(0, min(ord(high), 127) - ord(low) + 1)
        letters = self.caseless and low.isalpha()
        return f"{_literal(low)}-{_literal(high)}" + (folded if self.caseless else ""), size * (
            2 if letters else 1
        )

    def branches(self, parts: list[_Part]) -> _Part:
        cut, bits = any(part.cut for part in parts), min(part.bits for part in parts)
        texts = dict.fromkeys(part.text for part in parts)
        if cut and "" in texts:
            return _Part("", True, 0.0)
        optional = "?" if "" in texts else ""
        texts.pop("", None)
        return _Part(f"(?:{'|'.join(texts)}){optional}" if texts else "", cut, 0.0 if optional else bits)

    def group(self, value: Any) -> _Part:
        number, added, removed, inner = value if isinstance(value, tuple) else (None, 0, 0, value)
        if removed or (added & re.IGNORECASE and not self.caseless):
            _unreadable()
        part = self.row(inner)
        part = part._replace(text=f"(?:{part.text})" if part.text else "")
        if number is not None:
            self.groups[number] = part
        return part

    def repeat(self, value: tuple[int, int, Any]) -> _Part:
        least, most, inner = value
        part = self.row(inner)
        if not part.text and not part.cut:
            return part
        if part.cut:
            return part if least else _Part("", True, 0.0)
        if most is op.MAXREPEAT or most * inner.getwidth()[1] > _WIDEST:
            return _Part(f"(?:{part.text}){{{least}}}" if least else "", True, least * part.bits)
        return _Part(f"(?:{part.text}){{{least},{most}}}", False, least * part.bits)

    def looks(self, value: tuple[int, Any]) -> _Part:
        direction, inner = value
        digits, self.digits = self.digits, True
        self.row(inner)  # for what it may hold that cannot be read
        self.digits = digits
        widest = int(inner.getwidth()[1])
        if direction > 0:
            self.ahead = None if self.ahead is None or widest > _WIDEST else max(self.ahead, widest)
        return _Part("", False, 0.0)


def _literal(char: str) -> str:
    return (
        char
        if char.isalnum() or not char.isascii()
        else {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(char, "\\" + char)
    )


def _unreadable() -> Any:
    raise ValueError("not to be printed as a trigger")
