"""How else a telephone number is written: with the code of its country, without it, or as it is dialled abroad.

`+49 30 1234567` and `030 1234567` are one number to people in Germany, and another one to people in Italy. So
their fingerprints differ, and only whoever asks can say which country is meant. The plans are libphonenumber's.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from proxy.audit.people.spelling import TELEPHONES, spelling

Name = Literal["given", "international", "national", "dialled"]


class Spelling(NamedTuple):
    """One way to write a number. `given`: as it was asked for; `international`: with its country's code;
    `national`: without, as people of that country do; `dialled`: as it is dialled from another country that has
    no `00` (`011 49 30 1234567` in the United States)."""

    name: Name
    text: str


class RegionError(ValueError):
    """There is no such country."""


class NumberError(ValueError):
    """The value is no whole telephone number there."""


def known(region: str) -> bool:
    """Whether this is a country, by the two letters that ISO 3166 has for it."""
    import phonenumbers  # noqa: PLC0415 - 24 ms that only those wait for who ask for a country

    return region in phonenumbers.SUPPORTED_REGIONS


def spellings(text: str, region: str) -> list[Spelling]:
    """Every way to write number `text` in `region`, `given` first; ways that mean the same (spelling.py) once.

    Raises RegionError, and NumberError, which hold nothing of the text.
    """
    import phonenumbers as plans  # noqa: PLC0415

    if not known(region):
        raise RegionError
    try:
        number = plans.parse(text, region)
    except plans.NumberParseException:
        raise NumberError from None
    if (
        plans.is_possible_number_with_reason(number) != plans.ValidationResult.IS_POSSIBLE
    ):  # nor within a town alone
        raise NumberError
    every = [Spelling("given", text)]
    every += [Spelling("international", plans.format_number(number, plans.PhoneNumberFormat.INTERNATIONAL))]
    if number.country_code == plans.country_code_for_region(region):
        if plans.is_valid_number(number):  # else nobody knows how that is written
            every += [Spelling("national", plans.format_number(number, plans.PhoneNumberFormat.NATIONAL))]
        if not number.extension:  # some countries write it without the 0 in front that is dialled
            trunk = plans.ndd_prefix_for_region(region, True) or ""
            every += [Spelling("national", trunk + plans.national_significant_number(number))]
    else:
        every += [Spelling("dialled", plans.format_out_of_country_calling_number(number, region))]
    means = spelling(min(TELEPHONES))
    distinct: dict[bytes, Spelling] = {}
    for one in every:
        distinct.setdefault(means(one.text), one)
    return list(distinct.values())
