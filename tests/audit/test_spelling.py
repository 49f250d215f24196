"""Spellings of one value agree, and values that differ stay apart."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proxy.audit.people.spelling import spelling

ENTITIES = ["EMAIL_ADDRESS", "PERSON", "CREDIT_CARD", "PHONE_NUMBER", "IBAN_CODE", "URL", "IP_ADDRESS", "MY_OWN"]

SAME = [
    (
        "EMAIL_ADDRESS",
        ["anna.lee@example.com", "Anna.Lee@EXAMPLE.com", " anna.lee@example.com", "\uff41nna.lee@example.com"],
    ),
    (
        "PHONE_NUMBER",
        ["+49 30 1234567", "0049301234567", "+49 (0)30 / 123-4567", "+49.30.1234567", "+\uff14\uff19 30 1234567"],
    ),
    ("PHONE_NUMBER", ["555 0100", "(555) 0100", "555\u00a00100", "\u0665\u0665\u0665\u0660\u0661\u0660\u0660"]),
    ("CREDIT_CARD", ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"]),
    (
        "IBAN_CODE",
        ["DE89 3704 0044 0532 0130 00", "de89370400440532013000", "DE89\u00a03704\u00a00044 0532013000"],
    ),
    ("CLIENT_NUMBER", ["K-12.345/6", "k123456"]),
    ("PERSON", ["Jörg  Weiß", "JÖRG WEISS", "Jo\u0308rg\nWeiss", "Jörg\u00ad Weiss"]),
    ("URL", ["https://example.com/a/", "HTTP://example.com/a", "example.com/a"]),
    ("IP_ADDRESS", ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"]),
    ("MAC_ADDRESS", ["00:1B:44:11:3a:b7", "00-1b-44-11-3A-B7"]),
]


@pytest.mark.parametrize(("entity", "spelt"), SAME)
def test_spellings_of_one_value_agree(entity, spelt):
    assert len({spelling(entity)(text) for text in spelt}) == 1


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [
        ("EMAIL_ADDRESS", "anna.lee@example.com", "annalee@example.com"),
        ("EMAIL_ADDRESS", "anna+shop@example.com", "anna@example.com"),
        ("PERSON", "Anna Lee", "AnnaLee"),
        ("PHONE_NUMBER", "030 1234567", "+49 30 1234567"),
        ("PHONE_NUMBER", "00", "000"),
        ("IP_ADDRESS", "10.0.0.1", "10.0.0.10"),
        ("URL", "http://", "https://"),
        ("IBAN_CODE", "--", "---"),
    ],
)
def test_values_that_are_alike_but_differ_stay_apart(entity, one, other):
    assert spelling(entity)(one) != spelling(entity)(other)


@given(st.sampled_from(ENTITIES), st.text(max_size=20))
def test_case_and_form_do_not_matter(entity, text):
    spell = spelling(entity)
    assert spell(text) == spell(spell(text).decode(errors="surrogatepass")), "what is spelt alike stays so"
    assume(text.isascii())
    assert spell(text) == spell(text.upper()) == spell(text.lower())


@given(
    st.text("0123456789", min_size=8, max_size=19),
    st.lists(st.sampled_from(" -./\u00a0\u2009"), max_size=6),
    st.data(),
)
def test_separators_do_not_matter_to_a_card(digits, separators, data):
    text = digits
    for separator in separators:
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + separator + text[at:]
    assert spelling("CREDIT_CARD")(text) == digits.encode()


@given(st.sampled_from(["CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "PERSON"]), st.data())
def test_different_values_differ(entity, data):
    values = st.text("abcdef0123456789" if entity != "CREDIT_CARD" else "0123456789", min_size=1)
    one, other = data.draw(values), data.draw(values)
    assume(one != other)
    assert spelling(entity)(one) != spelling(entity)(other)


@given(st.sampled_from(ENTITIES), st.text(st.characters(), max_size=10))
def test_no_text_is_too_odd_to_be_spelt(entity, text):
    assert isinstance(spelling(entity)(text + "\ud800"), bytes)


@given(st.sampled_from(ENTITIES), st.text(min_size=1, max_size=10))
def test_what_is_not_blank_never_becomes_nothing(entity, text):
    assume(any(one.isalnum() for one in text))
    assert spelling(entity)(text) != b""
