"""A regex that can take exponential time is known before anybody sends it a text."""

from __future__ import annotations

import pytest

from proxy.detect.recognizers.linear import backtracks

LINEAR = [
    r"\bAC-\d{4}-\d{2}\b",
    r"(?:ab|cd)+x",
    r"[a-z]+@[a-z]+\.[a-z]+",
    r"(a{1,3}b?)+",
    r"(?i)x",
    r"(?P<n>a)b*",
    ".*x.*",
]
SLOW = [
    (r"(.*)*=(.*)*;", "repetition"),
    (r"(a+)+$", "repetition"),
    (r"(?:x(?:y|a*)b)*", "repetition"),
    (r"(?:a+?){2,}", "repetition"),
    (r"(?<!\d)\d{9}", "look-around"),
    (r"\d{9}(?=x)", "look-around"),
    (r"(a)\1", "look-around"),
    (r"(?>a+)b", "look-around"),
]


@pytest.mark.parametrize("regex", LINEAR)
def test_what_needs_no_backtracking_is_trusted(regex: str) -> None:
    assert backtracks(regex) is None


@pytest.mark.parametrize(("regex", "why"), SLOW)
def test_what_can_take_exponential_time_is_told(regex: str, why: str) -> None:
    assert why in str(backtracks(regex))
