"""Every verb: what it makes of a value, and which parameters it takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.operators import SEPARATORS, mask, mask_number, redact, replace, zero
from tests.playbook import SESSION, UP

TEXTS = st.text(min_size=1, max_size=40)


# -- replace ------------------------------------------------------------------------------------------------


def test_replace_says_what_stood_there():
    assert replace()("bob@example.com", "EMAIL_ADDRESS", SESSION, UP) == "<EMAIL_ADDRESS>"


def test_replace_says_what_it_is_told_to():
    assert replace("[gone]")("bob@example.com", "EMAIL_ADDRESS", SESSION, UP) == "[gone]"
    assert replace("")("bob@example.com", "EMAIL_ADDRESS", SESSION, UP) == ""


# -- mask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "***************"),
        ({"char": "#"}, "###############"),
        ({"keep_first": 2}, "+4*************"),
        ({"keep_last": 4}, "***********6-78"),
        ({"keep_first": 3, "keep_last": 2}, "+49**********78"),
        ({"keep_separators": True}, "***.**-** **-**"),
        ({"keep_first": 15}, "***************"),
        ({"keep_first": 8, "keep_last": 7}, "***************"),
        ({"keep_first": 7, "keep_last": 7}, "+49.30-*5 56-78"),
        ({"keep_first": 99}, "***************"),
    ],
    ids=repr,
)
def test_mask_covers_all_but_what_it_was_told_to_keep(params, expected):
    assert mask(**params)("+49.30-45 56-78", "PHONE_NUMBER", SESSION, UP) == expected


@given(TEXTS, st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_mask_keeps_the_length_and_never_shows_more_than_it_may(text, first, last, separators):
    masked = mask("*", first, last, separators)(text, "E", SESSION, UP)
    assert len(masked) == len(text)
    if first + last >= len(text):
        first = last = 0
    middle = range(first, len(text) - last)
    assert all(masked[i] == "*" or (separators and text[i] in SEPARATORS) for i in middle)
    assert masked[:first] == text[:first]
    assert masked[len(text) - last :] == text[len(text) - last :]


# -- redact -------------------------------------------------------------------------------------------------


def test_redact_leaves_nothing():
    assert redact()("bob@example.com", "EMAIL_ADDRESS", SESSION, UP) == ""


# -- bare numbers -------------------------------------------------------------------------------------------

NUMBERS = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(json.dumps)


@given(NUMBERS, st.integers(0, 20), st.integers(0, 20))
def test_what_becomes_of_a_number_is_a_number_of_the_same_type(number, first, last):
    for rewrite in (zero, mask_number(), mask_number(first, last)):
        assert type(json.loads(rewrite(number, "E", SESSION, UP))) in (int, float)
    assert type(json.loads(mask_number(first, last)(number, "E", SESSION, UP))) is type(json.loads(number))


def test_a_masked_number_keeps_its_length_and_the_digits_it_may():
    assert mask_number(keep_last=4)("4111111111111111", "CREDIT_CARD", SESSION, UP) == "9999999999991111"
    assert mask_number()("-12.5e3", "E", SESSION, UP) == "-99.9e9"
