"""From probabilities of words to spans, with the case of the words as evidence."""

from __future__ import annotations

import pytest

from proxy.detect.ner.model import LOCATION, PERSON
from proxy.detect.ner.rampart import words
from proxy.detect.ner.words import WORD, Word, spans


def found(text: str, scores: dict[str, float], entity: str = PERSON) -> list[str]:
    """The spans of `text` when the model gives each word this probability."""
    tagged = [Word(*m.span(), entity, scores[m[0]]) for m in WORD.finditer(text) if m[0] in scores]
    return [text[span.start : span.end] for span in spans(text, tagged, 0.5)]


def test_a_capital_needs_less_and_a_small_letter_more() -> None:
    assert found("We met Anna there.", {"Anna": 0.3}) == ["Anna"]
    assert found("We met anna there.", {"anna": 0.7}) == []
    assert found("We met anna there.", {"anna": 0.85}) == ["anna"]


def test_who_writes_without_capitals_is_still_read() -> None:
    assert found("we met anna there", {"anna": 0.65}) == ["anna"]
    assert found("we met anna there", {"anna": 0.55}) == []


@pytest.mark.parametrize("before", ["Hi, I'm ", "My name is ", "This is ", "Dear ", "He lives in ", "Call mr. "])
def test_an_introduction_stands_for_the_capital(before: str) -> None:
    assert found(f"{before}anna", {"anna": 0.55}) == ["anna"]


@pytest.mark.parametrize(
    "name",
    ["Anna Maria Kovács", "Ludwig van Beethoven", "J.R. Smith", "María de la Cruz", "Jean - Luc", "John F. Doe"],
)
def test_one_name_is_one_span(name: str) -> None:
    scores = {match[0]: 0.9 for match in WORD.finditer(name) if len(match[0]) > 1 and match[0][0].isupper()}
    scores |= {"J": 0.9, "R": 0.9}
    assert found(f"So {name} said", scores) == [name]


@pytest.mark.parametrize("text", ["Anna, Bob", "Anna\nBob", "Anna and Bob", "sys.Bob"])
def test_two_names_are_two_spans(text: str) -> None:
    assert len(found(text, {"Anna": 0.9, "Bob": 0.9, "sys": 0.99})) == 2


def test_a_word_is_as_likely_as_its_likeliest_token() -> None:
    text = "Kovács lives"
    offsets = [(0, 3), (3, 6), (7, 12)]
    masses = [[0.2, 0.1], [0.6, 0.1], [0.001, 0.002]]
    assert words(text, offsets, masses) == [Word(0, 6, PERSON, 0.6)]
    assert words(text, offsets, [[0.0, 0.0], [0.0, 0.0], [0.0, 0.4]]) == [Word(7, 12, LOCATION, 0.4)]
