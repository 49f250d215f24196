"""The tier as the engine sees it, with the real model."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxy.detect.deadline import Deadline
from proxy.detect.ner import Names, open_model
from proxy.detect.ner.model import ENTITIES, PERSON, Span
from proxy.detect.ner.names import CEILING, SAMPLE

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(open_model("rampart"))


@pytest.fixture(scope="module")
def strict() -> Names:
    return Names(open_model("strict"))


def found(names: Names, text: str, threshold: float = 0.5) -> list[tuple[str, str]]:
    return [(f.entity, text[f.start : f.end]) for f in names.find(text, threshold, Deadline(30))]


def test_names_and_addresses_in_a_sentence_are_found(names: Names) -> None:
    names.warm()
    assert found(names, SAMPLE) == [("PERSON", "Anna Kovács"), ("LOCATION", "12 Market Street, Boston")]
    (first, _) = names.find(SAMPLE, 0.5, Deadline(30))
    assert first.recognizer == "rampart"
    assert first.score == CEILING


@pytest.mark.parametrize(
    "text",
    [
        "deploy is green, merging now",
        "Docker container exited with code 137",
        "order 4259-986845 was shipped",
        "The base implementation writes to sys.stderr; a subclass may replace it.",
    ],
)
def test_prose_about_nobody_stays(names: Names, text: str) -> None:
    assert found(names, text) == []


class Counting:
    """A model that takes every capitalised `Anna` for a person, and counts its windows."""

    name = "counting"
    entities = ENTITIES

    def __init__(self) -> None:
        self.read_windows = 0

    def read(self, text: str, threshold: float) -> list[Span]:
        self.read_windows += 1
        at = text.find("Anna")
        return [Span(PERSON, at, at + 4, 0.9)] if at >= 0 else []


def test_a_text_is_read_once_and_what_is_no_prose_never() -> None:
    model = Counting()
    names = Names([model])
    for _ in range(3):
        assert found(names, "this is Anna") == [("PERSON", "Anna")]
    assert model.read_windows == 1
    assert names.known("this is Anna", 0.5)
    assert not names.known("this is Anna", 0.6)
    assert found(names, '{"name":"Anna"}') == []
    assert found(names, "this is Anna", CEILING + 0.01) == []
    assert model.read_windows == 1
    assert names.weight("Anna") == 0
    assert names.weight("this is Anna") == 1


def test_the_cache_is_bounded_and_keeps_no_text() -> None:
    names = Names([Counting()], cached=8)
    for number in range(50):
        found(names, f"this is Anna and number {number}")
    kept = names._cache._kept
    assert len(kept) == 8
    assert "Anna" not in repr(kept)
    assert all(sys.getsizeof(key) < 64 for key in kept)


def test_a_name_is_found_wherever_it_stands_in_a_long_text(names: Names) -> None:
    for words in (70, 75, 78, 80, 85, 160, 170):
        text = "word " * words + "and my name is Anna Kovács, by the way. " + "word " * 100
        assert ("PERSON", "Anna Kovács") in found(names, text), words
    assert names.weight(text) > 2


def test_over_its_deadline_the_tier_raises_and_remembers_nothing(names: Names) -> None:
    text = "We met Anna Kovács in Boston. " * 500
    with pytest.raises(TimeoutError):
        names.find(text, 0.5, Deadline(0.05))
    assert not names.known(text, 0.5)


def test_a_window_of_more_tokens_than_the_model_takes_is_read_in_parts(names: Names) -> None:
    text = "한국어텍스트 " * 60 + " my name is Anna Kovács"
    assert ("PERSON", "Anna Kovács") in found(names, text)


def test_lone_surrogates_and_strange_characters_are_read(names: Names) -> None:
    assert ("PERSON", "Anna Kovács") in found(names, "\x00 \U0001f600 my name is Anna Kovács \u200b\ufeff ok")
    assert ("PERSON", "Anna Kovács") in found(names, "oh \ud800 my name is Anna Kovács")


def test_threads_find_what_one_thread_finds() -> None:
    texts = [
        f"My name is {first} {last} and I live in Boston."
        for first in ("Anna", "John", "Eva")
        for last in ("Kovács", "Smith", "Nagy", "Brown")
    ]
    alone, shared = Names(open_model("rampart"), cached=1), Names(open_model("rampart"), cached=1)
    expected = [found(alone, text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: found(shared, text), texts * 4)) == expected * 4
    assert all(len(one) == 2 for one in expected)


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)  # not sockets as such: threads of other tests have some
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield


@pytest.mark.usefixtures("_no_network")
def test_models_load_and_read_without_any_network() -> None:
    Names(open_model("strict")).warm()


def test_strict_finds_all_that_the_model_alone_finds(names: Names, strict: Names) -> None:
    for text in (SAMPLE, "Unlike the Christiansen novel, it is about nothing."):
        assert set(found(names, text)) <= set(found(strict, text))
    assert ("PERSON", "Christiansen") in found(strict, "Unlike the Christiansen novel, it is about nothing.")


def test_the_quality_of_names_on_synthetic_prose(names: Names) -> None:
    path = DATA / "presidio_research_synth_v2.jsonl"
    if not path.is_file():
        pytest.skip("the evaluation data is not here")
    gold = hit = predicted = right = 0
    for row in [json.loads(line) for line in path.read_text("utf-8").splitlines()][::5]:
        spans = names.find(row["text"], 0.5, Deadline(30))
        covered = {at for span in spans for at in range(span.start, span.end)}
        for start, end, kind in row["spans"]:
            if kind in ENTITIES:
                gold += 1
                hit += len(covered & set(range(start, end))) >= 0.9 * (end - start)
        for span in spans:
            touched = [kind for start, end, kind in row["spans"] if start < span.end and span.start < end]
            if touched != [None] * len(touched) or not touched:
                predicted += 1
                right += any(touched)
    assert right / predicted >= 0.97
    assert hit / gold >= 0.82
