"""A log ends where the rows of its events end: what a power cut leaves is continued, and can be signed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proxy.audit import bodies, events
from proxy.audit.checkpoint import Signer
from proxy.audit.layout import Segment, logs, segments
from proxy.audit.marks import ROW, commitment
from proxy.audit.proof.verify import verify
from proxy.audit.writing.opening import open_log
from proxy.audit.writing.restore import UnfitError, restore
from proxy.audit.writing.sides import Sides
from tests.audit.logs import SEED, finding, message

SIGNER = Signer(SEED)
SALT, PRINT = bytes(16), bytes(range(16))


def line(log: str, seq: int, **more: object) -> bytes:
    """An event that commits to a row for its finding."""
    kind, given = message(seq + 1, f=[finding(c=commitment(SALT, PRINT))], **more)
    return events.encode(kind(log=log, seq=seq, t=0, mono=0, **given)) + b"\n"


def row(seq: int) -> bytes:
    return ROW.pack(seq, 0, 1, SALT, PRINT)


def write(directory: Path, blocks: int, size: int = 1 << 20, until: Path | None = None) -> Path:
    """A log of blocks of two events; what a power cut leaves of it is copied, before it is closed in order."""
    log = open_log(directory, SIGNER, segment_size=size)
    for _ in range(blocks):
        seqs = range(log.seq, log.seq + 2)
        log.append(b"".join(line(log.id, seq) for seq in seqs), 2, 0, b"".join(map(row, seqs)))
    left = directory.with_name("left")
    shutil.copytree(directory, left)
    log.close()
    return left


def seqs(directory: Path) -> list[int]:
    [log] = logs(directory)
    return [events.decode(text).seq for part in segments(log) for text in part.path.read_bytes().splitlines()]


@pytest.mark.parametrize("rows", range(7))
def test_a_log_ends_before_the_first_event_without_its_row_and_goes_on(tmp_path, rows):
    left = write(tmp_path / "audit", 3)
    [marks] = left.glob("*/*.marks")
    marks.write_bytes(marks.read_bytes()[: rows * ROW.size + 7])
    assert verify(left).verdict in ("whole", "damaged")
    log = open_log(left, SIGNER)
    assert log.seq == rows
    assert (log.repaired > 0) == (rows < 6)
    log.append(line(log.id, rows), 1, 0, row(rows))
    log.close()
    assert seqs(left) == list(range(rows + 1))
    assert verify(left).verdict == "whole"


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_what_stands_behind_a_segment_that_is_gone_is_not_continued(tmp_path, gone):
    left = write(tmp_path / "audit", 4, size=10)
    parts = segments(logs(left)[0])
    assert len(parts) == 4
    parts[gone].path.unlink()
    log = open_log(left, SIGNER, segment_size=10)
    assert log.seq == 2 * gone
    log.append(line(log.id, log.seq), 1, 0, row(log.seq))
    log.close()
    assert seqs(left) == list(range(2 * gone + 1))


@pytest.mark.parametrize("gone", [0, 1])
def test_what_is_signed_is_never_taken_for_the_residue_of_a_power_cut(tmp_path, gone):
    write(tmp_path / "audit", 4, size=10)  # closed in order: all of it is signed
    parts = segments(logs(tmp_path / "audit")[0])
    parts[gone].path.write_bytes(parts[gone].path.read_bytes()[:-5])
    (logs(tmp_path / "audit")[0] / "frontier").unlink()  # or nobody would read what is signed
    with pytest.raises(UnfitError):
        restore(logs(tmp_path / "audit")[0], SIGNER.verifier)
    assert len(segments(logs(tmp_path / "audit")[0])) == 4


def test_an_event_counts_only_with_all_of_its_rows(tmp_path):
    segment = Segment(0, tmp_path / "20261118-000000.jsonl")
    two = message(f=[finding(c="0" * 32), finding(), finding(c="0" * 32)], body="0" * 32)
    text = events.encode(two[0](log="3f9ac21b", seq=7, t=0, mono=0, **two[1]))
    assert Sides(segment, 0).whole([text]) == 0
    segment.beside("marks").write_bytes(row(7) + ROW.pack(7, 2, 1, SALT, PRINT))
    assert Sides(segment, 0).whole([text]) == 0
    segment.beside("bodies").write_bytes(bodies.row(7, SALT, b"what left"))
    assert Sides(segment, 0).whole([text]) == 1
    assert Sides(segment, 8).whole([text]) == 0
