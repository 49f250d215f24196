"""Answers about a person are the same with and without the index, and however old that is."""

from __future__ import annotations

import sqlite3

import pytest

from proxy.audit.people import lookup
from proxy.audit.people.keys import Keys
from proxy.audit.people.lookup import look_up
from proxy.audit.reading.index import Index
from tests.audit.people import ANNA, BOB, MAIL, Peopled, nothing


@pytest.fixture
def log(tmp_path):
    (tmp_path / "audit").mkdir()
    made = Peopled(tmp_path / "audit", Keys.open(tmp_path / "keys"))
    made.say(BOB, ANNA, sid="0badcafe-7", route="chat")
    made.stop()
    made.say(ANNA)
    made.seal()
    made.say(ANNA, dir="down", verdict="leaked")
    made.checkpoint()
    return made


def answers(log: Peopled, value: str = ANNA) -> list[lookup.Occurrence]:
    found = look_up(log.directory, MAIL, log.keys.fingerprints(value, MAIL).values(), nothing)
    return [one._replace(hit=one.hit._replace(id=0)) for one in found]


def index(log: Peopled) -> None:
    with Index(log.directory) as made:
        made.catch_up()


def test_the_index_answers_as_the_segments_do(log, monkeypatch):
    slow = answers(log)
    assert [(one.hit.seq, one.place, one.epoch) for one in slow] == [(0, 1, 1), (2, 0, 1), (3, 0, 1)]
    assert (slow[0].hit.sid, slow[0].hit.route, slow[2].hit.way) == ("0badcafe-7", "chat", "down")
    index(log)
    monkeypatch.setattr(lookup, "with_events", None)  # nobody reads a segment
    assert answers(log) == slow


def test_what_the_index_does_not_know_yet_is_read_from_the_log(log):
    index(log)
    log.say(ANNA, sid="0badcafe-9")
    assert [one.hit.sid for one in answers(log)][-1] == "0badcafe-9"


def test_an_index_of_another_version_or_a_broken_one_is_not_asked(log):
    before = answers(log)
    index(log)
    with sqlite3.connect(log.directory / "index.sqlite") as db:
        db.execute("UPDATE treatments SET rule = 'another'")
        db.execute("PRAGMA user_version = 999")
    assert answers(log) == before
    for left in log.directory.glob("index.sqlite-*"):
        left.unlink()
    (log.directory / "index.sqlite").write_bytes(b"no database" * 100)
    assert answers(log) == before


def test_an_index_of_logs_that_were_here_before_is_not_believed(log, tmp_path):
    index(log)
    other = Peopled(tmp_path / "other", log.keys, log="0000aaaa")
    other.say(ANNA, sid="0badcafe-1")
    (log.directory / "index.sqlite").rename(other.directory / "index.sqlite")
    assert [(one.hit.log, one.hit.sid) for one in answers(other)] == [("0000aaaa", "0badcafe-1")]


def test_who_is_not_in_the_log_is_in_no_answer(log):
    index(log)
    assert answers(log, "carol@example.com") == []
