"""Characters that stand for others: what each one folds to, and classes of them for regular expressions.

Made once, from the Unicode tables that Python carries, so nothing here is typed off a list of homographs but
the letters that merely look alike. How texts are folded is said in proxy/detect/normal.py.
"""

# ruff: noqa: RUF001 - letters that look alike are the subject

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Everything that folds to ASCII lies in these blocks; the rest are ideographs, Hangul and private use.
_BLOCKS = (range(0xA0, 0x3400), range(0xA620, 0xAC00), range(0xF900, 0x11E00), range(0x16A60, 0x16C00))
_ASTRAL = (range(0x1D400, 0x1D800), range(0x1E100, 0x1E960), range(0x1F100, 0x1F200), range(0x1FBF0, 0x1FBFA))
_CODES = [code for block in _BLOCKS + _ASTRAL for code in block]

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and the interlinear annotation marks.
IGNORED = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
CONTROLS = r"\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f"  # all but white space
# Marks that go on top of any script's letters (their Script is Inherited), enclosing keycaps among them.
DIACRITICS = "\u0300-\u034e\u0350-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
ALIKE_SCRIPTS = "\u0370-\u037d\u037f-\u0386\u0388-\u0482\u048a-\u052f\u0531-\u0588"  # Greek, Cyrillic, Armenian

_DASHES = (
    "\u058a\u05be\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2796\u30a0\u30fc\uff70\u02d7"
)
_DOTS = "\u00b7\u0387\u06d4\u0701\u0702\u2022\u2024\u2027\u2219\u22c5\u3002\u30fb\ua4f8\ufe52\uff0e\uff61\uff65"

_LATIN = (
    ("АВЕЅІЈКМНОРСТУҮХԌԚԜѴӀЬ", "ABESIJKMHOPCTYYXGQWVIb"),
    ("авеѕіјкмнорстуүхһԁԛԝѵӏьгп", "abesijkmhopctyyxhdqwvlbrn"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC"),
    ("αγεηικνορτυχωϲϳ", "ayenikvoptuxwcj"),
    ("օսոհց", "ounhg"),
)
LETTERS_ALIKE = str.maketrans("".join(theirs for theirs, _ in _LATIN), "".join(ours for _, ours in _LATIN))
DIGITS_ALIKE = str.maketrans("ОоΟοօЗзӠӡбІіӀӏΙιЧч", "000003333611111144")


def _fold(char: str) -> str:
    """The ASCII characters that `char` stands for, or itself."""
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", char)
    if not folded.isascii():
        return _LETTERED.get(char, char)
    # brackets and full stops that come with a number or letter ("⑽", "⒜") would only stand in the way
    return folded.strip("().") if len(folded) > 1 else folded


def _folds() -> dict[str, str]:
    found = {char: folded for char in map(chr, _CODES) if (folded := _fold(char)) != char}
    found |= dict.fromkeys("\u1680", " ") | dict.fromkeys(_DASHES, "-") | dict.fromkeys(_DOTS, ".")
    # What is longer and no letters or digits is only typography: "…", "‼".
    return {c: to for c, to in found.items() if len(to) == 1 or (len(to) <= 4 and to.isalnum() and c not in "™℠№")}


# White on black letters have no decomposition of their own.
_LETTERED = {chr(base + n): chr(ord("A") + n) for base in (0x1F150, 0x1F170) for n in range(26)}

FOLDS = _folds()
"""Character -> one to four ASCII characters."""

STRAIGHT = str.maketrans({char: to for char, to in FOLDS.items() if len(to) == 1})


def ranges(chars: Iterable[str]) -> str:
    """The inside of a class of `chars`, none of them ASCII, spelt as they are: every engine reads it so."""
    parts: list[list[int]] = []
    for code in sorted(map(ord, chars)):
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in parts)


def _telling(folded: str) -> bool:
    return folded.isalnum() or folded == "@"


WIDE = ranges(char for char, to in FOLDS.items() if len(to) == 1 and _telling(to))
"""One letter, digit or `@` each; wherever they stand, a value may be hidden."""

LONG = ranges(char for char, to in FOLDS.items() if len(to) > 1)
"""Ligatures and the like: several letters or digits each."""

SOFT = ranges(char for char, to in FOLDS.items() if len(to) == 1 and not _telling(to))
"""Spaces, dashes and punctuation: in prose they mean nothing, between letters and digits they hide."""

MARKS = ranges(char for char in map(chr, _CODES) if unicodedata.category(char) in ("Mn", "Me", "Mc"))
"""Combining marks of every script, which no number has."""

_BEYOND = "\U00010000-\U000e0fff"
FIRST = re.sub(f"[{_BEYOND}](?:-.)?", "", IGNORED + WIDE + LONG + SOFT + DIACRITICS + MARKS) + _BEYOND
"""Everything above. One range for what lies beyond the basic plane, where `re` compares range by range."""
