"""Whoever deletes or edits holds.json ends no hold without being found out."""

from __future__ import annotations

import json

import pytest

from proxy.audit import events
from proxy.audit.layout import segments
from proxy.audit.people import hold
from proxy.audit.people.held import check, lost
from proxy.audit.people.hold import FILE, HoldError
from proxy.audit.proof.verify import verify
from proxy.audit.reading.index import Index
from proxy.audit.writing import retention
from proxy.audit.writing.retention import prune
from tests.audit.logs import HandMade, message
from tests.audit.test_retention import WEEK, Kept, at

NOW = 1_795_000_000


@pytest.fixture
def log(tmp_path):
    log = HandMade(tmp_path)
    log.block(message())
    placed(log, "hold-1", route="chat")
    log.checkpoint()
    return log


def placed(log: HandMade, name: str, **given: str) -> None:
    made = hold.place(log.folder.parent, "case 7", NOW, **given)
    assert made.id == name
    say(log, name, "placed", covers=made.scope)


def say(log: HandMade, name: str, state: str, **more: str) -> None:
    log.block((events.Hold, {"hold": name, "state": state, "reason": "case 7", **more}))


def edit(directory, **changes) -> None:
    kept = json.loads((directory / FILE).read_text())
    (directory / FILE).write_text(json.dumps([{**kept[0], **changes}]))


def told(directory) -> list[str]:
    return [fault.says for fault in verify(directory).faults]


def test_a_hold_that_is_in_force_is_right(tmp_path, log):
    assert (told(tmp_path), list(lost(tmp_path))) == ([], [])
    say(log, "hold-1", "released")
    assert list(lost(tmp_path)) == [], "the file comes last"
    hold.release(tmp_path, "hold-1", NOW)
    log.checkpoint()
    assert (told(tmp_path), list(lost(tmp_path))) == ([], [])


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda path: path.unlink(), "is gone from holds.json"),
        (lambda path: path.write_text("[]"), "is gone from holds.json"),
        (lambda path: edit(path.parent, released=NOW), "is released in holds.json, and no event says so"),
        (lambda path: edit(path.parent, route="shop"), "covers something else in holds.json"),
        (lambda path: edit(path.parent, end=5), "covers something else in holds.json"),
    ],
)
def test_a_hold_that_somebody_ended_in_the_file_is_told(tmp_path, log, harm, says, indexed):
    if indexed:
        with Index(tmp_path) as index:
            index.catch_up()
    harm(tmp_path / FILE)
    assert told(tmp_path) == [f"hold-1, placed by event 1 of log {log.log}, {says}"]
    assert verify(tmp_path).verdict == "tampered"
    assert list(lost(tmp_path)) == [f"hold-1 was placed and {says}"]
    with pytest.raises(HoldError, match=says):
        check(tmp_path)


def test_a_file_that_is_none_is_told(tmp_path, log):
    (tmp_path / FILE).write_text("{")
    assert told(tmp_path) == ["holds.json cannot be read, and hold-1 was placed"]


@pytest.mark.parametrize("adopted", [False, True])
def test_a_release_that_nobody_signed_explains_nothing(tmp_path, log, adopted):
    kept = (log.folder / "checkpoint").read_bytes(), (log.folder / "frontier").read_bytes()
    say(log, "hold-1", "released")
    (log.folder / "checkpoint").write_bytes(kept[0])
    (log.folder / "frontier").write_bytes(kept[1])
    if adopted:
        start = {"who": "desk", "run": "0badcafe", "version": "0", "pid": 1, "worker": 0, "level": "findings"}
        log.block((events.Start, start | {"durability": "synced", "policies": {}, "adopted": 1}))
        log.checkpoint()
    (tmp_path / FILE).unlink()
    assert told(tmp_path) == [f"hold-1, placed by event 1 of log {log.log}, is gone from holds.json"]


def test_another_log_may_have_released_it(tmp_path, log):
    other = HandMade(tmp_path, log="0000aaaa", number=1)
    say(other, "hold-1", "released")
    other.checkpoint()
    hold.release(tmp_path, "hold-1", NOW)
    assert told(tmp_path) == []


def test_nothing_is_pruned_while_a_hold_is_gone_and_an_index_that_lies_hides_no_proof(tmp_path, monkeypatch):
    kept = Kept(tmp_path)
    made = events.Hold(
        log=kept.log.id, seq=kept.log.seq, t=int(at(10) * 1e9), mono=0, hold="hold-1", state="placed", reason="x"
    )
    kept.log.append(events.encode(made) + b"\n", 1, made.t)
    kept.log.append(*next_day(kept))
    kept.log.sync()
    folder, signed = kept.log.folder, kept.log.signed
    with pytest.raises(HoldError, match="hold-1 was placed and is gone"):
        prune(folder, 10**6, signed, WEEK, kept.tell, at(30))
    (tmp_path / FILE).write_text(json.dumps([{"id": "hold-1", "reason": "x", "placed": 1, "released": 2}]))
    with pytest.raises(HoldError, match="and no event says so"):
        prune(folder, 10**6, signed, WEEK, kept.tell, at(30))
    (tmp_path / FILE).unlink()
    monkeypatch.setattr(retention, "check", lambda _: None)  # as if the index knew of no hold
    assert prune(folder, 10**6, signed, WEEK, kept.tell, at(30)) == 10
    assert segments(folder)[0].number == 10


def next_day(kept: Kept) -> tuple[bytes, int, int]:
    made = events.Stop(log=kept.log.id, seq=kept.log.seq, t=int(at(11) * 1e9), mono=0, run="0badcafe")
    return events.encode(made) + b"\n", 1, made.t
