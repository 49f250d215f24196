"""`hushwire explain`: what it says about a message is what the pipeline does with it, and why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.codecs import choose
from proxy.core.action import Cause, Send
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.core.policy import Policy
from proxy.core.session import Session
from proxy.explain import Explanation, explain
from proxy.explain_show import show
from proxy.explain_why import Candidate, Verdict
from tests.harness import ROOT
from tests.rules import built

UP, DOWN = Direction
BUILT = built("default")
DEFAULT, ENGINE = BUILT.policy, BUILT.detector
RULES = """
version: 1
rules:
  - {id: mail-stays, entities: [EMAIL_ADDRESS], direction: upstream_to_client, action: keep}
  - {id: mail-goes, entities: [EMAIL_ADDRESS], action: {mask: {keep_last: 4}}}
  - {id: cards-stop, entities: [CREDIT_CARD], action: {close: {code: 4001, reason: no cards}}}
"""


def own() -> Policy:
    return built("own.yaml", RULES).policy


def told(text: str, policy: Policy = DEFAULT, direction: Direction = UP) -> Explanation:
    return explain(text.encode(), policy, direction, ENGINE)


def only(candidates: list[Candidate]) -> Candidate:
    (one,) = candidates
    return one


def hushwire(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "proxy", "explain", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_an_address_in_text_is_told_with_its_place_score_rule_and_outcome() -> None:
    explanation = told("write to bob@example.com!")
    one = only(explanation.found)
    assert (one.text, one.finding.start, one.finding.entity) == ("bob@example.com", 9, "EMAIL_ADDRESS")
    assert one.rule is not None
    assert (one.rule.id, one.rule.operator, one.seen, one.key) == ("email", "replace", None, None)
    assert explanation.becomes == "write to <EMAIL_ADDRESS>!"


@pytest.mark.parametrize(
    ("hidden", "how"), [("bob&#64;example.com", "folded"), ("Ym9iQGV4YW1wbGUuY29t", "decoded")]
)
def test_a_hidden_address_is_told_as_it_was_read(hidden: str, how: str) -> None:
    one = only(told(hidden).found)
    assert one.text == hidden
    assert one.seen is not None
    assert (one.seen.how, one.seen.text) == (how, "bob@example.com")


def test_a_value_found_by_its_key_names_the_key_and_a_bare_number_says_why_it_stays() -> None:
    explanation = told('{"first_name": "Ada", "n": 4111111111111111}')
    one = only(explanation.found)
    assert (one.path, one.key, one.finding.recognizer) == ("$.first_name", "first_name", "keys")
    number = only(explanation.spared)
    assert (number.path, number.finding.entity, number.verdict) == ("$.n", "CREDIT_CARD", Verdict.LEFT)
    assert "bare JSON number" in only_reason(number)
    assert explanation.becomes == '{"first_name": "<PERSON>", "n": 4111111111111111}'


def test_a_key_that_needs_the_one_above_it_is_told_with_it() -> None:
    assert only(told('{"customer": {"name": "Ada Lovelace"}}').found).key == "customer.name"


def only_reason(one: Candidate) -> str:
    (reason,) = one.reasons
    return reason


def test_a_weak_candidate_is_told_with_its_score_and_the_threshold() -> None:
    explanation = told("n 2125550142")
    one = only(explanation.spared)
    assert explanation.found == []
    assert one.finding.score < DEFAULT.threshold
    assert only_reason(one) == f"score {one.finding.score:.2f} is below the threshold 0.50"
    assert explanation.becomes == explanation.message


def test_the_first_rule_for_the_direction_wins() -> None:
    policy = own()
    kept = only(told("bob@example.com", policy, DOWN).spared)
    assert (kept.verdict, kept.reasons) == (Verdict.KEPT, ("rule 'mail-stays' says keep",))
    gone = told("bob@example.com", policy, UP)
    assert gone.found[0].rule is not None
    assert (gone.found[0].rule.id, gone.becomes) == ("mail-goes", "***********.com")


def test_what_no_rule_wants_in_a_direction_says_so() -> None:
    secret = "db://bob:hunter2@db.example.com/app"
    assert only_reason(only(told(secret, direction=UP).spared)) == "no rule wants SECRET in this direction"
    assert only(told(secret, direction=DOWN).found).verdict is Verdict.REWRITTEN


def test_a_rule_that_closes_sends_nothing_and_says_with_which_code() -> None:
    explanation = told("4111 1111 1111 1111", own())
    assert only(explanation.found).verdict is Verdict.CLOSES
    assert explanation.becomes is None
    assert explanation.cause is Cause.POLICY
    assert explanation.close is not None
    assert (explanation.close.code, explanation.close.reason) == (4001, "no cards")


def test_a_weaker_finding_that_overlaps_is_told_with_the_stronger_one() -> None:
    explanation = told('{"account_number": "4111111111111111"}')
    joined = [one for one in explanation.found if one.verdict is Verdict.JOINED]
    winner = only([one for one in explanation.found if one.verdict is Verdict.REWRITTEN])
    assert winner.finding.entity == "CREDIT_CARD"
    assert only_reason(only(joined)) == "overlapped by a stronger CREDIT_CARD (1.00, card)"


SAYING = """
version: 1
structure: {ignore: [$.id]}
allow: [{values: [root@localhost], reason: nobody reads it}]
rules:
  - {id: trial, entities: [EMAIL_ADDRESS, CRYPTO], mode: shadow, action: drop}
  - {id: later, entities: [EMAIL_ADDRESS], mode: shadow, action: redact}
  - {id: down, entities: [EMAIL_ADDRESS], direction: upstream_to_client, action: keep}
  - id: mail
    entities: [EMAIL_ADDRESS]
    action: redact
    except: [{values: ["*@example.org"], reason: "public mailboxes, DPO-114"}]
  - {id: rest, entities: [EMAIL_ADDRESS, PHONE_NUMBER], action: mask}
  - {id: gone, entities: [CREDIT_CARD], action: drop}
