"""Bare digits are somebody's when the text in front says so."""

from __future__ import annotations

import pytest

from proxy.detect.deadline import Deadline
from proxy.detect.recognizers.labelled import LABELLED, SCORE


def found(text: str) -> list[tuple[str, str]]:
    deadline = Deadline(5)
    return [
        (finding.entity, text[finding.start : finding.end])
        for one in LABELLED
        for finding in one.find(text, 0, len(text), SCORE, deadline)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssn: 219099999", [("US_SSN", "219099999")]),
        ('send {"socialSecurityNumber":"590883418"}', [("US_SSN", "590883418")]),
        ("my social security number - 219099999.", [("US_SSN", "219099999")]),
        ('"deviceMac":["e8ace7d99852"]', [("MAC_ADDRESS", "e8ace7d99852")]),
        ("mac_address=8C6AE0B34840", [("MAC_ADDRESS", "8C6AE0B34840")]),
        ("order 219099999", []),
        ("ssn: 2190999991", []),
        ("ssn: a219099999", []),
        ("machine 605894477ac9", []),
        ("commit e8ace7d99852", []),
    ],
)
def test_a_label_makes_bare_digits_believable(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_weak_form_is_left_alone_above_its_score() -> None:
    assert list(LABELLED[0].find("ssn: 219099999", 0, 14, 0.9, Deadline(5))) == []
