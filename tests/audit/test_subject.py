"""A value is found in every log, segment and epoch in which it occurred, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.audit.marks import ROW
from proxy.audit.people.keys import Keys
from proxy.audit.people.subject import Found, occurrences
from tests.audit.people import ANNA, BOB, MAIL, Peopled, nothing


@pytest.fixture
def keys(tmp_path):
    return Keys.open(tmp_path / "keys")


@pytest.fixture
def log(tmp_path, keys):
    (tmp_path / "audit").mkdir()
    return Peopled(tmp_path / "audit", keys)


def where(log: Peopled, value: str) -> list[Found]:
    return occurrences(log.directory, log.keys.fingerprints(value, MAIL).values(), nothing)


def test_a_value_is_found_with_its_event_and_its_finding(log):
    log.stop()
    log.say(BOB, ANNA, sid="0badcafe-7", route="chat")
    (found,) = where(log, ANNA.upper())
    assert (found.log, found.row.seq, found.row.place, found.event.sid) == (log.log, 1, 1, "0badcafe-7")
    assert found.finding == found.event.f[1]


def test_every_log_segment_and_epoch_is_looked_at(log, keys, tmp_path):
    sealed = log.say(ANNA)
    log.seal()
    keys.epochs.begin(2, 0)
    keys.refresh()
    closed = log.say(BOB, ANNA)
    log.rotate()
    growing = log.say(ANNA, ANNA)
    other = Peopled(log.directory, keys, log="0000aaaa", number=1)
    other.say(ANNA)
    places = [(found.log, found.row.seq, found.row.place, found.row.epoch) for found in where(log, ANNA)]
    here = [(log.log, sealed, 0, 1), (log.log, closed, 1, 2), (log.log, growing, 0, 2), (log.log, growing, 1, 2)]
    assert places == [*here, ("0000aaaa", 0, 0, 2)]
    keys.epochs.destroy(1, 0)
    keys.refresh()
    assert (log.log, sealed, 0, 1) not in [(f.log, f.row.seq, f.row.place, f.row.epoch) for f in where(log, ANNA)]


def test_nothing_is_found_where_nobody_was(log):
    log.stop()
    assert where(log, ANNA) == []
    log.say(BOB)
    log.seal()
    assert where(log, ANNA) == []


def test_a_row_that_no_event_commits_to_is_told_as_such(log, keys):
    log.say(BOB)
    with log.path("marks").open("ab") as marks:
        marks.write(ROW.pack(0, 0, 1, b"s" * 16, keys.mark(ANNA, MAIL)))  # its event was never written
        marks.write(ROW.pack(9, 0, 1, b"s" * 16, keys.mark(ANNA, MAIL)))
        marks.write(ROW.pack(0, 7, 1, b"s" * 16, keys.mark(ANNA, MAIL)))
    found = where(log, ANNA)
    assert [(one.row.seq, one.event, one.finding) for one in found] == [
        (0, None, None),
        (9, None, None),
        (0, None, None),
    ]


def test_whoever_looks_is_told_how_far_it_got(log):
    log.say(ANNA)
    log.seal()
    log.say(ANNA)
    told: list[tuple[int, int]] = []
    occurrences(log.directory, log.keys.fingerprints(ANNA, MAIL).values(), lambda *said: told.append(said))
    assert told == [(0, 2), (1, 2), (2, 2)]


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from([(), (ANNA,), (BOB,), (ANNA, BOB), (BOB, ANNA, ANNA), "seal", "rotate"]), max_size=15)
)
def test_what_is_found_is_what_was_said(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("subject")
    log = Peopled(folder / "audit", Keys.open(folder / "keys"))
    said = []
    log.stop()
    for step in steps:
        if step == "seal":
            log.seal()
            log.stop()
        elif step == "rotate":
            log.rotate()
            log.stop()
        else:
            seq = log.say(*step)
            said += [(seq, place) for place, value in enumerate(step) if value == ANNA]
    for _ in "twice":
        assert [(found.row.seq, found.row.place) for found in where(log, ANNA)] == said
