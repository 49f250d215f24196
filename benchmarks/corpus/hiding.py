"""The tricks by which a value hides within one message: other characters for the same value, or other spellings.

Each trick is a function of the value's text; `fits` says for which values it makes sense. Places that hide (keys,
arrays, numbers, JSON in JSON) are in personal.py.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from benchmarks.corpus.ids import Ids
from benchmarks.corpus.values import Value

Change = Callable[[Ids, str], str]

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
BIDI = "\u200e\u200f\u202a\u202c\u2066\u2069"
CONTROL = "\x00\x01\x08\x1b\x7f"
SPACES = "\u00a0\u2009\u202f\u3000"
DASHES = "\u2010\u2011\u2013\u2212"
ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50)  # Arabic, Persian, Devanagari, Bengali, Thai
STYLED = (0x1D7CE, 0x1D7F6)  # mathematical bold and monospace digits, which NFKC folds
CYRILLIC = str.maketrans("aeopcx", "\u0430\u0435\u043e\u0440\u0441\u0445")
SIGNS = str.maketrans({"@": "\ufe6b", ".": "\u2024"})
NAMED = {"@": "&commat;", ".": "&period;", "+": "&plus;", "-": "&#45;", " ": "&nbsp;", ":": "&colon;"}


def between(marks: str, every: int) -> Change:
    """One of `marks` after each `every` characters, never at the ends."""

    def change(i: Ids, text: str) -> str:
        parts = [text[at : at + every] for at in range(0, len(text), every)]
        return "".join(part + (i.choice(marks) if n < len(parts) - 1 else "") for n, part in enumerate(parts))

    return change


def digits_from(zeros: tuple[int, ...]) -> Change:
    """The digits of another script or style."""

    def change(i: Ids, text: str) -> str:
        zero = i.choice(zeros)
        return "".join(chr(zero + int(sign)) if sign in "0123456789" else sign for sign in text)

    return change


def separated(signs: str) -> Change:
    """Other separators, or separators where there were none."""

    def change(i: Ids, text: str) -> str:
        sign = i.choice(signs)
        parts = text.replace("-", " ").split()
        if len(parts) == 1:
            parts = [text[at : at + 4] for at in range(0, len(text), 4)]
        return sign.join(parts)

    return change


def full_width(_: Ids, text: str) -> str:
    """Every printable ASCII character as its wide twin (U+FF01 to U+FF5E)."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def entities(i: Ids, text: str) -> str:
    """HTML character references: named, decimal or hexadecimal."""
    kind = i.randrange(3)
    if kind == 0:
        return "".join(NAMED.get(sign, sign) for sign in text)
    form = "&#{};" if kind == 1 else "&#x{:x};"
    return "".join(form.format(ord(sign)) if not sign.isalnum() or i.random() < 0.3 else sign for sign in text)


def percent(i: Ids, text: str) -> str:
    """Percent-encoding (RFC 3986 section 2.1) of what needs it, or of everything."""
    if i.random() < 0.5 and quote(text, safe="") != text:
        return quote(text, safe="")
    return "".join(f"%{byte:02{i.choice('xX')}}" for byte in text.encode())


def escapes(i: Ids, text: str) -> str:
    r"""JSON's `\uXXXX` for some characters, the telling ones always; see `SPELLINGS`."""
    return "".join(
        f"\\u{ord(sign):04{i.choice('xX')}}" if sign in "@+-: " or sign == text[1] or i.random() < 0.3 else sign
        for sign in text
    )


@dataclass(frozen=True, slots=True)
class Trick:
    """`change` hides values of `entities`. With `spelling` it writes JSON text, not the text that JSON stands for.

    `lead` characters of what it makes lie before the value: base64 of more than the value.
    """

    change: Change
    entities: frozenset[str]
    spelling: bool = False
    lead: int = 0

    def fits(self, value: Value) -> bool:
        return value.entity in self.entities


_NUMBERS = frozenset({"CREDIT_CARD", "PHONE_NUMBER", "US_SSN"})
_ALL = _NUMBERS | {"EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS"}

TRICKS: dict[str, Trick] = {
    "JSON escapes": Trick(escapes, _ALL, spelling=True),
    "zero-width": Trick(between(INVISIBLE, 3), _ALL),
    "bidi marks": Trick(between(BIDI, 4), _ALL),
    "control characters": Trick(between(CONTROL, 4), _ALL),
    "full-width": Trick(full_width, _ALL),
    "digits of other scripts": Trick(digits_from(ZEROS), _NUMBERS | {"IP_ADDRESS"}),
    "styled digits": Trick(digits_from(STYLED), _NUMBERS | {"IP_ADDRESS"}),
    "homoglyph letters": Trick(lambda _, text: text.translate(CYRILLIC), frozenset({"EMAIL_ADDRESS"})),
    "homoglyph signs": Trick(lambda _, text: text.translate(SIGNS), frozenset({"EMAIL_ADDRESS", "IP_ADDRESS"})),
    "other spaces": Trick(separated(SPACES), _NUMBERS | {"IBAN_CODE"}),
    "other dashes": Trick(separated(DASHES), _NUMBERS | {"IBAN_CODE"}),
    "dots": Trick(separated("."), frozenset({"CREDIT_CARD", "PHONE_NUMBER"})),
    "digit by digit": Trick(lambda _, text: " ".join(filter(str.isdigit, text)), frozenset({"CREDIT_CARD"})),
    "HTML entities": Trick(entities, _ALL),
    "percent-encoding": Trick(percent, _ALL),
    "base64": Trick(lambda _, text: base64.b64encode(text.encode()).decode(), _ALL),
    "base64 of JSON": Trick(lambda _, text: base64.b64encode(f'{{"v":"{text}"}}'.encode()).decode(), _ALL, lead=8),
    "hex": Trick(lambda _, text: text.encode().hex(), _ALL),
}
