"""Rules as written become the policy as run; the rules that are shipped do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.core.message import Direction
from proxy.detect.engine import Engine
from proxy.detect.recognizers.countries import of_countries
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import build
from tests.detect.looking import detector
from tests.rules import NOW, built, policy

RULES = """\
version: 1
name: chat
threshold: 0.6
rules:
  - id: cards-stop
    entities: [CREDIT_CARD]
    direction: upstream_to_client
    action: {close: {code: 1008, reason: policy}}
  - {id: ours, entities: [EMAIL_ADDRESS, CRYPTO], action: keep}
  - {id: rest, entities: ["*"], action: {mask: {char: "*", keep_last: 4}}}
"""
UP, DOWN = Direction.CLIENT_TO_UPSTREAM, Direction.UPSTREAM_TO_CLIENT


def test_the_first_rule_that_names_an_entity_decides() -> None:
    chat = policy(RULES)
    assert (chat.name, chat.threshold, chat.entities) == ("chat", 0.6, detector().entities)
    decided = {(e, d): chat.decide(e, d).rule for e in ("CREDIT_CARD", "CRYPTO", "US_SSN") for d in Direction}
    assert {place: rule.id if rule else None for place, rule in decided.items()} == {
        ("CREDIT_CARD", UP): "rest",
        ("CREDIT_CARD", DOWN): "cards-stop",
        ("CRYPTO", UP): "ours",
        ("CRYPTO", DOWN): "ours",
        ("US_SSN", UP): "rest",
        ("US_SSN", DOWN): "rest",
    }
    close, keep, mask = chat.rules
    assert (close.operator, dict(close.params)) == ("close", {"code": 1008, "reason": "policy"})
    assert (keep.operator, dict(keep.params)) == ("keep", {})
    assert (mask.operator, mask.params["keep_last"]) == ("mask", 4)


def test_entities_are_those_of_the_rules() -> None:
    assert policy("version: 1\nrules: [{id: a, entities: [CRYPTO], action: replace}]\n").entities == {"CRYPTO"}
    assert policy("version: 1\n").entities == frozenset()


def test_a_policy_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    file = tmp_path / "staff.yaml"
    file.write_text("\ufeffversion: 1\n", "utf-8")
    assert built(str(file)).policy.name == "staff"


@pytest.mark.parametrize(
    "same",
    [
        RULES + "# a comment\n",
        RULES.replace("threshold: 0.6", "threshold:   6e-1"),
        RULES.replace("name: chat\n", "") + "name: chat\n",
    ],
)
def test_layout_does_not_change_the_digest(same: str) -> None:
    assert policy(same).digest == policy(RULES).digest
    assert len(policy(RULES).digest) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.6", "0.7"),
        ("keep_last: 4", "keep_last: 3"),
        ("id: ours", "id: theirs"),
        ("CRYPTO", "US_SSN"),
        ("direction: upstream_to_client", "direction: both"),
        ("action: keep", "action: replace"),
    ],
)
def test_any_change_of_meaning_changes_the_digest(old: str, new: str) -> None:
    assert policy(RULES.replace(old, new)).digest != policy(RULES).digest


def test_the_order_of_the_rules_is_part_of_the_digest() -> None:
    one, other = "{id: a, entities: [CRYPTO], action: keep}", "{id: b, entities: ['*'], action: keep}"
    first, second = (policy(f"version: 1\nrules: [{a}, {b}]\n") for a, b in ((one, other), (other, one)))
    assert first.digest != second.digest


def test_what_star_meant_is_part_of_the_digest() -> None:
    newer = Ground(lambda more, *others: Engine((*more, *of_countries(["uk"])), *others, budget=20), NOW)
    assert (
        build("my.yaml", newer, {Path("my.yaml").absolute(): RULES.encode()}).policy.digest != policy(RULES).digest
    )


def test_parameters_cannot_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        policy(RULES).rules[2].params["keep_last"] = 16  # type: ignore[index]


def test_examples_are_judged_by_the_threshold_and_the_entities_of_their_rule() -> None:
    rule = "{{id: a, entities: [{0}], action: keep, tests: {{{1}: ['2125550142']}}}}"
    low = "version: 1\nthreshold: 0.4\nrules: [" + rule.format("PHONE_NUMBER", "match") + "]\n"
    high = "version: 1\nrules: [" + rule.format("PHONE_NUMBER", "no_match") + "]\n"
    other = "version: 1\nthreshold: 0.4\nrules: [" + rule.format("CRYPTO", "no_match") + "]\n"
    assert [len(policy(text).rules) for text in (low, high, other)] == [1, 1, 1]


def test_default_replaces_every_entity_but_the_clients_own_secrets() -> None:
    default = built("default").policy
    assert default.name == "default"
    everything = detector().entities
    assert default.wanted(Direction.UPSTREAM_TO_CLIENT) == everything
    # what a client sends may be the token it logs in with
    assert default.wanted(Direction.CLIENT_TO_UPSTREAM) == everything - {"SECRET"}
    assert {rule.operator for rule in default.rules} == {"replace"}


def test_pass_looks_at_nothing() -> None:
    changes_nothing = built("pass").policy
    assert changes_nothing.rules == () and changes_nothing.entities == frozenset()


def test_a_bare_name_is_never_looked_up_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default").write_text("version: 1\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert built("default").policy.rules
