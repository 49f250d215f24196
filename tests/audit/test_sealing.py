"""Compression may be interrupted anywhere: the events are there, and the next attempt completes it."""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

import pytest

from proxy.audit.layout import segments
from proxy.audit.proof.verify import verify
from proxy.audit.writing import sealing
from proxy.audit.writing.sealing import SealError, finished, seal
from tests.audit.writing import block, opened


@pytest.fixture
def folder(tmp_path):
    """A log of three segments, with nobody writing."""
    log = opened(tmp_path, segment_size=500)
    for _ in range(7):
        block(log)
    log.close()
    return log.folder


def test_what_is_finished_is_compressed_and_reads_the_same(tmp_path, folder):
    before = {segment.number: segment.path.read_bytes() for segment in segments(folder)}
    done = finished(folder, 2)
    assert [segment.number for segment in done] == [0, 1]
    for segment in done:
        sealed = seal(segment)
        assert gzip.decompress(sealed.path.read_bytes()) == before[segment.number]
        assert stat.S_IMODE(sealed.path.stat().st_mode) == 0o600
    assert [segment.sealed for segment in segments(folder)] == [True, True, *[False] * (len(before) - 2)]
    assert finished(folder, 2) == []
    assert verify(tmp_path).verdict == "whole"
    log = opened(tmp_path)
    block(log)
    log.close()
    assert verify(tmp_path).verdict == "whole"


def test_the_same_segment_compresses_to_the_same_bytes(tmp_path, folder):
    (segment, *_) = finished(folder, 1)
    plain = segment.path.read_bytes()
    first = seal(segment).path.read_bytes()
    segment.path.write_bytes(plain)
    assert seal(segment).path.read_bytes() == first


class Interrupted(BaseException):
    """As if the process ended here."""


STEPS = ["_compress", "_same", "rename", "sync_directory", "unlink"]


@pytest.mark.parametrize("step", STEPS)
def test_wherever_it_is_interrupted_nothing_is_lost_and_it_is_completed(tmp_path, folder, monkeypatch, step):
    (segment, *_) = finished(folder, 1)
    plain = segment.path.read_bytes()
    with monkeypatch.context() as broken:

        def interrupted(*_: object, **__: object) -> None:
            raise Interrupted

        kept = Path.unlink
        if step == "rename":
            broken.setattr(Path, "rename", interrupted)
        elif step == "unlink":  # the draft's removal belongs to the interruption
            broken.setattr(Path, "unlink", lambda path, **more: kept(path, **more) if more else interrupted())
        else:
            broken.setattr(sealing, step, interrupted)
        with pytest.raises(Interrupted):
            seal(segment)
    assert segments(folder)[0].path.read_bytes() == plain
    assert verify(tmp_path).verdict in ("whole", "damaged")
    assert finished(folder, 1) == [segment]
    sealed = seal(segment)
    assert gzip.decompress(sealed.path.read_bytes()) == plain
    assert verify(tmp_path).verdict == "whole"


def test_the_draft_of_a_process_that_was_killed_is_removed(folder):
    (segment, *_) = finished(folder, 1)
    left = folder / f".{segment.path.name}.gz.1.new"
    left.write_bytes(b"half")
    seal(segment)
    assert not left.exists()
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("wrong", [b"", b"another", b"more"])
def test_a_copy_that_is_not_the_same_never_takes_the_place_of_a_segment(folder, monkeypatch, wrong):
    (segment, *_) = finished(folder, 1)
    plain = segment.path.read_bytes()
    other = plain + wrong if wrong == b"more" else wrong
    monkeypatch.setattr(sealing, "_compress", lambda _, draft: draft.write_bytes(gzip.compress(other)))
    with pytest.raises(SealError):
        seal(segment)
    assert not list(folder.glob("*.gz"))
    assert segment.path.read_bytes() == plain
