"""A number is told by how many digits it has, and by what stands between them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.detect.plausible.numbers import account, card, cvv, document, iban, identifier, imei, phone, plate, ssn

Check = Callable[[str], bool]

POSSIBLE: dict[Check, list[str]] = {
    ssn: ["078051120", "078-05-1120", "078 05 1120", "912.70.1234"],
    identifier: [
        *("QQ123456C", "12345678Z", "RSSMRA85T10A562S", "123.456.789-09", "L01X00T47", "1 85 05 78 006 084 91"),
        *("MRN-0012345", "12-3456789", "12345"),
    ],
    document: ["C01X00T47", "123456789", "K1234567", "ab 12345"],
    plate: ["B-AB 1234", "7ABC123", "A1", "\u0416 123 \u0419\u0414 77", "AB\u00b7123"],
    iban: ["DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "no93-8601-1117-947"],
    account: ["000123456789", "20-00-00", "12345678"],
    card: ["4111 1111 1111 1112", "4111111111111", "4111-1111-1111-1111"],
    cvv: ["123", "1234"],
    phone: ["5551234567", "(555) 123-4567 ext. 12", "+49 170 1234567", "020 7946 0958x5", "11 91234-5678"],
    imei: ["490154203237518", "49-015420-323751-8"],
}
IMPOSSIBLE: dict[Check, list[str]] = {
    ssn: ["000000000", "12345", "0780511200", "078/05/1120", "078 - - - - 05 - - - 1120"],
    identifier: [
        *("1234", "room-1", "abcdefgh1234-abcdefghi", "7b9f3c528a414d0ebb6e0f5c", "12345_6", "1" * 31, "12345-"),
        "enabled",
    ],
    document: ["pending", "123456", "1234567890", "ABCD1234", "12345678 "],
    plate: ["none", "1", "A1 B2 C3 D4 E5", "B-AB 1234567890", "AB_12"],
    iban: ["DE89", "8989370400440532013000", "DE8937040044053201300089370400440532013"],
    account: ["1234", "default", "1" * 31],
    card: ["3", "41111111111", "4" * 20, "4111/1111/1111/1111"],
    cvv: ["12", "12345", "abc", "\u00b2\u00b2\u00b2"],
    phone: [
        *("iPhone 15", "1763726400.0002", "2026-11-22", "2026-11-22 08:15", "555555", "12345", "1" * 19),
        "555-1234 x" + "1" * 31,
    ],
    imei: ["4901542032375", "4" * 23, "unknown"],
}


def cases(table: dict[Check, list[str]]) -> list[tuple[Check, str]]:
    return [(check, text) for check, texts in table.items() for text in texts]


@pytest.mark.parametrize(("possible", "text"), cases(POSSIBLE))
def test_a_number_as_it_is_given_is_possible(possible: Check, text: str) -> None:
    assert possible(text)


@pytest.mark.parametrize(("possible", "text"), cases(IMPOSSIBLE))
def test_what_has_other_digits_or_signs_is_not(possible: Check, text: str) -> None:
    assert not possible(text)
