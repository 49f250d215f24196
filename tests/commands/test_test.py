"""`hushwire test`: every example as it stands and written otherwise, and what has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.commands.mutate import wrapped
from proxy.commands.trials import Trial, trials
from proxy.rulebook.load import draft, shipped
from tests.commands.running import hushwire
from tests.rules import ground, policy

RULES = r"""
version: 1
entities:
  BADGE:
    patterns: [{regex: '\bB-\d{4}\b', score: 0.9}]
    tests: {match: ["B-0012", {text: "id=B-0034.", span: B-0034}], no_match: ["B-1"]}
  CODENAME: {deny_list: {values: [Blue Heron]}}
rules:
  - {id: up, entities: [CODENAME], direction: client_to_upstream, action: drop}
  - id: all
    entities: [BADGE, CODENAME]
    action: redact
    tests: {match: ["B-0012", "ask Blue Heron"], no_match: ["B-12"]}
tests:
  - {name: a badge, send: {text: my B-0012}, upstream_gets: {text: "my "}}
"""


def tried(path: Path, text: str) -> list[Trial]:
    path.write_text(text)
    return list(trials(draft(str(path), ground())))


def test_every_example_is_tried_in_every_way_it_can_be_written(tmp_path: Path) -> None:
    done = {trial.name: trial for trial in tried(tmp_path / "a.yaml", RULES)}
    assert {name: (one.kind, one.passed, one.proven) for name, one in done.items()} == {
        "BADGE": ("entity", 3, True),
        "CODENAME": ("entity", 0, False),
        "up": ("rule", 0, False),
        "all": ("rule", 3, True),
        "a badge": ("conversation", 1, True),
    }
    # three kinds of JSON for each; lower case and full-width digits for badges; upper and lower for the name
    assert done["BADGE"].mutations == 3 * 3 + 2 * 2
    assert done["all"].mutations == 3 * 3 + 2 + 2
    assert all(one.mutations == one.mutations_passed and not one.failed for one in done.values())


NESTED = """'{"note": {"b": "B-0012"}}'"""


@pytest.mark.parametrize(
    ("change", "by", "place", "told"),
    [
        ('match: ["B-0012", {', 'match: ["C-0012", {', '"C-0012"', "BADGE fails its own example"),
        ('no_match: ["B-12"]', 'no_match: ["B-1200"]', '"B-1200"', "something is found in this text"),
        ("upstream_gets: {text: ", "upstream_gets: {text: x", "{text: x", "something else arrives"),
        ('match: ["B-0012", "ask', f'match: [{NESTED}, "ask', NESTED, "when it stands in JSON"),
    ],
)
def test_what_fails_is_told_at_its_example(tmp_path: Path, change: str, by: str, place: str, told: str) -> None:
    text = RULES.replace("version: 1", "version: 1\nstructure: {ignore: [$.text.note.b]}").replace(change, by, 1)
    assert by in text
    fault = next(fault for trial in tried(tmp_path / "a.yaml", text) for fault in trial.faults)
    assert text.splitlines()[fault.line - 1][fault.column - 1 :].startswith(place)
    assert told in fault.sentence


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ("version: 1", "version: 1\nstructure: {ignore: [$.text]}"),  # another key is taken then
        ("'\\bB-", "'\\b(?-i:B)-"),  # whoever minds the case is not tried in another
    ],
)
def test_what_is_meant_so_is_no_failure(tmp_path: Path, change: str, by: str) -> None:
    text = RULES.replace(change, by, 1)
    assert text != RULES
    assert not any(trial.failed for trial in tried(tmp_path / "a.yaml", text))


def test_a_rule_need_not_act_where_one_before_it_does(tmp_path: Path) -> None:
    text = RULES.replace("direction: client_to_upstream", "direction: upstream_to_client")
    assert not any(trial.failed for trial in tried(tmp_path / "a.yaml", text))


@pytest.mark.parametrize("name", shipped())
def test_rules_that_come_along_are_proven_in_full(name: str) -> None:
    done = list(trials(draft(name, ground())))
    assert [fault for trial in done for fault in trial.faults] == []
    assert [trial.name for trial in done if not trial.proven] == []


def test_json_says_the_same_whatever_it_is_wrapped_in() -> None:
    plain = policy("version: 1\n")
    how = {one.how: one.text for one in wrapped('{"a": ["é", 1, null]}', plain)}
    assert json.loads(how["in JSON"]) == json.loads(how["in JSON, escaped"]) == {"text": {"a": ["é", 1, None]}}
    assert json.loads(json.loads(how["in JSON in a string"])["text"]) == {"a": ["é", 1, None]}
    how = {one.how: one.text for one in wrapped("\N{GRINNING FACE} 12", plain)}
    assert json.loads(how["in JSON, escaped"]) == {"text": "\N{GRINNING FACE} 12"}
    assert how["in JSON, escaped"].isascii()
    assert json.loads(json.loads(how["in JSON in a string"])["text"]) == {"text": "\N{GRINNING FACE} 12"}


def test_the_command_shows_a_table_and_fails_when_something_does(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(RULES)
    done = hushwire("test", "a.yaml", folder=tmp_path)
    assert done.returncode == 0
    assert "rule all" in done.stdout
    assert "7 examples and 26 mutations: ok" in done.stdout
    done = hushwire("test", "--coverage", "a.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert "a.yaml:7:1: warning[W003] entity 'CODENAME' has no example that proves it" in done.stdout
    assert "coverage 50%: 2 of 4 rules and entities have examples" in done.stdout
    path.write_text(RULES.replace('match: ["B-0012", {', 'match: ["bob@secret.example", {'))
    done = hushwire("test", "--json", "a.yaml", folder=tmp_path)
    said = json.loads(done.stdout)
    assert (done.returncode, said["trials"][0]["passed"], said["faults"][0]["code"]) == (1, 2, "E033")
    assert "secret" not in done.stdout
    path.write_text("version: 2\n")
    assert hushwire("test", "a.yaml", folder=tmp_path).returncode == 3
