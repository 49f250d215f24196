"""Rules as run: the order is the only precedence, and one pointer says which are in force."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codecs import choose
from proxy.core.live import Live
from proxy.core.message import Direction
from proxy.core.policy import Rule
from tests.playbook import BOTH, DOWN, EMAILS, PATTERNS, PEOPLE, UP, Table, policy, rule

ENTITIES = sorted(PATTERNS)
RULES = st.builds(
    Rule,
    st.text("abc", min_size=1, max_size=3),
    st.none() | st.frozensets(st.sampled_from(ENTITIES)),
    st.frozensets(st.sampled_from(list(Direction))),
    st.sampled_from(["replace", "mask", "keep", "close"]),
)


def test_the_first_rule_that_matches_decides():
    first, second = rule("first", "PERSON", operator="keep"), rule("second", operator="close")
    assert policy(first, second).decide("PERSON", UP).rule is first
    assert policy(second, first).decide("PERSON", UP).rule is second


def test_a_rule_for_one_entity_does_not_win_over_an_earlier_one_for_any():
    anything = rule("anything", operator="keep")
    assert policy(anything, EMAILS).decide("EMAIL_ADDRESS", UP).rule is anything


def test_what_no_rule_speaks_of_is_left_alone():
    assert policy(EMAILS).decide("PERSON", UP).rule is None
    assert policy().decide("PERSON", UP).rule is None


def test_a_rule_decides_in_its_own_directions_only():
    only_down = rule("down", "PERSON", directions=[DOWN])
    assert policy(only_down, PEOPLE).decide("PERSON", UP).rule is PEOPLE
    assert policy(only_down, PEOPLE).decide("PERSON", DOWN).rule is only_down
    assert not only_down.matches("PERSON", UP)


@given(st.lists(RULES, max_size=5), st.sampled_from(ENTITIES), st.sampled_from(list(Direction)))
def test_rules_behind_the_one_that_decides_have_no_say(rules, entity, direction):
    winner = policy(*rules).decide(entity, direction).rule
    if winner is None:
        assert not any(one.matches(entity, direction) for one in rules)
    else:
        before = rules[: rules.index(winner)]
        assert not any(one.matches(entity, direction) for one in before)
        assert policy(*before, winner).decide(entity, direction).rule is winner


def test_wanted_are_the_entities_that_some_rule_would_change():
    some = policy(rule("keep", "PERSON", operator="keep"), EMAILS, rule("door", "BADGE", operator="close"))
    assert some.wanted(UP) == {"EMAIL_ADDRESS", "BADGE"}


@pytest.mark.parametrize("rules", [(), (rule("keep", operator="keep"),), (rule("never", directions=[]),)])
def test_nobody_needs_to_look_when_nothing_would_change(rules):
    assert [policy(*rules).wanted(direction) for direction in Direction] == [frozenset(), frozenset()]


def test_a_rule_for_any_entity_wants_those_the_detector_is_asked_for():
    assert policy(rule("all")).wanted(UP) == set(PATTERNS)


@given(st.lists(RULES, max_size=5), st.sampled_from(list(Direction)), st.data())
def test_a_plan_is_what_is_decided_about_every_entity(rules, direction, data):
    mixed = [replace(rule, shadow=data.draw(st.booleans())) for rule in rules]
    one = policy(*mixed)
    assert one.plan(direction) == {entity: one.decide(entity, direction) for entity in one.entities}


@given(st.lists(RULES, max_size=5), st.sampled_from(list(Direction)))
def test_wanted_and_decide_agree(rules, direction):
    one = policy(*rules)
    for entity in one.entities:
        decided, _ = one.decide(entity, direction)
        assert (entity in one.wanted(direction)) == (decided is not None and decided.operator != "keep")


def test_a_swap_replaces_policy_detector_and_what_is_wanted_together():
    live = Live(policy(rule("up", "PERSON", directions=[UP])), Table(), choose)
    assert [one.wanted for one in live.lanes] == [{"PERSON"}, frozenset()]
    new, detector = policy(rule("both", "EMAIL_ADDRESS", directions=BOTH)), Table()
    live.swap(new, detector)
    assert live.policy is new
    assert [(one.wanted, one.detector) for one in live.lanes] == [({"EMAIL_ADDRESS"}, detector)] * 2
