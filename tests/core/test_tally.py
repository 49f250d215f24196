"""What one process counts, and what several add up to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.action import Cause, Done, Note
from proxy.core.message import Kind
from proxy.core.tally import BOUNDS, Tally, left_by, merge
from tests.playbook import DOWN, UP


def done(entity: str, operator: str = "replace") -> Done:
    return Done(entity, "rule", operator, "test", 3, 1.0)


def note(*findings: Done, direction=UP, cause: Cause | None = None) -> Note:
    return Note(direction, Kind.TEXT, "refused" if cause else "rewritten", cause, "d1", findings)


def test_redactions_are_counted_by_entity_and_direction():
    tally = Tally()
    tally.note(note(done("PERSON"), done("PERSON", "mask"), done("EMAIL_ADDRESS")))
    tally.note(note(done("PERSON"), direction=DOWN))
    assert tally.snapshot()["redactions"] == {
        "PERSON client_to_upstream": 2,
        "EMAIL_ADDRESS client_to_upstream": 1,
        "PERSON upstream_to_client": 1,
    }


def test_what_was_kept_is_no_redaction():
    tally = Tally()
    tally.note(note(done("PERSON", "keep")))
    assert tally.snapshot()["redactions"] == {}


def test_what_a_rule_stopped_is_a_refusal_and_no_redaction():
    tally = Tally()
    stopped = Note(UP, None, "refused", Cause.POLICY, "d1", (done("EMAIL_ADDRESS"), done("PHONE_NUMBER", "close")))
    tally.note(stopped)
    assert (tally.redactions, tally.refusals) == ({}, {Cause.POLICY: 1})


def test_refusals_are_counted_by_cause():
    tally = Tally()
    for cause in (Cause.BUDGET, Cause.BUDGET, Cause.TOO_BIG):
        tally.note(note(cause=cause))
    assert tally.snapshot()["refusals"] == {"budget": 2, "too_big": 1}


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0), (BOUNDS[0], 0), (BOUNDS[0] * 1.01, 1), (0.02, 7), (1.0, len(BOUNDS) - 1), (1.01, len(BOUNDS))],
)
def test_a_time_is_counted_in_the_bucket_whose_bound_it_does_not_exceed(seconds, bucket):
    tally = Tally()
    tally.took(seconds)
    assert tally.latency.index(1) == bucket
    assert sum(tally.latency) == 1
    assert tally.latency_sum == seconds


def test_a_snapshot_does_not_change_with_its_tally():
    tally = Tally()
    before = tally.snapshot()
    tally.messages[UP] += 1
    tally.took(0.1)
    tally.note(note(done("PERSON")))
    tally.handshakes_refused["per_address"] += 1
    assert before == Tally().snapshot()


AUDITED = ("events", "blocks", "bytes", "lost", "waiting", "stuck", "unsynced")
COUNTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 9))


@st.composite
def snapshots(draw: st.DrawFn):
    tally = Tally()
    for name in ("connections", "open"):
        setattr(tally, name, draw(st.integers(0, 99)))
    tally.messages, tally.bytes = draw(st.tuples(*[st.lists(st.integers(0, 99), min_size=2, max_size=2)] * 2))
    tally.handshakes_refused.update(draw(COUNTS))
    for cause in draw(st.lists(st.sampled_from(Cause), max_size=4)):
        tally.note(note(cause=cause))
    for entity in draw(st.lists(st.sampled_from("AB"), max_size=4)):
        tally.note(note(done(entity)))
    for seconds in draw(st.lists(st.sampled_from([0.5, 0.25, 2.0]), max_size=4)):
        tally.took(seconds)
    snapshot = tally.snapshot()
    if draw(st.booleans()):
        counts = {key: draw(st.integers(0, 9)) for key in AUDITED}
        snapshot["audit"] = {**counts, "stuck_seconds": 0.5, "unshipped": draw(COUNTS)}
    return snapshot


@given(snapshots())
def test_a_snapshot_survives_json(snapshot):
    assert json.loads(json.dumps(snapshot)) == snapshot


@given(snapshots(), snapshots(), snapshots())
def test_adding_up_does_not_depend_on_who_is_added_first(a, b, c):
    assert merge([a, b, c]) == merge([c, merge([b, a])])
    assert merge([a]) == a
    assert merge([a, b])["messages"][UP] == a["messages"][UP] + b["messages"][UP]
    assert sum(merge([a, b])["refusals"].values()) == sum(a["refusals"].values()) + sum(b["refusals"].values())


@given(snapshots())
def test_the_dead_wait_for_no_log_and_what_they_wrote_is_counted(snapshot):
    audit = left_by(snapshot)["audit"]
    assert (audit is None) == (snapshot["audit"] is None)
    if audit is not None:
        assert (audit["waiting"], audit["stuck"], audit["unsynced"], audit["unshipped"]) == (0, 0, 0, {})
        assert audit["events"] == snapshot["audit"]["events"]


def test_the_sum_of_nobody_is_a_snapshot_in_which_nothing_happened():
    assert merge([]) == Tally().snapshot()
