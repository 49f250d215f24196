"""Texts as whoever reads them may see them: folded for matching, with the way back to the original.

Values hide in full-width letters, other scripts' digits, letters that look alike, invisible characters between
two visible ones, HTML entities, percent-encoding and `bob [at] example [dot] com`. All of that is folded here;
base64 and hex are proxy/detect/encoded.py's matter, backslashes the codecs'. What is found in a folded text is
mapped back, and the original is rewritten. Nothing is found here, and no text is changed that goes anywhere.

Both look: folding can also break what stands in the original, so the original is always looked at too.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import lru_cache
from html.entities import html5
from operator import itemgetter

from proxy.detect import encoded
from proxy.detect.characters import (
    ALIKE_SCRIPTS,
    CONTROLS,
    DIACRITICS,
    DIGITS_ALIKE,
    FIRST,
    FOLDS,
    IGNORED,
    LETTERS_ALIKE,
    LONG,
    MARKS,
    SOFT,
    STRAIGHT,
    WIDE,
)

ROUNDS = 2
"""How often a text is folded: what `%2540` or `&amp;#64;` become must be read once more, and no further."""

_ALNUM = "0-9A-Za-z"
_UNSEEN = IGNORED + CONTROLS
# Letters of scripts in which no orthography has invisible characters; Arabic and Indian ones do.
_LETTERS = "\u00c0-\u02af\u0370-\u0482\u048a-\u052f\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_NEAR = rf"{_ALNUM}@._+:/()\-" + _LETTERS + WIDE + LONG + DIACRITICS
_HEX, _MORE = "[0-9a-fA-F]", "(?:%[89abAB][0-9a-fA-F])"
_SHY = rf"{_ALNUM}{WIDE}{LONG}"

# One alternative per trick, named by the empty group at its end. Each begins with a character that all of them
# share in one class (so that `re` can skip to it), and takes a run from its beginning: no text is read twice.
_ASCII_SITES = rf"""
      (?<=&)(?:\#(?:[0-9]{{1,12}}|[xX][0-9a-fA-F]{{1,12}});?|[A-Za-z][A-Za-z0-9]{{1,30}};)(?P<entity>)
    | (?<=%)(?:[0-7][0-9a-fA-F]|[cdCD]{_HEX}{_MORE}|[eE]{_HEX}{_MORE}{{2}}|[fF]{_HEX}{_MORE}{{3}})(?P<percent>)
    | (?<=%)u[0-9a-fA-F]{{4}}(?P<escape>)
    | (?<=[(\[{{])[ ]{{0,3}}(?:[aA][tT]|[dD][oO][tT]|@|\.)[ ]{{0,3}}[)\]}}][ ]{{0,3}}(?P<bracket>)
    | (?<=[{_UNSEEN}])(?:(?<=[{_NEAR}].)[{_UNSEEN}]*+(?=[{_NEAR} ])
        |(?<=[ ].)[{_UNSEEN}]*+(?=[{_NEAR}]))(?P<unseen>)
"""
_OTHER_SITES = rf"""
    (?<=[{WIDE}])[{WIDE}]*+(?P<straight>)
    | (?<=[{LONG}])(?P<long>)
    | (?<=[{SOFT}])(?:(?<=[{_SHY})].)|(?<=[0-9)][ ].))[{SOFT}]*+(?=[ ]?[{_SHY}(+\#])(?P<soft>)
    | (?:(?<=[{DIACRITICS}])|(?<=\ufe0f)\u20e3)[{DIACRITICS}]*+(?P<diacritic>)
    | (?<=[{MARKS}])(?<=[0-9].)[{MARKS}{_UNSEEN}]*+(?=[0-9])(?P<mark>)
    | (?<=[{ALIKE_SCRIPTS}])(?:(?<=[{_ALNUM}@].)[{ALIKE_SCRIPTS}]*+
        |(?<![{ALIKE_SCRIPTS}].)[{ALIKE_SCRIPTS}]*+(?=[{_ALNUM}@]))(?P<alike>)
    |
"""
_ASCII = re.compile(rf"[&%(\[{{{CONTROLS}](?:{_ASCII_SITES})", re.VERBOSE | re.DOTALL)
_ANY = re.compile(
    rf"[&%(\[{{{CONTROLS}{FIRST}{ALIKE_SCRIPTS}](?:{_OTHER_SITES}{_ASCII_SITES})", re.VERBOSE | re.DOTALL
)
# Whether there is anything to fold, in two looks, because letters of the other scripts are mostly just that.
_FOLDABLE = re.compile(
    rf"[&%(\[{{{CONTROLS}{FIRST}](?:{_OTHER_SITES}{_ASCII_SITES})", re.VERBOSE | re.DOTALL
).search
_MIXED = re.compile(rf"[{_ALNUM}@][{ALIKE_SCRIPTS}]|[{ALIKE_SCRIPTS}][{_ALNUM}@]").search

_VEILS = (
    r"&#[xX]?[0-9A-Fa-f]",
    r"&[A-Za-z][A-Za-z0-9]{1,30};",
    r"%(?:[0-7][0-9A-Fa-f]|[C-Fc-f][0-9A-Fa-f]%|u[0-9A-Fa-f]{4})",
    r"[(\[{] {0,3}(?:[aA][tT]|[dD][oO][tT]|@|\.) {0,3}[)\]}]",
    # whatever stands before a control character: so no class of letters keeps an engine busy in ASCII
    rf"[{CONTROLS}][{_NEAR} ]",
    rf"[{_NEAR} {CONTROLS}][{IGNORED}]+[{_NEAR} ]",
    rf"[{WIDE}{LONG}{DIACRITICS}]",
    rf"[{_SHY})] ?[{SOFT}]+ ?[{_SHY}(+#]",
    rf"[0-9][{MARKS}]",
    rf"[{_ALNUM}@][{ALIKE_SCRIPTS}]|[{ALIKE_SCRIPTS}][{_ALNUM}@]",
    *encoded.VEILS,
)
VEILS: tuple[str, ...] = tuple(f"(?-i:{veil})" for veil in _VEILS)
"""Triggers (recognizer.py says in which syntax) one of which hits every text for which `normalise` gives
something or `encoded.decoded` finds a run; they hit more than that. Without their case they would hit far more:
U+212A is a `K` then, and one word in five looks like base64."""

_begin = itemgetter(0)
_NAMED = {name[:-1]: value for name, value in html5.items() if name.endswith(";") and len(value) == 1}


class Shift:
    """Where one folded text and its original differ in length: `new[a:b]` was `old[c:d]`, from left to right."""

    __slots__ = ("_changes",)

    def __init__(self, changes: list[tuple[int, int, int, int]]) -> None:
        self._changes = changes  # (a, b, c, d)

    def start(self, at: int) -> int:
        """Where the character that begins at `at` began; what was removed before it is left out."""
        n = bisect_right(self._changes, at, key=_begin) - 1
        if n < 0:
            return at
        _, b, c, d = self._changes[n]
        return c if at < b else at - b + d

    def end(self, at: int) -> int:
        """Where the character that ends at `at` ended; what was removed after it is left out."""
        n = bisect_left(self._changes, at, key=_begin) - 1
        if n < 0:
            return at
        _, b, _, d = self._changes[n]
        return d if at <= b else at - b + d


class Normal:
    """A folded text; `span` leads back."""

    __slots__ = ("_shifts", "text")

    def __init__(self, text: str, shifts: tuple[Shift, ...]) -> None:
        self.text = text
        self._shifts = shifts  # of the last round first

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the original that holds all of `text[start:end]`, which is not empty."""
        for shift in self._shifts:
            start, end = shift.start(start), shift.end(end)
        return start, end


def normalise(text: str) -> Normal | None:
    """`text` folded, at most four times as long; None if there is nothing to fold. Takes linear time."""
    if text.isascii():
        if _ASCII.search(text) is None:
            return None
    elif _FOLDABLE(text) is None and _MIXED(text) is None:
        return None
    folded, shifts = text, []
    for _ in range(ROUNDS):
        again, shift = _round(folded)
        if again == folded:
            break
        folded = again
        shifts.append(shift)
    return Normal(folded, tuple(reversed(shifts))) if shifts else None


def _round(text: str) -> tuple[str, Shift]:
    parts: list[str] = []
    changes: list[tuple[int, int, int, int]] = []
    done = size = 0  # of `text`, and of its parts so far
    for match in (_ASCII if text.isascii() else _ANY).finditer(text):
        start, end = match.span()
        trick = match.lastgroup
        if trick == "alike":
            new = _alike(text, start, end)
        else:
            new = _TRICKS[trick](match[0])
            if trick == "bracket":
                while start > done and text[start - 1] == " ":
                    start -= 1
            elif trick == "diacritic" and start > done:
                start -= 1
                new = _compose(text[start:end])
        parts += (text[done:start], new)
        size += start - done
        if len(new) != end - start:
            changes.append((size, size + len(new), start, end))
        size += len(new)
        done = end
    parts.append(text[done:])
    return "".join(parts), Shift(changes)


def _compose(cluster: str) -> str:
    """A character with marks on it, as the letter that all of them make, if there is one, or without them."""
    composed = unicodedata.normalize("NFC", cluster) if len(cluster) <= 3 else cluster
    return composed if len(composed) == 1 else cluster[0]


def _alike(text: str, start: int, end: int) -> str:
    """A run of another script's letters that touches ours; as digits if it stands at one and before no letter."""
    run = text[start:end]
    letters = run.translate(LETTERS_ALIKE)
    before, after = text[start - 1 : start], text[end : end + 1]
    if not after.isalpha() and (before.isdecimal() or (after.isdecimal() and not before.isalpha())):
        digits = run.translate(DIGITS_ALIKE)
        return digits if digits.isascii() else letters
    return letters


def _char(code: int, spelling: str) -> str:
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return spelling
    return FOLDS.get(chr(code), chr(code))


@lru_cache(4096)
def _entity(spelling: str) -> str:
    name = spelling[1:].rstrip(";")
    if not name.startswith("#"):
        value = _NAMED.get(name)
        return spelling if value is None else FOLDS.get(value, value)
    return _char(int(name[2:], 16) if name[1] in "xX" else int(name[1:]), spelling)


@lru_cache(4096)
def _percent(spelling: str) -> str:
    try:
        char = bytes.fromhex(spelling.replace("%", "")).decode()
    except UnicodeDecodeError:
        return spelling
    return FOLDS.get(char, char) if len(char) == 1 else spelling


_TRICKS: dict[str | None, Callable[[str], str]] = {
    "entity": _entity,
    "percent": _percent,
    "escape": lambda spelling: _char(int(spelling[2:], 16), spelling),
    "bracket": lambda spelling: "@" if "@" in spelling or "a" in spelling.lower() else ".",
    "unseen": lambda _: "",
    "straight": lambda run: run.translate(STRAIGHT),
    "long": lambda char: FOLDS[char],
    "soft": lambda run: run.translate(STRAIGHT),
    "diacritic": lambda _: "",
    "mark": lambda _: "",
    "alike": lambda run: run,
}
