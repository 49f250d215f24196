"""The operator `fake`: of the same form, always the same, and never the value itself."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import datetime

import phonenumbers
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from proxy.pseudonyms.fakes import FORMS, faked, faked_number
from proxy.pseudonyms.fakes.numbers import luhn
from tests.playbook import SESSION, UP

KEY = bytes(range(32))
ENTITIES = [*FORMS, "SECRET", "EMPLOYEE_ID"]


def fake(text: str, entity: str = "EMPLOYEE_ID", key: bytes = KEY) -> str:
    return faked(key)(text, entity, SESSION, UP)


def number(text: str, entity: str = "EMPLOYEE_ID", key: bytes = KEY) -> str:
    return faked_number(key)(text, entity, SESSION, UP)


def shape(text: str) -> str:
    """Digits as 9, letters as A and a: what must not change."""
    return "".join("9" if c.isdecimal() else "A" if c.isupper() else "a" if c.isalpha() else c for c in text)


# -- laws ---------------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=40), st.sampled_from(ENTITIES))
@example("%41", "SECRET")
@example("&lt;", "SECRET")
@example("---", "PERSON")
def test_a_surrogate_is_always_the_same_and_never_the_value(text, entity):
    made = fake(text, entity)
    assert made == fake(text, entity)
    assert made.casefold() != text.casefold()


@given(st.text(st.characters(codec="utf-8", exclude_characters="%&"), min_size=1, max_size=40))
def test_what_has_no_form_of_its_own_keeps_its_shape(text):
    made = fake(text)
    assert made == "<EMPLOYEE_ID>" or shape(made) == shape(text)


@given(st.from_regex(r"[A-Z]{3}-\d{6}", fullmatch=True))
def test_another_key_makes_another_surrogate(text):
    assert len({fake(text, key=bytes([i]) * 32) for i in range(8)}) > 1


NUMBERS = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(json.dumps)


@given(NUMBERS, st.sampled_from(ENTITIES))
@example("0", "SECRET")
@example("-0.0", "SECRET")
@example("9007199254740991", "SECRET")
@example("1e400", "SECRET")
def test_a_number_stays_a_number_of_its_type_and_size(text, entity):
    made = number(text, entity)
    assert made == number(text, entity) != text
    assert type(json.loads(made)) in (int, float)
    if made not in ("0", "1"):
        assert shape(made) == shape(text)
        assert type(json.loads(made)) is type(json.loads(text))
    if text.isdecimal() and int(text) < 2**53:
        assert int(made) < 2**53


def test_a_number_nobody_else_could_have_becomes_nothing():
    assert [number("0"), number("0.00"), number("-0")] == ["1", "1", "1"]


# -- forms --------------------------------------------------------------------------------------------------

DIGITS = st.integers(12, 19).flatmap(lambda n: st.from_regex(rf"[1-9][0-9]{{{n - 2}}}", fullmatch=True))


@given(DIGITS.map(lambda body: body + luhn(body)), st.sampled_from(["", " ", "-"]))
def test_a_card_is_valid_grouped_the_same_and_from_a_range_for_tests(digits, gap):
    text = gap.join(re.findall(".{1,4}", digits))
    made = fake(text, "CREDIT_CARD")
    bare = re.sub("[ -]", "", made)
    assert shape(made) == shape(text)
    assert luhn(bare[:-1]) == bare[-1]
    assert bare.startswith(
        ("371449", "356600", "362272", "378282", "305693", "424242", "555555", "222300", "6011")
    )
    assert bare[0] == digits[0] or digits[0] not in "2456"
    assert number(digits, "CREDIT_CARD").startswith(bare[:6])


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9._+-]{0,20}@[a-z]{2,8}\.(com|de)", fullmatch=True))
def test_an_email_address_leads_to_a_domain_for_examples(text):
    local, _, domain = fake(text, "EMAIL_ADDRESS").partition("@")
    assert domain in ("example.com", "example.org", "example.net")
    before = text.partition("@")[0]
    assert shape(local[: len(before)]) == shape(before)
    assert sum(char.isalnum() for char in local) >= 8


def test_an_email_address_within_more_text_is_covered_too():
    made = fake("Bob Stone <bob@corp.internal>", "EMAIL_ADDRESS")
    assert re.fullmatch(r"[A-Z][a-z]{2} [A-Z][a-z]{4} <[a-z]{3}\d{5}@example\.(com|org|net)>", made)
    assert fake("BOB@CORP.COM", "EMAIL_ADDRESS").endswith((".COM", ".ORG", ".NET"))


def test_a_value_that_is_percent_encoded_or_escaped_stays_so():
    assert re.fullmatch(r"[a-z]{3}\d{5}%40example\.\w{3}", fake("bob%40corp.com", "EMAIL_ADDRESS"))
    assert re.fullmatch(r"[A-Z]\d&amp;[A-Z]", fake("B1&amp;C"))
    assert fake("%62%6f%62", "PERSON") == fake("bob", "PERSON")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("+1 (212) 456-7890", r"\+1 \([2-9]\d2\) 555-01\d\d"),
        ("212-456-7890", r"[2-9]\d2-555-01\d\d"),
        ("1-800-456-7890", r"1-[2-9]\d2-555-01\d\d"),
        ("+44 (0)20 7123 4567", r"\+44 \(0\)\d\d \d{4} \d{4}"),
        ("+49 30 12345678", r"\+49 \d\d \d{8}"),
        ("0033 6 12 34 56 78", r"0033 \d \d\d \d\d \d\d \d\d"),
        ("+351 912 345 678", r"\+351 [1-9]\d\d \d{3} \d{3}"),
        ("030 / 123-456", r"0[1-9]\d / \d{3}-\d{3}"),
        ("12345", r"[1-9]\d{4}"),
    ],
)
def test_a_phone_number_stays_in_its_country_and_shape(text, pattern):
    assert re.fullmatch(pattern, fake(text, "PHONE_NUMBER"))


@pytest.mark.parametrize(
    "text", ["+442071234567", "+493012345678", "+33612345678", "+61212345678", "+12124567890"]
)
def test_a_number_for_films_is_a_possible_number_of_the_same_country(text):
    made = phonenumbers.parse(fake(text, "PHONE_NUMBER"))
    assert made.country_code == phonenumbers.parse(text).country_code
    assert phonenumbers.is_possible_number(made)


@given(
    st.sampled_from(
        [
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "NO93 8601 1117 947",
            "gb82 west 1234 5698 7654 32",
        ]
    )
)
def test_an_iban_has_right_check_digits_in_the_same_country(text):
    made = fake(text, "IBAN_CODE")
    bare = re.sub(r"\s", "", made)
    assert (shape(made), bare[:2].upper()) == (shape(text), text[:2].upper())
    assert int("".join(str(int(char, 36)) for char in bare[4:] + bare[:4])) % 97 == 1


@given(st.ip_addresses())
def test_an_address_is_one_for_documentation(address):
    made = ipaddress.ip_address(fake(str(address), "IP_ADDRESS"))
    networks = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    assert made.version == address.version
    assert any(made in ipaddress.ip_network(network) for network in networks)


def test_an_address_with_a_length_keeps_it_and_one_with_a_zone_loses_it():
    assert re.fullmatch(r"[\d.]+/24", fake("10.1.2.0/24", "IP_ADDRESS"))
    assert "%" not in fake("fe80::1%eth0", "IP_ADDRESS")


@given(st.from_regex(r"\d{3}-\d{2}-\d{4}", fullmatch=True))
def test_a_social_security_number_was_never_issued(text):
    area, group, serial = fake(text, "US_SSN").split("-")
    assert (area[0], serial != "0000") == ("9", True)
    assert 1 <= int(group) <= 49  # above are tax numbers


FORMATS = [
    *("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%Y%m%d", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%Y/%m/%d"),
    *("%Y-%m-%dT%H:%M:%SZ", "%Y", "%d %b %y"),
]


@given(st.dates().filter(lambda date: 1900 <= date.year < 2100), st.sampled_from(FORMATS))
def test_a_date_is_another_valid_date_written_the_same_way(date, form):
    made = fake(date.strftime(form), "DATE_OF_BIRTH")
    assert datetime.strptime(made, form).strftime(form) == made


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("3/4/1985", r"\d/\d/\d{4}"),
        ("12. März 1985", r"\d\d\. (\w+) \d{4}"),
        ("MARCH 12th, 1985", r"[A-Z]+ \d\dth, \d{4}"),
        ("born 12.03.1985", r"born \d\d\.\d\d\.\d{4}"),
        ("12/1985", r"\d\d/[1-9]\d{3}"),
    ],
)
def test_a_date_keeps_its_form(text, pattern):
    assert re.fullmatch(pattern, fake(text, "DATE_OF_BIRTH"))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("Dr. John Smith", r"Dr\. [A-Z][a-z]+ [A-Z][a-z]+"),
        ("SMITH, Anna M.", r"[A-Z]+, [A-Z][a-z]+ [A-Z]\."),
        ("bob", r"[a-z]+"),
        ("O'Neil-Smith", r"[A-Z][a-z]+-[A-Z][a-z]+"),
        ("Боб Иванов", "[\u0410-\u042f][\u0430-\u044f]{2} [\u0410-\u042f][\u0430-\u044f]{5}"),
        ("山田太郎", "[一-鿿]{4}"),
    ],
)
def test_a_name_becomes_a_name(text, pattern):
    assert re.fullmatch(pattern, fake(text, "PERSON"))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("12 Main Street, Springfield 62704", r"[1-9]\d [A-Z][a-z]+ [A-Z][a-z]+, [A-Z][a-z]+ [1-9]\d{4}"),
        ("Berlin", r"[A-Z][a-z]+"),
        ("new york, ny", r"[a-z]+, [a-z]+"),
        ("10115", r"[1-9]\d{4}"),
        ("東京", "[一-鿿]{2}"),
    ],
)
def test_a_place_becomes_a_place(text, pattern):
    assert re.fullmatch(pattern, fake(text, "LOCATION"))


def test_devices_belong_to_nobody():
    assert re.fullmatch(r"02(:[0-9a-f]{2}){5}", fake("00:1a:2b:3c:4d:5e", "MAC_ADDRESS"))
    assert re.fullmatch(r"02(-[0-9A-F]{2}){5}", fake("00-1A-2B-3C-4D-5E", "MAC_ADDRESS"))
    made = fake("490154203237518", "IMEI")
    assert (made[:6], luhn(made[:-1])) == ("001010", made[-1])


@given(
    st.text(min_size=1, max_size=30),
    st.sampled_from(["CREDIT_CARD", "IBAN_CODE", "IMEI", "US_SSN", "MAC_ADDRESS"]),
)
def test_what_does_not_have_the_form_of_its_entity_keeps_its_shape(text, entity):
    assume(not re.search(r"\d", text) and not set("%&") & set(text))
    made = fake(text, entity)
    assert made == f"<{entity}>" or shape(made) == shape(text) or entity in ("IBAN_CODE", "MAC_ADDRESS")
