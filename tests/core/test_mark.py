"""Fingerprints of values are made where a value is dealt with, of the value as it was found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.codecs import TEXT, choose
from proxy.core.action import EXEMPT, SHADOW, Done
from proxy.core.finding import Finding
from proxy.core.lane import Lane, UnsettledError
from proxy.core.live import Live
from proxy.core.message import Kind
from proxy.core.plugs import Detector
from proxy.core.policy import Rule
from tests.core.test_lane import Vault
from tests.playbook import DOWN, EMAILS, PEOPLE, SESSION, UP, Given, Table, policy, rule


def mark(text: str, entity: str) -> bytes:
    """One that can be read again."""
    return f"{entity}:{text}".encode()


def marked(*rules: Rule, detector: Detector | None = None) -> Lane:
    return Lane(UP, policy(*rules), detector or Table(), choose, mark)


def findings(lane: Lane, payload: bytes) -> tuple[Done, ...]:
    note, *_ = lane.work(Kind.TEXT, payload, SESSION)
    return note.findings


def test_every_finding_in_force_has_the_mark_of_its_value():
    done = findings(marked(EMAILS, PEOPLE), b'{"a": "Bob", "b": "bob@example.com"}')
    assert [one.mark for one in done] == [b"PERSON:Bob", b"EMAIL_ADDRESS:bob@example.com"]


def test_shadow_and_exempt_findings_have_one_too():
    shadow = replace(EMAILS, id="shadow", shadow=True)
    spared = replace(PEOPLE, spares=lambda text, entity: text == "Bob")
    done = findings(marked(shadow, spared), b"Bob, bob@example.com")
    assert {(one.mode, one.mark) for one in done} == {
        (SHADOW, b"EMAIL_ADDRESS:bob@example.com"),
        (EXEMPT, b"PERSON:Bob"),
    }


def test_what_is_kept_or_dropped_has_one_too():
    kept = replace(PEOPLE, shadow=True), rule("k", "PERSON", operator="keep")
    assert [one.mark for one in findings(marked(*kept), b"to Bob")] == [b"PERSON:Bob"] * 2
    dropped = rule("d", "PERSON", operator="drop")
    assert [one.mark for one in findings(marked(dropped), b"to Bob")] == [b"PERSON:Bob"]


def test_in_a_cluster_each_finding_has_the_mark_of_its_own_part():
    overlapping = Given([Finding("PERSON", 0, 3, 0.9, "t"), Finding("EMAIL_ADDRESS", 0, 15, 1.0, "t")])
    lane = Lane(UP, policy(EMAILS, PEOPLE), overlapping, lambda *_: TEXT, mark)
    done = findings(lane, b"bob@example.com")
    assert {one.mark for one in done} == {b"PERSON:bob", b"EMAIL_ADDRESS:bob@example.com"}


def test_a_restored_token_has_none():
    lane = Lane(DOWN, replace(policy(EMAILS), restores=(None, Vault("a@b.c"))), Table(), choose, mark)
    done = findings(lane, b"[1] and bob@example.com")
    assert [one.mark for one in done] == [None, b"EMAIL_ADDRESS:bob@example.com"]


def test_nobody_makes_marks_where_no_audit_wants_them():
    lane = Lane(UP, policy(EMAILS), Table(), choose)
    assert [one.mark for one in findings(lane, b"bob@example.com")] == [None]


def test_a_mark_that_cannot_be_made_sends_nothing():
    def broken(text: str, entity: str) -> bytes:
        raise OSError(f"no mark of {text}")

    lane = Lane(UP, policy(EMAILS), Table(), choose, broken)
    with pytest.raises(UnsettledError) as caught:
        lane.work(Kind.TEXT, b"bob@example.com", SESSION)
    assert caught.value.why == "OSError"
    assert "bob" not in str(caught.value)


def test_rules_that_are_swapped_go_on_marking():
    live = Live(policy(EMAILS), Table(), choose, mark)
    live.swap(policy(PEOPLE), Table())
    assert [one.mark for one in findings(live.lanes[UP], b"to Bob")] == [b"PERSON:Bob"]


def test_the_lane_of_what_cannot_wait_marks_as_well():
    slow = replace(EMAILS, slow=True)
    assert marked(slow).prompt is not marked(slow)
    assert [one.mark for one in findings(marked(slow).prompt, b"bob@example.com")] == [
        b"EMAIL_ADDRESS:bob@example.com"
    ]
