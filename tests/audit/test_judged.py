"""Where a key is lost, or is another one, nobody says that a person does not occur."""

from __future__ import annotations

import os

import pytest

from proxy.audit import events
from proxy.audit.marks import ROW
from proxy.audit.people.epochs import Epochs
from proxy.audit.people.judged import checks, newest, unjudged
from proxy.audit.people.keys import Keys
from proxy.audit.reading.index import Index
from tests.audit.people import ANNA, BOB, Peopled, nothing

START = {"who": "proxy", "run": "0badcafe", "version": "0", "pid": 1, "worker": 0, "level": "findings"}
START |= {"durability": "written", "policies": {}}


@pytest.fixture
def keys(tmp_path):
    return Keys.open(tmp_path / "keys")


@pytest.fixture
def log(tmp_path, keys):
    (tmp_path / "audit").mkdir()
    log = Peopled(tmp_path / "audit", keys)
    log.block((events.Start, START | {"epoch": keys.epoch, "check": keys.check}))
    log.say(ANNA, BOB)
    return log


def judged(log: Peopled, keys: Keys) -> dict[int, int]:
    return unjudged(log.directory, keys.all, nothing)


def exchange(keys: Keys, number: int = 1) -> Keys:
    (keys.epochs.folder / f"{number}.key").unlink()
    keys.epochs.begin(number, 0)
    return Keys.open(keys.epochs.folder.parent)


def test_a_check_value_tells_keys_apart_and_holds_nothing_of_them(keys, tmp_path):
    other = Keys.open(tmp_path / "other")
    assert len(bytes.fromhex(keys.check)) == 8
    assert keys.check == Keys.open(tmp_path / "keys").check != other.check
    assert keys.check not in keys.all[0].key.hex()
    keys.epochs.destroy(1, 0)
    assert keys.epochs.read()[0].check is None


def test_with_the_keys_that_made_them_all_fingerprints_are_judged(log, keys):
    assert judged(log, keys) == {}
    keys.epochs.begin(2, 0)
    keys.refresh()
    log.block((events.KeyRotate, {"epoch": 2, "state": "begun", "check": keys.check}))
    log.say(ANNA)
    assert judged(log, keys) == {}
    assert {epoch for epoch, _ in checks(log.directory, nothing)} == {1, 2}
    keys.epochs.destroy(1, 0)
    keys.refresh()
    assert judged(log, keys) == {}, "that it was destroyed is told otherwise"


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
def test_a_key_that_was_exchanged_judges_nothing(log, keys, sealed, indexed):
    if sealed:
        log.seal()
        log.stop()
    if indexed:
        with Index(log.directory) as index:
            index.catch_up()
    assert judged(log, exchange(keys)) == {1: 2}


def test_a_lost_key_judges_nothing_even_if_no_event_tells_of_it(tmp_path, keys):
    (tmp_path / "audit").mkdir()
    log = Peopled(tmp_path / "audit", keys)
    log.say(ANNA, BOB)
    log.seal()
    keys.epochs.begin(2, 0)
    keys.refresh()
    log.say(ANNA)
    (keys.epochs.folder / "1.key").unlink()
    keys.refresh()
    assert judged(log, keys) == {1: 2}


@pytest.mark.parametrize("indexed", [False, True])
def test_an_epoch_that_had_two_keys_is_not_judged_by_one(log, keys, indexed):
    other = exchange(keys)
    if indexed:
        with Index(log.directory) as index:
            index.catch_up()
    log.keys = other
    log.block((events.Start, START | {"epoch": 1, "check": other.check}))
    log.say(BOB)
    assert judged(log, other) == judged(log, keys) == {1: 3}


def test_an_index_of_another_log_tells_nothing(log, keys):
    with Index(log.directory) as index:
        index.catch_up()
    there = log.directory / "index.sqlite"
    kept = there.read_bytes()
    log.folder.rename(log.directory / "moved")
    other = Peopled(log.directory, keys, log="0000aaaa")
    other.block((events.Start, START | {"epoch": 1, "check": keys.check}))
    other.say(ANNA)
    other.seal()
    other.stop()
    there.write_bytes(kept)
    assert judged(other, exchange(keys)) == {1: 1}
    there.write_bytes(b"no database" * 1000)
    assert judged(other, Keys.open(keys.epochs.folder.parent)) == {1: 1}


def test_erased_fingerprints_need_no_key(log, keys):
    rows = bytearray(log.path("marks").read_bytes())
    rows[12:44] = bytes(32)
    log.path("marks").write_bytes(rows)
    assert judged(log, exchange(keys)) == {1: 1}


def test_the_number_of_a_lost_epoch_is_never_used_again(log, keys, tmp_path):
    assert newest(tmp_path / "nowhere") == 0
    keys.epochs.begin(2, 0)
    keys.refresh()
    log.say(ANNA)
    (keys.epochs.folder / "2.key").unlink()
    again = Keys.open(tmp_path / "keys", used=newest(log.directory))
    assert (again.epoch, again.lost) == (3, 2)
    assert "epoch 2, whose key is not in" in again.loss and "restore 2.key" in again.loss
    assert Keys.open(tmp_path / "keys", used=newest(log.directory)).loss is None
    assert [epoch.number for epoch in Epochs(again.epochs.folder).read()] == [1, 3]


def test_rows_that_are_none_do_not_use_up_the_numbers(log):
    with log.path("marks").open("ab") as marks:
        marks.write(ROW.pack(9, 0, 0xFFFF, os.urandom(16), os.urandom(16)) + b"torn")
    assert newest(log.directory) == 1
