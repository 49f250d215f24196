"""Surrogates of numbers with check digits, from ranges in which nobody has one where there are such ranges."""

from __future__ import annotations

import re

from proxy.pseudonyms.fakes.draw import Draw
from proxy.pseudonyms.fakes.shape import digits_of, refilled, shaped

# By the first digits of a card: what the test cards of payment services begin with. The first that fits counts.
_TEST_CARDS = (
    ("34", "371449"),
    ("35", "356600"),
    ("36", "362272"),
    ("37", "378282"),
    ("30", "305693"),
    ("38", "305693"),
    ("4", "424242"),
    ("5", "555555"),
    ("2", "222300"),
    ("6", "601111"),
)
_TEST_PHONE = "001010"  # the first six digits of an IMEI: a test allocation (GSMA TS.06)


def card(text: str, draw: Draw) -> str | None:
    """Grouped like `text`, of the same brand, with a right check digit."""
    digits = digits_of(text)
    if not 12 <= len(digits) <= 19:
        return None
    prefix = next((test for first, test in _TEST_CARDS if digits.startswith(first)), "424242")
    return refilled(text, _checked(prefix, len(digits), draw), draw)


def imei(text: str, draw: Draw) -> str | None:
    """15 digits, as no phone on sale has them, with a right check digit."""
    digits = digits_of(text)
    return refilled(text, _checked(_TEST_PHONE, 15, draw), draw) if len(digits) == 15 else None


def _checked(prefix: str, size: int, draw: Draw) -> str:
    body = prefix + draw.digits(size - len(prefix) - 1)
    return body + luhn(body)


def luhn(body: str) -> str:
    """The check digit behind `body` (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        total += sum(divmod(int(digit) * 2, 10)) if place % 2 == 0 else int(digit)
    return str(-total % 10)


def ssn(text: str, draw: Draw) -> str | None:
    """In the 900s, which are never issued, and in groups that are no ITIN either (those begin at 50)."""
    if len(digits_of(text)) != 9:
        return None
    return refilled(text, f"9{draw.digits(2)}{1 + draw.below(49):02}{1 + draw.below(9999):04}", draw)


_IBAN = re.compile(r"\s*([A-Za-z]{2})[\s-]?([0-9]{2})([A-Za-z0-9\s-]{8,50})")


def iban(text: str, draw: Draw) -> str | None:
    """Of the same country, grouped like `text`, with right check digits (ISO 13616)."""
    if (found := _IBAN.fullmatch(text)) is None:
        return None
    country, account = found[1], shaped(found[3], draw)
    start, end = found.span(2)
    check = _iban_check(country, "".join(c for c in account if c.isalnum()))
    return f"{text[:start]}{check}{text[end : found.start(3)]}{account}"


def _iban_check(country: str, account: str) -> str:
    spelt = "".join(str(int(char, 36)) for char in f"{account}{country}00")
    return f"{98 - int(spelt) % 97:02}"
