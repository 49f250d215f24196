"""What the engine adds to its parts: keys, bare numbers, a language model, and one look for both directions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import pytest

from proxy.codecs import JSON
from proxy.core.finding import Finding
from proxy.detect.engine import Engine
from proxy.detect.ner import Names, available, open_model
from proxy.detect.recognizers.countries import from_patterns, of_countries
from proxy.detect.recognizers.wordlist import word_list

PEOPLE = frozenset({"PERSON", "CREDIT_CARD", "US_SSN"})


def found(engine: Engine, document: object, entities: frozenset[str] = PEOPLE) -> list[tuple[str, str, str]]:
    leaves = JSON.read(json.dumps(document).encode())
    findings: Sequence[Sequence[Finding]] = engine.find(leaves, entities, 0.5)
    return [
        (leaf.path, leaf.text[one.start : one.end], one.entity)
        for leaf, here in zip(leaves, findings, strict=True)
        for one in here
    ]


@cache
def engine() -> Engine:
    return Engine(budget=20)


def test_a_key_says_what_a_value_is() -> None:
    document = {"first_name": "Ada", "room": "Ada", "customer": {"name": "Ada Lovelace"}}
    assert found(engine(), document) == [
        ("$.first_name", "Ada", "PERSON"),
        ("$.customer.name", "Ada Lovelace", "PERSON"),
    ]


def test_a_bare_number_is_somebodys_only_by_its_key() -> None:
    document = {
        **{"card_number": 4111111111111111, "card": 5555555555554444, "id": 4111111111111111},
        **{"cards": 12345678, "ssn": 219099999, "n": 219099999},
    }
    everything = found(engine(), document)
    assert sorted(set(everything)) == [
        ("$.card", "5555555555554444", "CREDIT_CARD"),
        ("$.card_number", "4111111111111111", "CREDIT_CARD"),
        ("$.ssn", "219099999", "US_SSN"),
    ]


def test_a_bare_number_is_what_the_recognizers_of_a_policy_say() -> None:
    staff = from_patterns("staff", "STAFF", [(r"\b77\d{6}\b", 0.9)])
    listed = word_list("LISTED", ["88001122"], ignore_case=True, whole_word=True)
    one = Engine((*staff, listed, *of_countries(["de", "uk"])), budget=20)
    document = {"a": 77123456, "b": [88001122], "c": 771234567, "id": 4111111111111111}
    assert found(one, document, one.entities) == [
        ("$.a", "77123456", "STAFF"),
        ("$.b[0]", "88001122", "LISTED"),
    ]
    assert not one.clear(b'{"a": 77123456}', frozenset({"STAFF"}), 0.5)
    assert found(one, document, frozenset({"CREDIT_CARD"})) == []


def test_what_is_compiled_for_more_serves_for_less_and_finds_no_more() -> None:
    one = Engine(budget=20)
    wide = one.prepare(PEOPLE)
    assert one.prepare(frozenset({"PERSON"})) is wide
    assert found(one, {"first_name": "Ada", "card_number": "4111111111111111"}, frozenset({"PERSON"})) == [
        ("$.first_name", "Ada", "PERSON")
    ]


def test_a_message_with_a_telling_key_is_not_clear() -> None:
    assert engine().clear(b'{"text": "Ada"}', PEOPLE, 0.5)
    assert not engine().clear(b'{"first_name": "Ada"}', PEOPLE, 0.5)
    assert not engine().clear(b'{"first\\u005fname": "Ada"}', PEOPLE, 0.5)


def test_a_model_reads_prose_and_no_protocol_fields() -> None:
    if not available():
        pytest.fail("the extra ner is part of dev: make test installs it")
    fields = {"$.type", "$.id"}
    reader = Engine(fields=fields.__contains__, budget=20, names=Names(open_model("rampart")))
    said = "Please tell Maria Kowalski that I am late"
    assert found(reader, {"text": said, "type": said, "id": said}) == [("$.text", "Maria Kowalski", "PERSON")]
    assert reader.heavy(PEOPLE)
    assert not reader.heavy(frozenset({"CREDIT_CARD"}))
    assert not reader.clear(b"hello there", PEOPLE, 0.5)
