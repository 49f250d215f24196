"""Context words: a weak pattern counts near one of them, before or behind it, and the gate knows that."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.detect.engine import Engine
from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.detect.recognizers.adapted import Context
from proxy.detect.recognizers.countries import from_patterns
from tests.detect.looking import leaf
from tests.detect.recognizers.looking import Gated, look, look_everywhere

WORDS, WITHIN = ("badge", "staff no.", "ausweis"), 12


@cache
def staff(regex: str = r"\b[A-Z]-\d{4}\b", score: float = 0.3, behind: int = WITHIN) -> Recognizer:
    context = Context(WORDS, WITHIN, behind, boost=0.2, least=0.0)
    (one,) = from_patterns("staff", "STAFF", [(regex, score)], context)
    return one


@pytest.mark.parametrize(
    "text",
    [
        "badge A-1234",
        "Badge: A-1234",
        "badge" + " " * (WITHIN - 5) + "A-1234",
        "A-1234 badge",
        "A-1234" + " " * (WITHIN - 5) + "badge",
        "A-1234 is a badge",
        "A-1234, staff no. of",
        "(A-1234)(ausweis)",
        "A-1234\nbadge",
    ],
)
def test_a_word_counts_before_and_behind(text: str) -> None:
    found = look(staff(), text)
    assert [(one.score, text[one.start : one.end]) for one in found] == [(0.5, "A-1234")]


@pytest.mark.parametrize(
    "text",
    [
        "A-1234",
        "badge" + " " * (WITHIN - 4) + "A-1234",
        "A-1234" + " " * (WITHIN - 4) + "badge",
        "badges A-1234 badger unbadge",
        "A-1234" + " " * (WITHIN - 5) + "badger",
        "A-1234badge",
        "staff A-1234 no.",
    ],
)
def test_only_a_whole_word_counts_and_only_within_reach(text: str) -> None:
    assert look_everywhere(staff(), text) == set()


def test_without_a_reach_behind_only_what_stands_before_counts() -> None:
    assert look(staff(behind=0), "badge A-1234") and not look_everywhere(staff(behind=0), "A-1234 badge")


def test_each_value_is_judged_by_its_own_surroundings() -> None:
    text = "A-1234 badge" + "." * 30 + "B-1234" + "." * 30 + "badge C-1234"
    assert {text[one.start] for one in look(staff(), text)} == {"A", "C"}


ANY = st.lists(
    st.sampled_from(
        ["badge", "BADGE", "staff no.", "ausweis", "badges", "A-1234", "b-0000", "A-12345", "1234", "12"]
    )
    | st.text(" .\nax1-\u00e9", max_size=14),
    max_size=7,
).map("".join)
REGEXES = [
    (r"\b[A-Z]-\d{4}\b", 0.3),
    (r"\d{4,6}", 0.3),
    (r"[A-Z]-\d+", 0.4),
    (r"\d{2,}", 0.3),
    (r"\d{2}(?= )", 0.3),
]


@cache
def gated(regex: str, score: float) -> tuple[Gated, Engine]:
    return Gated([staff(regex, score)]), Engine([staff(regex, score)], budget=5.0)


@pytest.mark.parametrize(("regex", "score"), REGEXES)
def test_what_is_found_in_windows_is_found_in_the_whole_and_what_is_clear_holds_nothing(
    regex: str, score: float
) -> None:
    behind_gate, engine = gated(regex, score)
    only = frozenset({"STAFF"})

    @settings(max_examples=250, deadline=None)
    @given(ANY)
    def holds(text: str) -> None:
        everywhere = look_everywhere(staff(regex, score), text)
        if staff(regex, score).triggers:
            assert behind_gate.look(text) == everywhere
        assert {(one.start, one.end) for one in engine.find([leaf(text)], only, FLOOR)[0]} >= {
            (one.start, one.end) for one in everywhere
        }
        if engine.clear(text.encode(), only, FLOOR):
            assert not everywhere

    holds()


def test_what_a_trigger_cannot_say_is_looked_for_in_every_text() -> None:
    assert staff(r"\d+").triggers == ()
    assert len(staff(r"[A-Z]-\d+").triggers) == 1  # where it ends is not known
    assert len(staff().triggers) == 2
