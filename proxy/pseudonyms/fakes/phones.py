"""Surrogates of phone numbers: in the ranges that some countries keep free for films, else by shape.

The country code stays. Sources: North American Numbering Plan (555-0100 to 0199), Ofcom "Telephone numbers for
drama use", Bundesnetzagentur "Rufnummern für Medienproduktionen", Arcep decision 2018-0881, ACMA "Phone numbers
for use in TV shows, films and creative works".
"""

from __future__ import annotations

import re

from proxy.pseudonyms.fakes.draw import Draw
from proxy.pseudonyms.fakes.shape import digits_of, refilled, shaped

# National numbers without the 0 in front; N is a digit from 2 to 9, x any. One of the same length is taken.
_FICTIONAL: dict[str, tuple[str, ...]] = {
    "1": ("Nx255501xx",),
    "44": ("7700900xxx", "1632960xxx", "2079460xxx"),
    "49": ("3023125xxx", "4066969xxx", "6990009xxx", "8999998xxx", "2214710xxx"),
    "33": ("19900xxxx", "26191xxxx", "35301xxxx", "46571xxxx", "53649xxxx", "63998xxxx"),
    "61": ("25550xxxx", "35550xxxx", "75550xxxx", "85550xxxx"),
}
# ITU-T E.164: country codes of one digit and of two; all others have three.
_ONE = "17"
_TWO = frozenset(
    str(code)
    for some in ((20, 27), range(30, 35), (36, 39, 40, 41), range(43, 50), range(51, 59), range(60, 67))
    for code in (*some, 81, 82, 84, 86, *range(90, 96), 98)
)
_INTERNATIONAL = re.compile(r"\s*\(?(?:\+|00)")


def phone(text: str, draw: Draw) -> str | None:
    """Grouped like `text`, in the same country."""
    digits = digits_of(text)
    if len(digits) < 6:
        return None
    prefix, code, rest = _apart(text, digits)
    trunk = "0" if code and rest.startswith("0") else ""  # +44 (0)20
    national = rest[len(trunk) :]
    fictional = [form for form in _FICTIONAL.get(code, ()) if len(form) == len(national)]
    fake = "".join(_fill(char, draw) for char in draw.pick(fictional)) if fictional else shaped(national, draw)
    return refilled(text, prefix + trunk + fake, draw)


def _apart(text: str, digits: str) -> tuple[str, str, str]:
    """What stays in front, the country code if it can be told, and the number in that country."""
    found = _INTERNATIONAL.match(text)
    if found is None:
        north_american = len(digits) == 10 and digits[0] not in "01" and digits[3] not in "01"
        if len(digits) == 11 and digits[0] == "1":
            return "1", "1", digits[1:]
        return "", "1" if north_american else "", digits
    exit_code = "00" if "00" in found[0] else ""
    number = digits[len(exit_code) :]
    size = 1 if number[0] in _ONE else 2 if number[:2] in _TWO else 3
    return exit_code + number[:size], number[:size], number[size:]


def _fill(char: str, draw: Draw) -> str:
    if char.isdecimal():
        return char
    return str(2 + draw.below(8)) if char == "N" else str(draw.below(10))
