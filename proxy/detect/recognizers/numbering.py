"""Numbering plans of all calling codes: what libphonenumber (package `phonenumbers`) knows, asked in our own way.

Its parser takes 20 us for a number, its data as one regex per calling code 0.3 us. Only numbers with their calling
code are judged here: without it nearly every row of digits is a number somewhere.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "uan", "voicemail", "pager"),
)


class Plan(NamedTuple):
    """The plan behind one calling code: numbers in use, how long numbers may be, the digit dialled before them."""

    valid: re.Pattern[str]
    lengths: frozenset[int]
    trunk: str


@cache
def plan(code: int) -> Plan:
    """The plan of a calling code that exists; read once for each code, in 0.1 to 5 ms."""
    patterns: set[str] = set()
    lengths: set[int] = set()
    trunk = ""
    for region in COUNTRY_CODE_TO_REGION_CODE[code]:
        country = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        kinds = [getattr(country, kind) for kind in _KINDS] if country else []
        patterns.update(kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern)
        lengths.update(length for kind in kinds if kind for length in kind.possible_length if length > 0)
        trunk = trunk or (country.national_prefix if country else "") or ""
    return Plan(re.compile("|".join(f"(?:{pattern})" for pattern in sorted(patterns))), frozenset(lengths), trunk)


def judged(digits: str) -> tuple[bool, bool]:
    """(possible, valid) for a number of ASCII digits with calling code and without plus sign.

    Possible: the code exists and the rest is as long as its numbers are. Valid: such numbers are in use. A trunk
    digit that should have been left out, as in `+44 (0)20`, is.
    """
    width = _width(digits[:3])
    if not width:
        return False, False
    found, rest = plan(int(digits[:width])), digits[width:]
    bare = rest.removeprefix(found.trunk) if found.trunk else rest
    fits = found.valid.fullmatch
    valid = fits(rest) is not None or (bare != rest and fits(bare) is not None)
    return valid or len(rest) in found.lengths or len(bare) in found.lengths, valid


def is_possible(digits: str) -> bool:
    """The first of what `judged` tells, sooner: most numbers have a length that tells it without a regex."""
    width = _width(digits[:3])
    if not width:
        return False
    found, rest = plan(int(digits[:width])), digits[width:]
    bare = rest.removeprefix(found.trunk) if found.trunk else rest
    if len(rest) in found.lengths or len(bare) in found.lengths:
        return True
    return found.valid.fullmatch(rest) is not None or found.valid.fullmatch(bare) is not None


@cache
def _width(begin: str) -> int:
    """How many digits of the first three are the calling code; 0 if none is."""
    return next((n for n in (1, 2, 3) if int(begin[:n] or 0) in COUNTRY_CODE_TO_REGION_CODE), 0)
