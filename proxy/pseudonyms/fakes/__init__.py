"""The operator `fake`: another value of the same form, always the same for the same value and key.

What the value was cannot be told from its surrogate without the key. Different values may share one: there are,
for example, 768 addresses for documentation, and every IPv4 address becomes one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count

from proxy.core.plugs import Rewrite
from proxy.pseudonyms.fakes import dates, net, numbers, people, phones
from proxy.pseudonyms.fakes.draw import Draw
from proxy.pseudonyms.fakes.shape import shaped
from proxy.pseudonyms.spelling import read

Form = Callable[[str, Draw], str | None]
"""A surrogate for a text; None if the text does not have the form, or holds more."""

FORMS: dict[str, Form] = {
    "CREDIT_CARD": numbers.card,
    "IBAN_CODE": numbers.iban,
    "IMEI": numbers.imei,
    "US_SSN": numbers.ssn,
    "EMAIL_ADDRESS": net.email,
    "IP_ADDRESS": net.ip,
    "MAC_ADDRESS": net.mac,
    "PHONE_NUMBER": phones.phone,
    "PERSON": people.person,
    "LOCATION": people.place,
    "DATE_OF_BIRTH": dates.date,
}
ATTEMPTS = 16
_LARGEST = 2**53  # what a reader of JSON can be relied on to hold exactly (RFC 8259 section 6)
_NUMBER = re.compile(r"(-?)([0-9.]+)(.*)", re.DOTALL)


def faked(key: bytes) -> Rewrite:
    """A surrogate that is never the value itself; `<ENTITY>` for what has no letter and no digit."""

    def rewrite(text: str, entity: str, *_: object) -> str:
        plain, respell = read(text)
        for fake in _attempts(key, plain, entity):
            if fake.casefold() != plain.casefold():
                return respell(fake)
        return f"<{entity}>"

    return rewrite


def faked_number(key: bytes) -> Rewrite:
    """For a bare JSON number: another one with the same number of digits, and the same sign and exponent.

    One below 2**53 stays below it. 0 if there is no other (1 if it was nothing but zeros).
    """

    def rewrite(text: str, entity: str, *_: object) -> str:
        found = _NUMBER.fullmatch(text)
        assert found is not None
        sign, digits, exponent = found.groups()
        for fake in _attempts(key, digits, entity):
            if fake != digits and _as_good(fake, digits):
                return f"{sign}{fake}{exponent}"
        return "0" if digits.strip("0.") else "1"

    return rewrite


def _as_good(fake: str, digits: str) -> bool:
    """Whether `fake` is a number wherever `digits` is one."""
    if len(fake) != len(digits) or [c for c in fake if not c.isdecimal()] != [c for c in digits if c == "."]:
        return False
    if "." in digits:
        return fake.index(".") == digits.index(".") and (fake[0] != "0" or digits[0] == "0")
    return fake[0] != "0" and not int(digits) < _LARGEST <= int(fake)


def _attempts(key: bytes, text: str, entity: str) -> Iterator[str]:
    form = FORMS.get(entity, shaped)
    for attempt in count():
        if attempt == ATTEMPTS:
            return
        draw = Draw(key, entity, text, str(attempt))
        yield form(text, draw) or shaped(text, draw)
