"""A message that is read only near the gate's hits becomes what it becomes when all of it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.corpus import clean
from benchmarks.corpus.personal import hidden, plain
from benchmarks.gate_proof import together
from benchmarks.texts import Texts
from proxy.codecs import choose
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.core.operators import mask
from proxy.core.policy import Policy, Rule
from proxy.detect.engine import Engine
from proxy.detect.recognizer import FLOOR
from tests.detect.clean_payloads import PAYLOADS
from tests.detect.looking import detector
from tests.detect.test_clear import documents
from tests.playbook import SESSION


@cache
def lane(engine: Engine) -> Lane:
    """One that masks whatever there is."""
    rules = (Rule("all", None, frozenset(Direction), "mask", mask()),)
    policy = Policy("test", "digest", FLOOR, engine.entities, rules)
    return Lane(Direction.CLIENT_TO_UPSTREAM, policy, engine, choose)


def read_and_whole(text: str, engine: Engine | None = None) -> tuple[int, int]:
    """How many leaves of a message are read, and how many it has. Fails if they do not make it the same."""
    engine = engine or detector()
    payload, masking = text.encode(errors="replace"), lane(engine)
    near, whole = (masking.offer(Kind.TEXT, payload, SESSION, whole=every) for every in (False, True))
    some, every = (
        masking.settle(batch, engine.find(batch.leaves, masking.wanted, FLOOR)) for batch in (near, whole)
    )
    assert some == every
    return len(near.leaves), len(whole.leaves)


@settings(max_examples=500, deadline=None)
@given(documents())
def test_a_message_becomes_the_same_however_it_is_escaped(document: str) -> None:
    read_and_whole(document)


KEYS = ["card", "number", "name", "user", "firstName", "email", "value", "phone", "pr\u00e9nom", "address", "n"]
KEYS += ["billing address", "driver's license", "accounts", "id", "first_\u006eame", "\U0001f600", "ssn", "line1"]
LEAVES = st.sampled_from(
    ["Ann Lee", "bob@example.com", "212-555-0142", "12 High Street", "", "x", "ok", "\\", "\n"]
)
NUMBERS = st.sampled_from([4111111111111111, 2125550142, -2125550142, 1763859724123, 12, 219099999, 0.5, 1e300])


@settings(max_examples=1500, deadline=None)
@given(
    st.recursive(
        LEAVES | NUMBERS | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
        max_leaves=9,
    ),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_what_keys_say_is_said_of_the_same_values(document: object, ascii_only: bool, indent: int | None) -> None:
    read_and_whole(json.dumps({"top": document}, ensure_ascii=ascii_only, indent=indent))


def _corpus() -> Iterator[str]:
    yield from (one.text for one in clean.frames())
    yield from (one.text for one in plain())
    yield from (one.text for one in hidden())
    yield from map(json.dumps, PAYLOADS)


def test_the_messages_of_the_corpus_become_the_same_and_most_of_them_is_passed_over() -> None:
    read, there = map(sum, zip(*map(read_and_whole, _corpus()), strict=True))
    assert there > 20_000
    assert read < there / 3


@pytest.mark.parametrize("seed", [1, 2])
def test_generated_texts_become_the_same_as_values_of_json(seed: int) -> None:
    random, texts = Random(seed), list(Texts(seed).texts(2_000))
    while texts:
        some = [texts.pop() for _ in range(min(len(texts), 8))]
        read_and_whole(together(some, random))


def test_where_places_cannot_be_told_everything_is_read() -> None:
    entities = detector().entities
    assert detector().near(b'{"a":"bob@example.com"}', entities, FLOOR)
    assert detector().near(b'{"a":"nothing"}', entities, FLOOR) == []
    assert detector().near(b'{"a":"nothing"}', entities, FLOOR - 0.01) is None
    assert detector().near(b'{"a":"\xff"}', entities, FLOOR) is None
    assert detector().near('{"a":"\u0663"}'.encode(), entities, FLOOR) is None  # a digit beyond ASCII
    assert detector().near(b"212-555-0142 " * 20_000, entities, FLOOR) is None  # hits without end
    with pytest.raises(LookupError, match="SHOE_SIZE"):
        detector().near(b"nothing", frozenset({"SHOE_SIZE"}), FLOOR)


def test_a_recognizer_without_triggers_is_shown_every_text() -> None:
    class Shoes:
        name, entity, triggers, before, after = "shoes", "SHOE", (), 0, 0

    engine = Engine([Shoes()])  # type: ignore[list-item] - it is not asked to find any
    assert engine.near(b"nothing", frozenset({"SHOE"}), FLOOR) is None
    assert engine.near(b"nothing", frozenset({"EMAIL_ADDRESS"}), FLOOR) == []
