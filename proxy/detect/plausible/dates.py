"""The day on which somebody was born, as people and machines write it, months in eight languages.

Day and month may stand in either order. A year of two digits is one of the last century: who is older or younger
has a year of four.
"""

# ruff: noqa: SIM905 - words are easier to read than lists of them

from __future__ import annotations

import re
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        """
        jan ene gen sty jän|feb fev fév lut|mar maa mrt mrz mär|apr abr avr kwi|may mai mag mei maj
        |jun giu cze juin|jul lug lip juil|aug ago aou sie aoû|sep set wrz|oct okt ott out paz paź|nov lis
        |dec dez dic gru déc
        """.split("|"),
        start=1,
    )
    for name in names.split()
}


def birth_date(text: str) -> bool:
    """A day from 1890 to today, in any order of year, month and day that people write."""
    return any(_born(int(y), int(m), int(d)) for y, m, d in _days(text))


def _days(text: str) -> list[tuple[str, str, str]]:
    text = re.split(r"[T ]\d\d:\d\d", text)[0]
    if found := re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text):  # the year may stand at the end instead
        return [(found[1], found[2], found[3]), *((text[4:], *order) for order in _orders(text[:2], text[2:4]))]
    if found := re.fullmatch(r"(\d{4})[-/. ]?(\d{1,2})[-/. ]?(\d{1,2})", text):
        return [(found[1], found[2], found[3])]
    if found := re.fullmatch(r"(\d{1,2})[-/. ] ?(\d{1,2})[-/. ] ?(\d{4}|\d{2})", text):
        year = found[3] if len(found[3]) == 4 else f"19{found[3]}"
        return [(year, *order) for order in _orders(found[1], found[2])]
    written = re.findall(r"[^\W\d_]{3,}|\d+", text)
    months = [_MONTHS[word[:n].lower()] for word in written for n in (3, 4) if word[:n].lower() in _MONTHS]
    years = [word for word in written if word.isdigit() and len(word) == 4]
    days = [word for word in written if word.isdigit() and len(word) <= 2]
    return [(years[0], str(months[0]), days[0])] if months and years and days and len(text) <= 40 else []


def _orders(one: str, other: str) -> list[tuple[str, str]]:
    """Month and day, if either may come first."""
    return [(other, one), (one, other)]


def _born(year: int, month: int, day: int) -> bool:
    try:
        return date(1890, 1, 1) <= date(year, month, day) <= date.today()
    except ValueError:
        return False
