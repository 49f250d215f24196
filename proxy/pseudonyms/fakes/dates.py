"""Surrogates of dates: another valid date, written the same way."""

from __future__ import annotations

import re

from proxy.pseudonyms.fakes.draw import Draw

_WRITTEN = """
    January February March April May June July August September October November December
    Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec
    Januar Februar März April Mai Juni Juli August September Oktober November Dezember
    janvier février mars avril mai juin juillet août septembre octobre novembre décembre
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
"""
_MONTHS = [line.split() for line in _WRITTEN.strip().splitlines()]
_CALENDAR = {month.casefold(): months for months in reversed(_MONTHS) for month in months}
"""By its name, the months of its language; of the first that has it."""
_CALENDAR["may"] = ["May"]  # in full or abbreviated, nobody can tell
_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_COMPACT = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_FIRST, _YEARS = 1940, 65
_DAYS = 28  # of the shortest month


def date(text: str, draw: Draw) -> str | None:
    """Days up to 28, and up to 12 where day and month could be read the other way round; a time becomes 0:00."""
    numbers = _NUMBER.findall(text)
    year = str(_FIRST + draw.below(_YEARS))
    if len(numbers) == 1 and _COMPACT.fullmatch(numbers[0]):
        return text.replace(numbers[0], f"{year}{1 + draw.below(12):02}{1 + draw.below(_DAYS):02}")
    named = any(word.casefold() in _CALENDAR for word in _WORD.findall(text))
    new = _fields(numbers, year, named, draw)
    if new is None:
        return None
    fields = iter(new)
    fake = _NUMBER.sub(lambda old: next(fields, "0" * len(old[0])), text)
    return _WORD.sub(lambda word: _month(word[0], draw), fake)


def _fields(numbers: list[str], year: str, named: bool, draw: Draw) -> list[str] | None:
    """What takes the place of the first numbers of a date; None if this is no date."""
    years = [i for i, number in enumerate(numbers[:3]) if len(number) == 4]
    if named and len(numbers) >= 2:  # 12 March 1985, March 12th '85
        at = years[0] if years else 1
        if at > 1:
            return None
        new = [_like(numbers[1 - at], 1 + draw.below(_DAYS))] * 2
        new[at] = year[-len(numbers[at]) :]
        return new
    if numbers and len(numbers[0]) == 4 and len(numbers) == 1:
        return [year]
    if len(numbers) < 3 or any(len(number) > 2 for i, number in enumerate(numbers[:3]) if i not in years):
        return None
    at = years[0] if years else 2
    most = _DAYS if at == 0 else 12  # behind a year comes a month; in front of one, who knows
    new = [_like(number, 1 + draw.below(12)) for number in numbers[:3]]
    if at == 0:
        new[2] = _like(numbers[2], 1 + draw.below(most))
    new[at] = year[-len(numbers[at]) :]
    return new


def _like(old: str, new: int) -> str:
    return f"{new:0{len(old)}}" if len(old) > 1 else str(1 + (new - 1) % 9)


def _month(word: str, draw: Draw) -> str:
    """Another month of the same language, in the same case; other words stay."""
    months = _CALENDAR.get(word.casefold())
    if months is None:
        return word
    new = draw.pick(months)
    return new.upper() if word.isupper() else new.lower() if word.islower() else new.capitalize()
