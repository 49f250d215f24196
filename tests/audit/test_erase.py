"""What is erased is gone from every byte of the directory, and the log has said so before."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.audit import bodies, events
from proxy.audit.marks import ROW, commitment, rows
from proxy.audit.people import erase, hold
from proxy.audit.people.keys import Keys
from proxy.audit.people.lookup import look_up
from proxy.audit.people.subject import occurrences
from tests.audit.logs import finding
from tests.audit.people import ANNA, BOB, MAIL, Peopled, bytes_of, nothing


@pytest.fixture
def log(tmp_path):
    (tmp_path / "audit").mkdir()
    return Peopled(tmp_path / "audit", Keys.open(tmp_path / "keys"))


class Record:
    """What the log was told, and what was still there then."""

    def __init__(self, log: Peopled) -> None:
        self.log = log
        self.parts: list[erase.Named] = []
        self.left = -1

    def __call__(self, parts) -> None:
        self.parts = list(parts)
        self.left = len(where(self.log, ANNA))


def where(log: Peopled, value: str):
    return occurrences(log.directory, log.keys.fingerprints(value, MAIL).values(), nothing)


def forget(log: Peopled, value: str = ANNA) -> Record:
    record = Record(log)
    prints = log.keys.fingerprints(value, MAIL).values()
    erase.erase(log.directory, lambda: erase.of_subject(log.directory, prints, nothing), record)
    return record


def secrets(log: Peopled, value: str) -> list[bytes]:
    """Salts and fingerprints of a value."""
    return [secret for found in where(log, value) for secret in (found.row.salt, found.row.fingerprint)]


def test_a_value_is_erased_and_named_by_its_place_before(log):
    log.say(BOB, ANNA)
    log.say(ANNA)
    hidden, kept = secrets(log, ANNA), secrets(log, BOB)
    record = forget(log)
    assert record.parts == [[(log.log, 0, 1), (log.log, 1, 0)]]
    assert record.left == 2, "the log is told first"
    assert where(log, ANNA) == []
    assert len(where(log, BOB)) == 1
    everything = bytes_of(log.directory)
    assert not any(secret in everything for secret in hidden)
    assert all(secret in everything for secret in kept)


def test_bodies_of_its_messages_are_erased_with_it(log):
    log.say(ANNA, body=b"to <EMAIL_ADDRESS>, who lives in Rome")
    log.say(BOB, body=b"to <EMAIL_ADDRESS>, who does not")
    assert forget(log).parts == [[(log.log, 0, 0), (log.log, 0, erase.BODY)]]
    assert b"Rome" not in bytes_of(log.directory)
    assert list(bodies.held(log.path("bodies"))) == [1]


def test_a_session_is_erased_with_all_that_was_found_in_it(log):
    log.say(ANNA, BOB, sid="0badcafe-7", body=b"kept")
    log.say(ANNA, sid="0badcafe-71")
    log.seal()
    log.say(sid="0badcafe-7", body=b"kept as well")
    log.say(ANNA, sid="0badcafe-7")
    record = Record(log)
    erase.erase(log.directory, lambda: erase.of_session(log.directory, "0badcafe-7", nothing), record)
    named = [(0, 0), (0, 1), (3, 0), (0, erase.BODY), (2, erase.BODY)]
    assert [(seq, place) for _, seq, place in record.parts[0]] == named
    assert [found.event.sid for found in where(log, ANNA)] == ["0badcafe-71"]
    assert b"kept" not in bytes_of(log.directory)


def test_a_request_that_finds_nothing_is_taken_down_too(log):
    log.say(BOB)
    assert forget(log).parts == [[]]


def test_many_rows_are_named_by_several_events():
    named = [("3f9ac21b", seq, 0) for seq in range(2500)]
    parts = list(erase.chunks(named))
    assert [len(part) for part in parts] == [1000, 1000, 500]
    assert [row for part in parts for row in part] == named


def test_what_a_hold_covers_is_not_erased(log):
    log.say(ANNA, sid="0badcafe-7")
    held = hold.place(log.directory, "case 7", 0, session="0badcafe-7")
    before = bytes_of(log.directory)
    with pytest.raises(erase.HeldError) as caught:
        forget(log)
    assert caught.value.holds == [held]
    assert bytes_of(log.directory) == before
    hold.release(log.directory, held.id, 0)
    forget(log)
    assert where(log, ANNA) == []


def test_where_holds_cannot_be_read_nothing_is_erased(log):
    log.say(ANNA)
    (log.directory / hold.FILE).write_text("{")
    with pytest.raises(hold.HoldError):
        forget(log)
    assert len(where(log, ANNA)) == 1


def test_where_the_log_cannot_be_told_nothing_is_erased(log):
    log.say(ANNA)

    def full(parts) -> None:
        raise OSError(28, "No space left on device")

    prints = log.keys.fingerprints(ANNA, MAIL).values()
    with pytest.raises(OSError, match="No space"):
        erase.erase(log.directory, lambda: erase.of_subject(log.directory, prints, nothing), full)
    assert len(where(log, ANNA)) == 1


def test_an_erasure_that_was_interrupted_is_completed_by_doing_it_again(log, monkeypatch):
    log.say(ANNA)
    log.seal()
    log.say(ANNA)
    where(log, ANNA)
    whole, calls = erase.marks.erase, []

    def killed(path, numbers):
        if calls:
            raise KeyboardInterrupt
        calls.append(path)
        whole(path, numbers)

    monkeypatch.setattr(erase.marks, "erase", killed)
    with pytest.raises(KeyboardInterrupt):
        forget(log)
    monkeypatch.setattr(erase.marks, "erase", whole)
    assert len(where(log, ANNA)) == 1
    assert forget(log).parts == [[(log.log, 1, 0)]]
    assert where(log, ANNA) == []


def test_residue_of_a_crash_is_erased_though_no_event_can_name_it(log):
    log.say(BOB)
    with log.path("marks").open("ab") as marks:
        marks.write(ROW.pack(9, 0, 1, b"s" * 16, log.keys.mark(ANNA, MAIL)))
    assert forget(log).parts == [[]]
    assert [row.gone for row in rows(log.path("marks"))] == [False, True]


def test_a_derived_file_that_is_wrong_hides_nothing_from_who_erases(log):
    log.say(ANNA)
    closed = log.path("order")
    log.rotate()
    log.stop()
    erase.order._keep(closed, 1, array("I"))  # it says that there is no such row
    assert look_up(log.directory, MAIL, log.keys.fingerprints(ANNA, MAIL).values(), nothing) == []
    assert forget(log).parts == [[(log.log, 0, 0)]]


def test_rows_that_a_writer_appends_meanwhile_stay(log):
    log.say(ANNA)
    path, first = log.path("marks"), list(rows(log.path("marks")))
    with path.open("ab", buffering=0) as writer:
        forget(log)
        writer.write(ROW.pack(*first[0]))
    assert [row.gone for row in rows(path)] == [True, False]


SAID = st.lists(
    st.sampled_from([(ANNA,), (BOB,), (ANNA, BOB), (BOB, ANNA, ANNA), (), "seal", "rotate"]), max_size=12
)


@settings(max_examples=30)
@given(SAID, st.booleans())
def test_nothing_of_an_erased_value_is_left_in_any_byte_of_the_directory(tmp_path_factory, steps, looked):
    folder = tmp_path_factory.mktemp("erase")
    log = Peopled(folder / "audit", Keys.open(folder / "keys"))
    log.stop()
    for step in steps:
        if isinstance(step, str):
            log.seal() if step == "seal" else log.rotate()
            log.stop()
        else:
            log.say(*step)
    hidden = secrets(log, ANNA) if looked else list(log.keys.fingerprints(ANNA, MAIL).values())
    others = len(where(log, BOB)) if looked else None
    forget(log)
    everything = bytes_of(log.directory)
    assert not any(secret in everything for secret in hidden)
    assert where(log, ANNA) == []
    assert others is None or len(where(log, BOB)) == others


@pytest.mark.parametrize("chosen", ["subject", "session"])
def test_what_a_rule_stopped_is_erased_like_all_else(log, chosen):
    salt, mark = bytes(16), log.keys.mark(ANNA, MAIL)
    with log.path("marks").open("ab") as file:
        file.write(ROW.pack(log.seq, 0, log.keys.epoch, salt, mark))
    given = {"sid": "0badcafe-1", "route": "r", "dir": "up", "cause": "policy", "policy": ""}
    log.block((events.Refuse, {**given, "f": [finding(op="close", c=commitment(salt, mark))]}))
    log.checkpoint()
    (found,) = where(log, ANNA)
    assert found.finding.op == "close"
    record, fingerprints = Record(log), log.keys.fingerprints(ANNA, MAIL).values()
    made = {
        "subject": lambda: erase.of_subject(log.directory, fingerprints, nothing),
        "session": lambda: erase.of_session(log.directory, "0badcafe-1", nothing),
    }
    erase.erase(log.directory, made[chosen], record)
    assert record.parts == [[(log.log, found.event.seq, 0)]]
    assert where(log, ANNA) == []
