"""Every verb: what it makes of a value, and which parameters it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.operators import CLOSE, KEEP, PARAMS, REWRITES, SEPARATORS, check_params, mask, replace

TEXTS = st.text(min_size=1, max_size=40)


def test_every_verb_has_its_parameters_checked():
    assert set(PARAMS) == {*REWRITES, KEEP, CLOSE}


# -- replace ------------------------------------------------------------------------------------------------


def test_replace_says_what_stood_there():
    assert replace("bob@example.com", "EMAIL_ADDRESS", {}) == "<EMAIL_ADDRESS>"


def test_replace_says_what_it_is_told_to():
    assert replace("bob@example.com", "EMAIL_ADDRESS", {"with": "[gone]"}) == "[gone]"
    assert replace("bob@example.com", "EMAIL_ADDRESS", {"with": ""}) == ""


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
    assert mask("+49.30-45 56-78", "PHONE_NUMBER", params) == expected


@given(TEXTS, st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_mask_keeps_the_length_and_never_shows_more_than_it_may(text, first, last, separators):
    params = {"keep_first": first, "keep_last": last, "keep_separators": separators}
    masked = mask(text, "E", params)
    assert len(masked) == len(text)
    if first + last >= len(text):
        first = last = 0
    middle = range(first, len(text) - last)
    assert all(masked[i] == "*" or (separators and text[i] in SEPARATORS) for i in middle)
    assert masked[:first] == text[:first]
    assert masked[len(text) - last :] == text[len(text) - last :]


# -- parameters ---------------------------------------------------------------------------------------------

GOOD = [
    ("replace", {}),
    ("replace", {"with": ""}),
    ("replace", {"with": "…"}),
    ("mask", {"char": "•", "keep_first": 0, "keep_last": 4, "keep_separators": False}),
    ("keep", {}),
    ("close", {}),
    *[("close", {"code": code}) for code in (1000, 1003, 1007, 1008, 1014, 3000, 4000, 4999)],
    ("close", {"reason": "é" * 61}),
    ("close", {"reason": "x" * 123}),
]

BAD = [
    ("replace", "with", 7, "must be a text"),
    ("replace", "with", None, "must be a text"),
    ("replace", "with", "\ud800", "must be a text"),
    ("replace", "char", "*", "is unknown; replace takes with"),
    ("mask", "char", "", "must be one character"),
    ("mask", "char", "**", "must be one character"),
    ("mask", "char", 1, "must be one character"),
    ("mask", "char", "\udfff", "must be one character"),
    ("mask", "keep_first", -1, "must be a whole number"),
    ("mask", "keep_first", True, "must be a whole number"),
    ("mask", "keep_last", 1.0, "must be a whole number"),
    ("mask", "keep_last", "1", "must be a whole number"),
    ("mask", "keep_separators", 1, "must be true or false"),
    ("keep", "with", "x", "is unknown; keep takes no parameters"),
    *[
        ("close", "code", code, "must be a close code")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, "1000", 1000.0, True, None)
    ],
    ("close", "reason", "x" * 124, "at most 123 bytes"),
    ("close", "reason", "é" * 62, "at most 123 bytes"),
    ("close", "reason", "\ud800", "must be a text"),
    ("close", "reason", 5, "must be a text"),
]


@pytest.mark.parametrize(("operator", "params"), GOOD, ids=repr)
def test_good_parameters_have_no_faults(operator, params):
    assert check_params(operator, params) == []


@pytest.mark.parametrize(("operator", "name", "value", "words"), BAD, ids=repr)
def test_a_bad_parameter_is_named_with_what_is_wrong(operator, name, value, words):
    [fault] = check_params(operator, {name: value})
    assert fault.startswith(f"parameter '{name}' of {operator} ")
    assert words in fault


def test_all_faults_are_told_at_once():
    assert len(check_params("mask", {"char": "", "keep_first": -1, "colour": "red"})) == 3


def test_an_unknown_operator_is_answered_with_the_known_ones():
    [fault] = check_params("shred", {"with": "x"})
    assert fault == "unknown operator 'shred'; known are replace, mask, keep, close"


PARAM_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.sampled_from(sorted(REWRITES)), st.data(), TEXTS)
def test_parameters_that_pass_the_check_never_make_a_verb_raise(operator, data, text):
    params = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(PARAMS[operator], PARAM_VALUES)))
    if not check_params(operator, params):
        assert REWRITES[operator](text.encode(errors="replace").decode(), "E", params).encode() is not None