"""
SAID = built("saying.yaml", SAYING).policy


def test_every_rule_about_it_is_told_with_why_it_won_or_lost() -> None:
    assert [(rule.id, says) for rule, says in only(told("bob@example.com", SAID).found).rules] == [
        ("trial", "is in shadow mode: only notes that it would drop"),
        ("later", "is in shadow mode, and another one notes already"),
        ("down", "is not for client_to_upstream"),
        ("mail", "decides"),
        ("rest", "stands behind 'mail'"),
    ]


def test_an_exception_is_told_with_its_reason() -> None:
    for text, why in (("bob@example.org", "public mailboxes, DPO-114"), ("root@localhost", "nobody reads it")):
        explanation = told(text, SAID)
        one = only(explanation.spared)
        assert (one.verdict, only_reason(one)) == (Verdict.EXEMPT, f"rule 'mail' lets this value pass: {why}")
        assert explanation.becomes == text


def test_what_is_only_rehearsed_says_so() -> None:
    one = only(told("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", SAID).spared)
    assert only_reason(one) == "rule 'trial' is in shadow mode: it would drop"


def test_a_path_that_is_structure_is_not_looked_at() -> None:
    explanation = told('{"id": "bob@example.com"}', SAID)
    assert only_reason(only(explanation.spared)) == "nobody looks at this path: structure says ignore"
    assert explanation.becomes == explanation.message


def test_a_message_that_is_dropped_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    explanation = told("4111 1111 1111 1111", SAID)
    assert only(explanation.found).verdict is Verdict.DROPS
    assert (explanation.becomes, explanation.cause) == (None, None)
    show(explanation)
    assert "Not sent: a rule drops the message, and the connection goes on" in capsys.readouterr().out


def test_text_that_is_not_utf8_is_told_as_refused() -> None:
    explanation = explain(b"bob\xff", DEFAULT, UP, ENGINE)
    assert (explanation.becomes, explanation.cause) == (None, Cause.BAD_UTF8)


PIECES = st.sampled_from(
    [
        "bob@example.com",
        "4111 1111 1111 1111",
        "bob&#64;example.com",
        "2125550142",
        '"',
        "{",
        "Ada",
        " ",
        "+1 212-555-0142",
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PIECES, max_size=6).map("".join),
    st.sampled_from(list(Direction)),
    st.booleans(),
    st.sampled_from([DEFAULT, SAID]),
)
def test_what_is_told_is_what_the_pipeline_sends(
    text: str, direction: Direction, in_json: bool, policy: Policy
) -> None:
    payload = json.dumps({"card": text, "phone": [text], "id": text}).encode() if in_json else text.encode()
    explanation = explain(payload, policy, direction, ENGINE)
    actions = Lane(direction, policy, ENGINE, choose).work(Kind.TEXT, payload, Session(1))
    sent = next((action.payload for action in actions if isinstance(action, Send)), None)
    assert explanation.becomes == (None if sent is None else sent.decode())
    assert bool(explanation.found) == (sent != payload)
    assert all(one.reasons for one in explanation.spared)


def test_nothing_that_a_terminal_obeys_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show(told("\x1b[2Jbob@example.com [bold]:smile:[/bold]"))
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "<EMAIL_ADDRESS> [bold]:smile:[/bold]" in printed


def test_the_command_prints_the_finding_and_the_outcome_without_colour() -> None:
    done = hushwire("write to bob@example.com")
    assert done.returncode == 0, done.stderr
    assert b"rule 'email': replace" in done.stdout
    assert b"Sent as\nwrite to <EMAIL_ADDRESS>\n" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("arguments", [["-"], ["--json-file", "-"]])
def test_json_output_is_one_object_about_what_came_on_stdin(arguments: list[str]) -> None:
    done = hushwire(*arguments, "--json", stdin=b'{"email": "bob@example.com"}')
    assert done.returncode == 0, done.stderr
    told_object: dict[str, Any] = json.loads(done.stdout)
    assert told_object["becomes"] == '{"email": "<EMAIL_ADDRESS>"}'
    assert {one["verdict"] for one in told_object["candidates"]} <= {"rewritten", "joined"}


def test_a_file_is_read_and_rules_of_ones_own_decide(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULES)
    (tmp_path / "frame.json").write_text('["bob@example.com"]')
    done = hushwire("--json-file", str(tmp_path / "frame.json"), "--rules", str(tmp_path / "own.yaml"))
    assert b'["***********.com"]' in done.stdout, done.stderr


def test_rules_that_cannot_be_used_exit_with_3(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\nrules: [{id: x, entities: [EMAIL], action: replace}]\n")
    done = hushwire("x", "--rules", str(tmp_path / "bad.yaml"))
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"EMAIL" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["x", "--direction", "sideways"], [], ["x", "--json-file", "y"], ["--json-file", "/no/such/file"]],
)
def test_what_cannot_be_meant_exits_with_2(arguments: list[str]) -> None:
    done = hushwire(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
