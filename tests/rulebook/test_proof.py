"""Entities, rules and whole conversations prove themselves before they go live."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.load import Built, build
from tests.rulebook.files import Wide, wide

MAIN = Path("/rules-of-a-test/main.yaml")
HEAD = r"""version: 1
entities:
  BADGE:
    patterns: [{regex: '\bB-\d\d\b', score: 0.8}, {regex: '\bB\d\d\b', score: 0.3}]
    context: {words: [badge], within: 12, boost: 0.3}
    tests: %s
  NAME: {deny_list: {values: [Blue Heron, zoë], ignore_case: true, whole_word: true}}
"""
RULES = """rules:
  - {id: quiet, entities: [BADGE], mode: shadow, action: close, tests: {match: [B-12]}}
  - {id: badges, entities: [BADGE], action: mask, direction: client_to_upstream, tests: {match: [B-12]}}
  - {id: names, entities: [NAME], action: redact, tests: {match: ['a blue heron', 'ZOË'], no_match: [blueheron]}}
  - {id: stop, entities: [BADGE], action: {close: {code: 4001}}}
"""


def made(tests: str = "{}", rules: str = RULES, more: str = "") -> Built[Wide]:
    return build(str(MAIN), wide(), {MAIN: (HEAD % tests + rules + more).encode()})


def fault(tests: str = "{}", rules: str = RULES, more: str = "") -> Fault:
    with pytest.raises(RulesError) as caught:
        made(tests, rules, more)
    (one,) = caught.value.faults
    assert "B-12" not in one.sentence and "heron" not in one.sentence.lower()
    return one


def talk(conversation: str) -> str:
    return f"tests:\n  - name: talk\n    {conversation}\n"


@pytest.mark.parametrize(
    "tests",
    [
        "{match: [badge B12, {text: 'x B-12.', span: B-12}], no_match: [B12, B-1, 'badge, a long way B12']}",
        '{match: [\'{"badge": "B-12"}\']}',
    ],
)
def test_an_entity_that_is_found_as_it_says_goes_live(tests: str) -> None:
    assert made(tests).policy.entities == {"BADGE", "NAME"}


@pytest.mark.parametrize(
    ("tests", "place", "why"),
    [
        ("{match: [B-1]}", "B-1", "nothing is found"),
        ("{no_match: [x, B-12]}", "B-12", "something is found"),
        ("{match: [{text: B-12 or so, span: B-12 or}]}", "{text", "something else than the span is found"),
    ],
)
def test_an_entity_that_fails_its_own_example_does_not(tests: str, place: str, why: str) -> None:
    told = fault(tests)
    assert (told.code, told.line, told.column) == ("E033", 6, len("    tests: ") + 1 + tests.index(place))
    assert told.sentence == f"BADGE fails its own example: {why} in this text"


def test_a_span_that_is_not_in_its_text_is_a_fault_of_the_file() -> None:
    assert fault("{match: [{text: x, span: y}]}").code == "E013"


def test_an_example_of_a_rule_that_never_gets_anything_says_who_does() -> None:
    late = "  - {id: late, entities: [NAME], action: keep, tests: {match: [Blue Heron]}}\n"
    told = fault(rules=RULES + late)
    assert (told.code, told.line) == ("E031", 13)
    assert told.sentence.endswith("rule 'names' stands before it and decides about what is found")


def test_a_rule_of_one_direction_leaves_the_other_to_the_next() -> None:
    assert made(rules=RULES.replace("{code: 4001}}}", "{code: 4001}}, tests: {match: [B-12]}}")).policy.rules


def test_a_conversation_goes_through_both_lanes() -> None:
    assert made(
        more=talk("send: {body: {t: 'B-12', n: 1}}")
        + "    upstream_gets: {body: {n: 1, t: '****'}}\n"
        + "    upstream_sends: {text: hello Zoë}\n"
        + "    client_gets: {text: 'hello '}\n"
    ).policy.rules


@pytest.mark.parametrize(
    ("conversation", "why"),
    [
        ("{send: {text: B-12}, upstream_gets: {text: B-12}}", "something else arrives"),
        ("{send: {text: 'null'}, upstream_gets: {body: 1}}", "something else arrives"),
        ("{send: {text: hi}, upstream_gets: {body: hi}}", "something else arrives"),
        ("{upstream_sends: {text: B-12}, client_gets: {text: ''}}", "the connection is closed with 4001"),
    ],
)
def test_a_conversation_that_goes_another_way_is_a_fault(conversation: str, why: str) -> None:
    told = fault(more=f"tests:\n  - {conversation[:1]}name: talk, {conversation[1:]}\n")
    assert (told.code, told.line) == ("E034", 14)
    assert told.sentence == f"this conversation does not go as written: {why}"


def test_a_dropped_message_never_arrives() -> None:
    rules = "rules: [{id: a, entities: [NAME, BADGE], action: drop}]\n"
    told = fault(rules=rules, more=talk("send: {text: Zoë}\n    upstream_gets: {text: ''}"))
    assert told.sentence.endswith("the message is dropped")


@pytest.mark.parametrize(
    "conversation",
    ["send: {text: x}", "client_gets: {text: x}", "send: {}\n    upstream_gets: {text: x}", "upstream_sends: {}"],
)
def test_half_a_conversation_is_a_fault_of_the_file(conversation: str) -> None:
    with pytest.raises(RulesError, match="E013"):
        made(more=talk(conversation))


def test_a_rehearsal_is_proven_as_if_it_were_none() -> None:
    more = talk("send: {text: B-12}\n    upstream_gets: {text: '****'}")
    for rules in ("mode: shadow\n" + RULES, RULES):
        assert made(rules=rules, more=more).policy.rules[1].shadow == rules.startswith("mode")


@pytest.mark.parametrize(
    ("entities", "code", "part"),
    [
        ("{BADGE: {description: x}}", "E025", "nothing says how BADGE is to be found"),
        ("{BADGE: {deny_list: {}}}", "E013", "either here or in a file"),
        ("{BADGE: {deny_list: {values: [ab], file: b}}}", "E013", "either here or in a file"),
        ("{BADGE: {deny_list: {file: none.txt}}}", "E023", "No such file"),
        ("{BADGE: {presidio: {class: nobody.There}}}", "E022", "there is no class nobody.There"),
        (
            "{BADGE: {presidio: {class: presidio_analyzer.predefined_recognizers.IpRecognizer}}}",
            "E022",
            "this finds IP_ADDRESS, not BADGE",
        ),
        ("{BADGE: {context: {words: [x]}}}", "E013", "there are none"),
        ("{badge: {deny_list: {values: [a]}}}", "E013", "capital letters"),
        ("{BADGE: {patterns: [{regex: '(.*)*=(.*)*;', score: 1}]}}", "E021", "exponential"),
        ("{BADGE: {patterns: [{regex: '(?<=a)b', score: 1}]}}", "E021", "look-around"),
        ("{BADGE: {patterns: [{regex: '(', score: 1}]}}", "E020", "not a regex"),
        ("{BADGE: {deny_list: {values: [ab, a]}}}", "E023", "has 2 characters at least"),
        ("{BADGE: {deny_list: {values: ['a\\tb', \"a\\u0007b\"]}}}", "E023", "no control characters"),
        ("{BADGE: {deny_list: {values: [ab]}}, NAME: {deny_list: {values: [ab]}}}", "E035", "NAME"),
    ],
)
def test_an_entity_that_cannot_be_found_is_a_fault(entities: str, code: str, part: str) -> None:
    text = f"version: 1\nentities: {entities}\nrules: [{{id: a, entities: [BADGE], action: keep}}]\n"
    with pytest.raises(RulesError) as caught:
        build(str(MAIN), wide(), {MAIN: text.encode()})
    told = [one for one in caught.value.faults if one.code == code]
    assert told and part in told[0].sentence and told[0].line == 2


@pytest.mark.parametrize(("context", "found"), [("", False), (", after: 12", True)])
def test_a_context_word_counts_behind_a_match_if_that_is_asked_for(context: str, found: bool) -> None:
    pattern = "patterns: [{regex: 'B-1', score: 0.3}], context: {words: [badge], boost: 0.4" + context + "}"
    tests = "{match: ['badge B-1', 'B-1 is a badge']}"
    text = f"version: 1\nentities: {{B: {{{pattern}, tests: {tests}}}}}\n"
    text += "rules: [{id: a, entities: [B], action: keep}]\n"
    if found:
        build(str(MAIN), wide(), {MAIN: text.encode()})
    else:
        with pytest.raises(RulesError, match="E033"):
            build(str(MAIN), wide(), {MAIN: text.encode()})


def test_backtracking_can_be_asked_for() -> None:
    text = "version: 1\nentities: {B: {patterns: [{regex: '(?<=a)b', score: 1, engine: backtracking}]}}\n"
    text += "rules: [{id: a, entities: [B], action: keep, tests: {match: [ab], no_match: [cb]}}]\n"
    assert build(str(MAIN), wide(), {MAIN: text.encode()}).policy.entities == {"B"}
