"""What takes long is done beside the proxy, tried again when it fails, and never in anybody's way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.audit.layout import Segment, segments
from proxy.audit.proof.anchors import AnchorError
from proxy.audit.proof.verify import verify
from proxy.audit.writing import tending
from proxy.audit.writing.clock import Clock
from proxy.audit.writing.retention import Retention
from proxy.audit.writing.sealing import seal
from proxy.audit.writing.tending import Tending
from tests.audit.writing import NOON, SECOND, block, opened

A_DAY = 86_400 * SECOND


@pytest.fixture
def log(tmp_path) -> Iterator[Any]:
    kept = opened(tmp_path)
    yield kept
    kept.close()


def told(*_: object, **__: object) -> None:
    """Nobody asks."""


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come true within 5 seconds")


def test_finished_segments_are_compressed_and_old_ones_removed(tmp_path, log):
    for day in range(4):
        block(log, t=NOON + day * A_DAY)
    log.sync()
    said: list[dict[str, Any]] = []
    kept = Tending(log, lambda kind, **given: said.append(given), Retention(seconds=1.0), [])
    kept.seal()
    assert [segment.sealed for segment in segments(log.folder)] == [True, True, True, False]
    kept.prune()
    assert [segment.number for segment in segments(log.folder)] == [3]
    assert [one["segments"] for one in said] == [3]


def test_what_is_not_on_the_disk_is_not_compressed(log):
    block(log)
    log.sync()
    block(log, t=NOON + A_DAY)
    Tending(log, told, Retention(), []).seal()
    assert [segment.sealed for segment in segments(log.folder)] == [False, False]


def test_logs_that_nobody_writes_to_are_pruned_too(tmp_path, log, caplog):
    busy, idle, strange = opened(tmp_path), opened(tmp_path), opened(tmp_path)
    for other in (busy, idle, strange):
        block(other)
        other.sync()
    idle.close()
    strange.close()
    (strange.folder / "checkpoint").write_text("nonsense")
    said: list[dict[str, Any]] = []
    with caplog.at_level(logging.WARNING, "hushwire"):
        Tending(log, lambda kind, **given: said.append(given), Retention(seconds=1.0), []).prune()
    assert [one["pruned"] for one in said] == [idle.id]
    assert [len(segments(folder.folder)) for folder in (busy, idle, strange)] == [1, 0, 1]
    assert "log-3 is not pruned: it has no checkpoint of ours" in caplog.text
    assert opened(tmp_path).id == idle.id
    busy.close()


def test_a_log_whose_writer_compresses_a_segment_meanwhile_is_left_to_it(tmp_path, log, monkeypatch):
    busy, idle = opened(tmp_path), opened(tmp_path)
    for day in range(2):
        block(busy, t=NOON + day * A_DAY)
    block(idle)
    busy.sync()
    idle.close()

    def listed(folder: Path) -> list[Segment]:
        found = segments(folder)
        if folder == busy.folder:
            seal(found[0])
        return found

    monkeypatch.setattr(tending, "segments", listed)
    said: list[dict[str, Any]] = []
    Tending(log, lambda kind, **given: said.append(given), Retention(seconds=1.0), []).prune()
    assert [one["pruned"] for one in said] == [idle.id]
    assert [segment.sealed for segment in segments(busy.folder)] == [True, False]
    busy.close()


def test_an_anchor_that_fails_is_asked_again_and_keeps_no_other_from_being_asked(log):
    block(log)
    log.sync()
    given: list[str] = []
    fails = [True]

    def unsteady(note: str) -> None:
        if fails[0]:
            raise ConnectionError
        given.append("late")

    kept = Tending(log, told, Retention(), [unsteady, given.append])
    with pytest.raises(ConnectionError):
        kept.anchor()
    assert given == [log.note]
    fails[0] = False
    kept.anchor()
    kept.anchor()
    assert given == [log.note, "late"]


def test_what_fails_is_said_without_words_of_others_and_tried_again(log, caplog):
    calls: list[str] = []

    def anchor(note: str) -> None:
        calls.append(note)
        raise ValueError("a secret")

    block(log)
    log.sync()
    kept = Tending(log, told, Retention(), [anchor], every=0.05)
    kept.start()
    until(lambda: len(calls) > 2)
    kept.stop()
    assert "anchor failed, and is tried again in a minute: ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_of_an_anchor_that_fails_it_is_said_which_and_why(log, caplog):
    def anchor(_note: str) -> None:
        raise AnchorError("anchor git:/srv/anchor: git push failed", "what a hook said")

    block(log)
    log.sync()
    kept = Tending(log, told, Retention(), [anchor])
    kept.start()
    until(lambda: bool(caplog.text))
    kept.stop()
    assert (
        "anchor failed, and is tried again in a minute: anchor git:/srv/anchor: git push failed\n" in caplog.text
    )


def test_anchors_get_a_checkpoint_a_minute_and_the_last_one(log):
    notes: list[str] = []
    kept = Tending(log, told, Retention(), [notes.append])
    log.sync()
    kept.start()
    until(lambda: len(notes) == 1)
    for _ in range(3):
        block(log)
        log.sync()
        kept.wake()
        time.sleep(0.05)  # enough to be asked, were it not too early
    assert len(notes) == 1
    kept.stop()
    assert notes[1:] == [log.note]


def test_the_last_checkpoint_reaches_the_anchors(log):
    given: list[str] = []
    kept = Tending(log, told, Retention(), [given.append])
    kept.start()
    block(log)
    log.sync()
    kept.stop()
    assert given[-1] == log.note


def test_an_anchor_that_hangs_keeps_nobody_from_leaving(log, monkeypatch):
    monkeypatch.setattr(tending, "END", 0.05)
    free = threading.Event()
    block(log)
    log.sync()
    kept = Tending(log, told, Retention(), [lambda note: free.wait(5) and None])
    kept.start()
    since = time.monotonic()
    kept.stop()
    assert time.monotonic() - since < 4
    free.set()


def test_what_it_leaves_is_whole(tmp_path):
    log = opened(tmp_path)
    kept = Tending(log, told, Retention(), [])
    kept.start()
    for day in range(5):
        block(log, 3, t=NOON + day * A_DAY)
        log.sync()
        kept.wake()
    until(lambda: sum(segment.sealed for segment in segments(log.folder)) == 4)
    kept.stop()
    log.close()
    assert verify(tmp_path).verdict == "whole"


def test_a_clock_that_leaps_ahead_prunes_nothing(log):
    block(log)
    block(log, t=time.time_ns() + A_DAY)
    log.sync()
    said: list[dict[str, Any]] = []
    busy = Tending(log, lambda kind, **given: said.append(given), Retention(seconds=90 * 86_400.0), [])
    leap = [0.0]
    busy._clock = Clock(lambda: time.time() + leap[0])
    leap[0] = 74 * 31_557_600.0
    busy.prune()
    assert (said, len(segments(log.folder))) == ([], 2)
    busy._clock = Clock(lambda: time.time() + leap[0])  # started in that century, it is all there is to go by
    busy.prune()
    assert (len(said), len(segments(log.folder))) == (1, 1)
