"""The operator `hash`."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.pseudonyms.hashing import hashed, hashed_number
from tests.playbook import SESSION, UP

KEY = bytes(range(32))
VALUES = st.text(min_size=1)


def test_a_hash_is_the_hmac_that_any_other_program_would_make():
    expected = hmac.new(KEY, b"bob@example.com", hashlib.sha256).hexdigest()
    assert hashed(KEY, 64)("bob@example.com", "EMAIL_ADDRESS", SESSION, UP) == expected
    assert hashed(KEY, 8)("bob@example.com", "PERSON", SESSION, UP) == expected[:8]


@given(VALUES, VALUES, st.integers(8, 64))
def test_a_hash_tells_values_and_keys_apart_and_nothing_else(one, other, length):
    def of(text, key=KEY):
        return hashed(key, length)(text, "E", SESSION, UP)

    assert of(one) == of(one)
    assert (of(one) == of(other)) == (one == other)
    assert of(one) != of(one, bytes(32))
    assert len(of(one)) == length
    assert set(of(one)) <= set("0123456789abcdef")


@given(st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(json.dumps))
def test_the_hash_of_a_number_is_a_whole_number_of_15_digits(number):
    made = hashed_number(KEY)(number, "E", SESSION, UP)
    assert 10**14 <= json.loads(made) < 10**15 < 2**53
    assert (
        made == hashed_number(KEY)(number, "E", SESSION, UP) != hashed_number(bytes(32))(number, "E", SESSION, UP)
    )


@pytest.mark.parametrize("text", ["\ud83d", "a\0b", "ü"])
def test_whatever_json_can_hold_has_a_hash(text):
    assert len(hashed(KEY, 16)(text, "E", SESSION, UP)) == 16
