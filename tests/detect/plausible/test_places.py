"""A place is where a letter goes to: no host, no wallet, no path."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.detect.plausible.places import address, city, place, postcode, road, street


@pytest.mark.parametrize(
    "text", ["221B Baker Street", "Kerkstraat", "ul. Długa 4", "12a", "5", "17/3", "Cours-Mirabeau"]
)
def test_a_street_has_a_name_or_is_the_number_of_a_house(text: str) -> None:
    assert street(text)


NOWHERE = """
0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48|7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13|7b9f3c528a414d0ebb6e0f5c|Ab3xK
db-1.internal:5432|db-1.internal|/var/lib|https://example.org/a b|${STREET}|{{ street }}|user@host 5|key = 5
is required|address|10 / 20
"""


@pytest.mark.parametrize("where", [street, road, address, place])
@pytest.mark.parametrize("text", NOWHERE.strip().replace("\n", "|").split("|"))
def test_hosts_paths_ids_and_words_of_forms_are_nowhere(where: Callable[[str], bool], text: str) -> None:
    assert not where(text)


def test_one_small_word_is_no_street() -> None:
    assert not street("river")
    assert street("River")


def test_a_road_has_a_number_or_is_written_in_capitals() -> None:
    assert road("Baker street 5")
    assert road("Rue De La Paix")
    assert not road("rue de la paix")
    assert not road("Kerkstraat")


def test_an_address_has_several_words_on_one_line_or_on_several() -> None:
    assert address("Hauptstr. 5\n10115 Berlin")
    assert not address("Hauptstraße")


@pytest.mark.parametrize("text", ["1 Hacker Way", "12b, Main Street", "Hauptstraße 5", "Suite 400, Acme House"])
def test_a_place_has_a_number_before_words_or_beside_one_of_the_post(text: str) -> None:
    assert place(text)


@pytest.mark.parametrize("text", ["Way out", "iPhone 15", "Ready player 1"])
def test_a_number_behind_any_words_is_no_place(text: str) -> None:
    assert not place(text)


def test_a_city_is_spelled_like_a_name() -> None:
    assert all(map(city, ["Saint-Denis", "St. John's", "Łódź"]))
    assert not any(map(city, ["enabled", "is required", "us-east-1", "A" * 31 + " " + "B" * 30]))


@pytest.mark.parametrize("text", ["94105", "94105-1234", "SW1A 1AA", "1012 AB", "00-950", "01310-100"])
def test_a_postcode_has_two_digits_at_least(text: str) -> None:
    assert postcode(text)


@pytest.mark.parametrize("text", ["gzip", "1", "123", "a 1b", "94105-1234-1", "12345678901", "94 10 5", "94105_1"])
def test_other_words_and_numbers_are_no_postcode(text: str) -> None:
    assert not postcode(text)
