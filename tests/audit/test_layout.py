"""Which files belong to a log, and in which order."""

from __future__ import annotations

from pathlib import Path

from proxy.audit import layout
from proxy.audit.layout import Segment, audit_directory, logs, segments


def test_the_default_directory_follows_xdg():
    assert audit_directory({"XDG_STATE_HOME": "/var/lib"}) == Path("/var/lib/hushwire/audit")
    assert audit_directory({}) == Path("~/.local/state/hushwire/audit").expanduser()


def test_logs_and_segments_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("log-10", "log-2", "lost+found"):
        (tmp_path / name).mkdir()
    assert [path.name for path in logs(tmp_path)] == ["log-2", "log-10"]
    names = ["20261122-000001.jsonl", "20261122-000000.jsonl.gz", "20261122-000000.leaves", "checkpoint"]
    for name in names:
        (tmp_path / "log-2" / name).touch()
    first, second = segments(tmp_path / "log-2")
    assert (first.number, first.sealed, second.number, second.sealed) == (0, True, 1, False)
    assert first.beside("marks").name == "20261122-000000.marks"


def test_a_segment_whose_sealing_was_interrupted_counts_once(tmp_path):
    for name in ("20261122-000000.jsonl.gz", "20261122-000000.jsonl"):
        (tmp_path / name).touch()
    (segment,) = segments(tmp_path)
    assert not segment.sealed


def test_a_segment_that_one_listing_misses_because_it_is_compressed_meanwhile_is_there(tmp_path, monkeypatch):
    for number in range(5):
        (tmp_path / f"20261122-{number:06}.jsonl").touch()
    listed, misses = layout._listed, iter(({0, 2}, {4}, {3}))

    def partly(log: Path) -> dict[int, Segment]:
        missed = next(misses, set())
        return {number: found for number, found in listed(log).items() if number not in missed}

    monkeypatch.setattr(layout, "_listed", partly)
    assert [segment.number for segment in segments(tmp_path)] == [0, 1, 2, 3, 4]


def test_a_segment_that_is_gone_is_gone_however_often_it_is_looked_for(tmp_path):
    for number in (0, 1, 3):
        (tmp_path / f"20261122-{number:06}.jsonl").touch()
    assert [segment.number for segment in segments(tmp_path)] == [0, 1, 3]
