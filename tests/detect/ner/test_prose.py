"""What is prose, and what is not."""

from __future__ import annotations

from time import perf_counter

import pytest

from proxy.detect.ner.prose import is_prose

PROSE = [
    "my name is anna",
    "Anna Kovács",
    "JOHN SMITH",
    "Hi, this is John from Acme.",
    "O'Neil, Jean-Luc",
    "> Anna Kovács\n> 12 Market Street",
    "<p>John Smith lives here</p>",
    'query { user(name: "Anna Kovács called me today") { id } }',
    "Szabó Éva vagyok, Budapesten lakom",
    "Анна Иванова живёт в Москве",
]
NO_PROSE = [
    "",
    "hello",
    "session.created",
    "msg_01JD7Q2M9V8Z3K4N5P6R7S8T9W",
    "550e8400-e29b-41d4-a716-446655440000",
    "2025-11-23T04:24:00Z",
    "4821 91342.10 12",
    "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=",
    "https://example.com/a/b?c=d",
    "SELECT_ALL item_id, userId",
    '{"type":"message","ts":"1763859724.000200"}',
    "subscription OnPriceUpdate($sku: ID!) { price(sku: $sku) { sku } }",
    "if (x == y) { return a[0]; }",
    "deadbeef cafebabe1 00ff11",
]


@pytest.mark.parametrize("text", PROSE)
def test_sentences_and_names_are_prose(text: str) -> None:
    assert is_prose(text)


@pytest.mark.parametrize("text", NO_PROSE)
def test_ids_code_and_protocol_values_are_no_prose(text: str) -> None:
    assert not is_prose(text)


@pytest.mark.parametrize("filler", ["{}" * 5000, "=;" * 5000, "a1b2c3 " * 2000, "\\n" * 3000])
def test_no_filler_hides_a_sentence(filler: str) -> None:
    assert is_prose(f"{filler} my name is Anna Kovács {filler}")


@pytest.mark.parametrize("unit", ["a", "a'b-", " ", "12 ", "{}", "Aa.", "a  1", "x-", "\n"])
def test_a_hostile_text_is_judged_in_linear_time(unit: str) -> None:
    def spent(length: int) -> float:
        text = (unit * length)[:length]
        started = perf_counter()
        is_prose(text)
        return perf_counter() - started

    assert min(spent(65_536) for _ in range(3)) < 0.1
