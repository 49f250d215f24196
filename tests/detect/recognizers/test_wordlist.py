"""What stands on a list is found, wherever it stands, and nothing else is."""

from __future__ import annotations

import pytest

from proxy.detect.deadline import Deadline
from proxy.detect.recognizers.wordlist import word_list

WORDS = ["Blue Heron", "Zoë", "C++", "a.b", "Heron"]


def found(text: str, *, ignore_case: bool = True, whole_word: bool = True, words: list[str] = WORDS) -> set[str]:
    lists = word_list("NAME", words, ignore_case=ignore_case, whole_word=whole_word)
    places = lists.find(text, 0, len(text), 0.5, Deadline(20))
    return {text[one.start : one.end] for one in places if one.entity == "NAME"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("the blue heron, ZOË and c++", {"blue heron", "heron", "ZOË", "c++"}),
        ("Heron's", {"Heron"}),
        ("(a.b)", {"a.b"}),
        ("axb, Zoës, herons, blue-heron", {"heron"}),
        ("", set()),
    ],
)
def test_whole_words_are_found_in_either_case(text: str, values: set[str]) -> None:
    assert found(text) >= values - {"heron"} and found(text) <= values


def test_case_can_count() -> None:
    assert found("zoë Zoë ZOË", ignore_case=False) == {"Zoë"}


def test_parts_of_words_can_count() -> None:
    assert found("Herons and xC++x", whole_word=False) == {"Heron", "C++"}


def test_a_long_list_is_found_word_by_word() -> None:
    words = [f"name{n:05}" for n in range(2000)]
    assert found("name00000 and NAME01999, name02000", words=words) == {"name00000", "NAME01999"}


def test_what_takes_too_long_is_refused() -> None:
    lists = word_list("NAME", WORDS, ignore_case=True, whole_word=True)
    with pytest.raises(TimeoutError):
        list(lists.find("heron " * 1000, 0, 6000, 0.5, Deadline(-1)))
