"""A name is what people are called, and nothing that forms, things and firms are."""

from __future__ import annotations

import pytest

from proxy.detect.plausible.people import full_name, name, spoken_name

NAMES = """
Anna|ANNA|anna|Jean-Luc|O'Neill|D\u2019Annunzio|van der Berg|Mary-Jane|J. R.|Li Wei|Schmidt, Anna|McDonald|Zoé
Łukasiewicz|Иванова|山田|Zoe\u0301
"""


@pytest.mark.parametrize("text", NAMES.strip().replace("\n", "|").split("|"))
def test_a_name_is_spelled_in_many_ways(text: str) -> None:
    assert name(text)


NO_NAMES = [
    *("A", "admin", "Admin", "string", "REDACTED", "can't be blank", "est requis", "user_17", "R2-D2"),
    *("https://example.org/a", "7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13", "gUeRv JgwBuNOn", "JgwBuNOn", "AnnaB"),
    *("-Anna", "Anna  Schmidt", "Anna; Bob", "A" * 41, "Anna " * 16 + "Anna"),
]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_no_one_is_called_is_no_name(text: str) -> None:
    assert not name(text)


def test_one_word_in_lower_case_is_no_spoken_name() -> None:
    assert spoken_name("anna schmidt")
    assert spoken_name("Anna")
    assert not spoken_name("darkwolf")


@pytest.mark.parametrize("text", ["Jane Doe", "Ludwig van Beethoven", "Doe, Jane", "J. R. Smith", "Li Wei"])
def test_a_full_name_has_two_words_at_least(text: str) -> None:
    assert full_name(text)


THINGS = "Jane|Engineering Team|North Station|Acme Corp.|jane doe|Jane doe|Jane van|A. B|A B C D E F"


@pytest.mark.parametrize("text", THINGS.split("|"))
def test_what_may_be_a_thing_or_a_firm_is_no_full_name(text: str) -> None:
    assert not full_name(text)
