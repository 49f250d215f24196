"""What is doubtful by its spelling, and how addresses grow whole."""

from __future__ import annotations

import re

import pytest

from proxy.detect.ner.address import addresses
from proxy.detect.ner.doubt import doubtful
from proxy.detect.ner.model import LOCATION, PERSON, Span


def marked(text: str, entity: str) -> tuple[str, list[Span]]:
    """`text` without its [brackets], and a span for each of them."""
    found: list[Span] = []
    plain = ""
    for part in re.split(r"(\[[^]]*\])", text):
        if part.startswith("["):
            found.append(Span(entity, len(plain), len(plain) + len(part) - 2, 0.8))
        plain += part.strip("[]")
    return plain, found


@pytest.mark.parametrize(
    "text",
    [
        "writes to [sys].stdout.",
        "call [len](x) first",
        "the [_name]_ of it",
        "see sys.[stderr] now",
        "returns [NaN] or",
        "the [getValue] method",
        "[Gaussian] blur with radius 4",
        "[Newton's] second law",
        "[Kafka] consumer lag",
        "our [HELO] reply",
        "the room [hall3]",
        "bumped [lodash]@15.3",
        "at [Thu], 08 Jul 2027",
        "12 [May] 2026",
    ],
)
def test_code_eponyms_products_and_dates_are_no_people(text: str) -> None:
    plain, (span,) = marked(text, PERSON)
    assert doubtful(plain, span)


@pytest.mark.parametrize(
    "text",
    [
        "ask [Anna].",
        "([Anna Kovács])",
        "[McKay] said",
        "[O'Neil]'s car",
        "[Jan] called",
        "with [Franz Kafka] in it",
        "[SMITH], JOHN",
        '"[Anna]"',
        "[Anna]/Bob",
        "[May] is here",
    ],
)
def test_people_are_not_doubted(text: str) -> None:
    plain, (span,) = marked(text, PERSON)
    assert not doubtful(plain, span)


@pytest.mark.parametrize(
    "text", ["exited with code [137]", "see RFC [6125]", "In [hall 3] now", "release [v3] is", "lap [34, go]"]
)
def test_numbered_things_are_no_places(text: str) -> None:
    plain, (span,) = marked(text, LOCATION)
    assert doubtful(plain, span)


@pytest.mark.parametrize("text", ["in [Boston].", "at [12 Market Street]", "to [market street 3]", "in [NYC] now"])
def test_places_are_not_doubted(text: str) -> None:
    plain, (span,) = marked(text, LOCATION)
    assert not doubtful(plain, span)


def grown(text: str) -> list[str]:
    plain, found = marked(text, LOCATION)
    return [plain[span.start : span.end] for span in addresses(plain, found)]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (
            "to [12 Market Street], Suite 5, [Boston], MA 02101, USA please",
            "12 Market Street, Suite 5, Boston, MA 02101, USA",
        ),
        ("at 4844 [Søndergade 52]\n Apt. 656\n [Brønderslev]\n\n", "4844 Søndergade 52\n Apt. 656\n Brønderslev"),
        ("from [Warwick], United Kingdom!", "Warwick, United Kingdom"),
        ("[704 Redbud Drive]\nSmall Town\n[60810]", "704 Redbud Drive\nSmall Town\n60810"),
        ("at the corner of [5th Avenue] and Main Street.", "the corner of 5th Avenue and Main Street"),
        ("write to P.O. Box 211 today", "P.O. Box 211"),
        ("send it to PSC 0413, Box 8144\nAPO AA 42323 now", "PSC 0413, Box 8144\nAPO AA 42323"),
        ("she moved here from Estonia", "Estonia"),
        ("my zip code is 35350", "35350"),
        ("Postcode: SW1A 1AA", "SW1A 1AA"),
    ],
)
def test_an_address_is_found_whole(text: str, whole: str) -> None:
    assert grown(text) == [whole]


@pytest.mark.parametrize("text", ["PEP [3119] says", "We ship to France.", "Estonia won 3:1", "zip code missing"])
def test_a_number_or_a_country_alone_is_no_address(text: str) -> None:
    assert grown(text) == []


def test_a_city_does_not_swallow_the_numbers_beside_it() -> None:
    assert grown("In 2019 [Boston] 500 people came") == ["Boston"]
