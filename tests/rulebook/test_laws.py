"""Laws of the rule book, for rule files that nobody would think of (tests/rulebook/files.py)."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxy.codecs import choose
from proxy.core.action import Action, CloseSide, Drop, Note, Send
from proxy.core.lane import Lane, refusal_of
from proxy.core.message import Direction, Kind
from proxy.core.policy import Policy
from proxy.core.session import Session
from proxy.rulebook.document import read
from proxy.rulebook.effective import effective
from proxy.rulebook.faults import CODES, RulesError
from proxy.rulebook.load import Built, build
from tests.rulebook.files import FOLDER, MAIN, Wide, family, message, wide

RANDOM = st.integers(0, 1 << 32).map(Random)
MESSAGES = 4


def work(built: Built[Wide], way: Direction, payload: bytes, policy: Policy | None = None) -> list[Action]:
    """What a lane makes of a message, as the wire would have it."""
    lane = Lane(way, policy or built.policy, built.detector, choose)
    try:
        return lane.work(Kind.TEXT, payload, Session(1))
    except Exception as error:
        return lane.refuse(refusal_of(error))


def sent(actions: list[Action]) -> list[Action]:
    """All but what is noted."""
    return [action for action in actions if not isinstance(action, Note)]


def some(random: Random) -> tuple[dict[Any, bytes], Built[Wide]]:
    """Rules that can go live."""
    contents = family(random)
    try:
        return contents, build(str(MAIN), wide(), contents)
    except RulesError:
        assume(False)
        raise


def is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(RANDOM)
def test_rules_are_refused_with_a_place_or_run_without_an_error(random: Random) -> None:
    contents = family(random)
    try:
        built = build(str(MAIN), wide(), contents)
    except RulesError as error:
        for fault in error.faults:
            assert fault.code in CODES and fault.line and fault.column, fault
            assert 1 <= fault.line <= contents[FOLDER / fault.source].count(b"\n")
        return
    for _ in range(MESSAGES):
        payload = message(random)
        for way in Direction:
            for action in work(built, way, payload):
                match action:
                    case Note():
                        assert action.cause is None or action.cause.value == "policy", "a step raised"
                        assert action.digest == built.policy.digest
                    case Send():
                        assert is_json(action.payload) or not is_json(payload)
                    case Drop() | CloseSide():
                        pass


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_what_check_builds_is_what_run_builds(random: Random) -> None:
    contents, built = some(random)
    again = build(str(MAIN), wide(), contents)
    assert again.policy.digest == built.policy.digest and again.files == built.files
    payload = message(random)
    assert [work(again, way, payload) for way in Direction] == [work(built, way, payload) for way in Direction]


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_an_empty_file_that_extends_another_is_that_file(random: Random) -> None:
    contents, built = some(random)
    child = FOLDER / "child.yaml"
    contents[child] = b"version: 1\nextends: [./main.yaml]\n"
    extended = build(str(child), wide(), contents)
    assert [rule.id for rule in extended.policy.rules] == [rule.id for rule in built.policy.rules]
    for name in ("threshold", "entities", "expires"):
        assert getattr(extended.policy, name) == getattr(built.policy, name)
    for _ in range(MESSAGES):
        payload = message(random)
        for way in Direction:
            assert sent(work(extended, way, payload)) == sent(work(built, way, payload))


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_the_effective_rules_mean_the_same_in_one_file(random: Random) -> None:
    contents, built = some(random)
    text = effective(str(MAIN), contents)
    assert not read(text, "merged").faults
    whole = build(str(FOLDER / "whole.yaml"), wide(), contents | {FOLDER / "whole.yaml": text.encode()})
    assert len(whole.files) <= 2  # itself, and a list
    assert [(rule.id, rule.shadow) for rule in whole.policy.rules] == [
        (rule.id, rule.shadow) for rule in built.policy.rules
    ]
    for _ in range(MESSAGES):
        payload = message(random)
        for way in Direction:
            assert sent(work(whole, way, payload)) == sent(work(built, way, payload))


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_a_route_in_shadow_mode_changes_no_byte_and_notes_what_it_would_do(random: Random) -> None:
    contents, built = some(random)
    shadowed = replace(built, policy=build(str(MAIN), wide(shadow=True), without_tests(contents)).policy)
    for _ in range(MESSAGES):
        payload = message(random)
        for way in Direction:
            *notes, last = work(shadowed, way, payload)
            assert isinstance(last, Send) and last.payload is payload
            assert all(done.mode == "shadow" for note in notes for done in note.findings)


def without_tests(contents: dict[Any, bytes]) -> dict[Any, bytes]:
    """Rules whose conversations do not count: in shadow mode nothing goes as it is written there."""
    return {path: text.partition(b"\ntests:")[0] + b"\n" for path, text in contents.items()}


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_a_rule_in_shadow_mode_changes_no_byte(random: Random) -> None:
    _, built = some(random)
    enforced = tuple(rule for rule in built.policy.rules if not rule.shadow)
    bare = replace(built.policy, rules=enforced)
    for _ in range(MESSAGES):
        payload = message(random)
        for way in Direction:
            assert sent(work(built, way, payload)) == sent(work(built, way, payload, bare))
