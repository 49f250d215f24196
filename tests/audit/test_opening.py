"""Which log is continued and from where: residue of a crash is cut off, and what nobody can explain left alone."""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
from pathlib import Path

import pytest

from proxy.audit.checkpoint import Checkpoint, Signer
from proxy.audit.layout import segments
from proxy.audit.marks import ROW
from proxy.audit.proof.verify import verify
from proxy.audit.writing.log import Log, LogError
from proxy.audit.writing.opening import open_log
from proxy.audit.writing.restore import Place, UnfitError, restore
from tests.audit.logs import HandMade, message
from tests.audit.writing import NOON, SIGNER, block, lines, opened

A_DAY = 86_400 * 10**9


def row(seq: int) -> bytes:
    return ROW.pack(seq, 0, 1, bytes(16), b"f" * 16)


def crash(log: Log) -> None:
    """End it as a kill does."""
    os.close(log._lock)


def written(directory: Path, signed: bool) -> Path:
    """A log of two blocks that ended without order; only the first of them is signed, if not both."""
    log = opened(directory)
    block(log, 2, marks=row(0))
    log.sync()
    block(log, 2, marks=row(2))
    if signed:
        log.sync()
    crash(log)
    return log.folder


@pytest.mark.parametrize("signed", [False, True])
def test_a_log_that_was_killed_is_continued_behind_its_last_block(tmp_path, signed):
    folder = written(tmp_path, signed)
    log = opened(tmp_path)
    assert (log.folder, log.size, log.seq, log.repaired) == (folder, 2, 4, 0)
    assert (log.signed, log.adopted) == ((2, 0) if signed else (1, 2)), "nothing is signed before it is told"
    block(log)
    log.close()
    assert verify(tmp_path).verdict == "whole"


def test_a_tail_that_is_torn_anywhere_is_cut_off_and_counted(tmp_path):
    folder = written(tmp_path / "kept", signed=False)
    plain = (folder / "20261118-000000.jsonl").read_bytes()
    first, *rest = plain.splitlines(True)
    ends = {len(first) + len(rest[0]): 2}
    ends |= {len(plain) - len(rest[2]): 3, len(plain): 4}
    start = min(ends)
    for cut in range(start, len(plain) + 1):
        directory = tmp_path / f"cut-{cut}"
        shutil.copytree(tmp_path / "kept", directory)
        os.truncate(directory / "log-0" / "20261118-000000.jsonl", cut)
        log = opened(directory)
        whole = max(end for end in ends if end <= cut)
        assert (log.folder.name, log.repaired, log.seq) == ("log-0", cut - whole, ends[whole]), cut
        rows = (log.folder / "20261118-000000.marks").read_bytes()
        assert [ROW.unpack_from(rows, at)[0] for at in range(0, len(rows), ROW.size)] == [0, 2][
            : 1 + (log.seq > 2)
        ]
        block(log)
        log.close()
        assert [line.seq for line in lines(log.folder)] == list(range(log.seq))
        assert verify(directory).verdict == "whole", cut
        shutil.rmtree(directory)


@pytest.mark.parametrize(
    "residue", [bytes(100), b"{", b'{"b":2,"kind":"stop"', b"\0\0\n", b'{"b":2,"kind":"st\0\0\n']
)
def test_what_a_power_cut_leaves_behind_the_last_block_is_cut_off(tmp_path, residue):
    folder = written(tmp_path, signed=True)
    with (folder / "20261118-000000.jsonl").open("ab") as file:
        file.write(residue)
    log = opened(tmp_path)
    assert (log.folder, log.repaired, log.size) == (folder, len(residue), 2)


def test_rows_of_marks_that_are_torn_or_have_no_event_are_cut_off(tmp_path):
    folder = written(tmp_path, signed=True)
    with (folder / "20261118-000000.marks").open("ab") as file:
        file.write(row(4) + row(5) + row(6)[:20])
    log = opened(tmp_path)
    block(log, marks=row(4))
    assert (folder / "20261118-000000.marks").read_bytes() == row(0) + row(2) + row(4)


def test_leaves_are_made_anew_if_they_are_missing_or_too_few(tmp_path):
    folder = written(tmp_path, signed=True)
    leaves = folder / "20261118-000000.leaves"
    kept = leaves.read_bytes()
    for left in (None, b"", kept[:31], kept[:33], kept):
        leaves.unlink()
        if left is not None:
            leaves.write_bytes(left)
        crash(opened(tmp_path))
        assert leaves.read_bytes() == kept


def test_a_frontier_that_is_lost_or_behind_only_means_more_to_read(tmp_path):
    folder = written(tmp_path, signed=False)
    old = (folder / "frontier").read_bytes()
    log = opened(tmp_path)
    crash(log)
    nonsense = (b"", b"{}", b"[1]", b"\xff", b"[" * 100_000, old.replace(b'"size": 1', b'"size": 1e400'))
    assert nonsense[-1] != old
    for left in (old, *nonsense, Place(9, 9, (bytes(32), bytes(32))).text()):
        (folder / "frontier").write_bytes(left)
        log = opened(tmp_path)
        assert (log.folder, log.size, log.seq) == (folder, 2, 4)
        crash(log)


def test_a_log_made_by_hand_is_continued(tmp_path):
    made = HandMade(tmp_path)
    for number in range(5):
        made.block(message(number), message(number))
        if number % 2:
            made.rotate()
        if number == 3:
            made.checkpoint()
    log = opened(tmp_path)
    assert (log.id, log.size, log.seq) == (made.log, 5, 10)
    block(log, t=NOON)
    log.close()
    assert verify(tmp_path).verdict == "whole"


def test_a_sealed_segment_is_followed_by_a_new_one(tmp_path):
    folder = written(tmp_path, signed=True)
    plain = folder / "20261118-000000.jsonl"
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    log = opened(tmp_path)
    block(log)
    log.close()
    log = opened(tmp_path)
    block(log)
    log.close()
    assert [segment.number for segment in segments(folder)] == [0, 1]
    assert verify(tmp_path).verdict == "whole"


def changed(name: str, before: bytes, after: bytes):
    def change(folder: Path) -> None:
        path = folder / name
        content = path.read_bytes()
        assert before in content
        path.write_bytes(content.replace(before, after, 1))

    return change


def another_key(folder: Path) -> None:
    (folder / "checkpoint").write_text(Signer(bytes(32)).sign(Checkpoint("3f9ac21b", 2, bytes(32), 4, 0)))


def cut(folder: Path) -> None:
    os.truncate(folder / "20261118-000000.jsonl", 40)


def no_segment(folder: Path) -> None:
    (folder / "20261118-000000.jsonl").unlink()


def sealed_and_torn(folder: Path) -> None:
    plain = folder / "20261118-000000.jsonl"
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes() + b"{"))
    plain.unlink()


def sealed_and_broken(folder: Path) -> None:
    sealed_and_torn(folder)
    os.truncate(folder / "20261118-000000.jsonl.gz", 60)


SEGMENT = "20261118-000000.jsonl"
CHANGES = {
    "its checkpoint is missing": lambda folder: (folder / "checkpoint").unlink(),
    "its signature is wrong": changed("checkpoint", b"seq 2", b"seq 3"),
    "it is signed by another key": another_key,
    "its checkpoint is not text": lambda folder: (folder / "checkpoint").write_bytes(b"\xff"),
    "it is shorter than its checkpoint says": cut,
    "a segment is missing": no_segment,
    "block 1 is not readable": changed(SEGMENT, b'"seq":2,', b'"sex":2,'),
    "another block stands where block 1 should": changed(SEGMENT, b'{"b":1,', b'{"b":2,'),
    "a sealed segment ends within a line": sealed_and_torn,
    "cannot be decompressed": sealed_and_broken,
}


@pytest.mark.parametrize("why", CHANGES)
def test_a_log_that_is_not_what_its_checkpoint_says_is_left_alone(tmp_path, why, caplog):
    folder = written(tmp_path, signed=False)
    CHANGES[why](folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UnfitError, match=why):
        restore(folder, SIGNER.verifier)
    with caplog.at_level(logging.ERROR, "hushwire"):
        log = opened(tmp_path)
    assert log.folder.name == "log-1"
    assert "log-0 is left as it is and another log is written: " in caplog.text
    assert why in caplog.text
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_log_that_ends_before_its_frontier_is_left_alone(tmp_path):
    folder = written(tmp_path, signed=False)
    crash(opened(tmp_path))
    path = folder / SEGMENT
    os.truncate(path, len(path.read_bytes().splitlines(True)[0]))
    with pytest.raises(UnfitError, match="it is shorter than its checkpoint says"):
        restore(folder, SIGNER.verifier)


def test_a_block_of_another_log_is_not_continued(tmp_path):
    folder = written(tmp_path, signed=False)
    path = folder / SEGMENT
    first, second, third, fourth = path.read_bytes().splitlines(True)
    id = json.loads(first)["log"].encode()
    path.write_bytes(first + second + third.replace(id, b"00000000") + fourth)
    with pytest.raises(UnfitError, match="block 1 belongs to another log"):
        restore(folder, SIGNER.verifier)


def test_a_change_within_what_is_signed_is_noticed_where_it_is_read(tmp_path):
    folder = written(tmp_path, signed=True)
    (folder / "frontier").unlink()
    changed(SEGMENT, b'"count":1', b'"count":2')(folder)
    with pytest.raises(UnfitError, match="it is not what its checkpoint says"):
        restore(folder, SIGNER.verifier)


def test_one_directory_has_one_signing_key(tmp_path):
    opened(tmp_path).close()
    with pytest.raises(LogError, match=r"public\.key belongs to another signing key"):
        open_log(tmp_path, Signer(bytes(32)))
    (tmp_path / "public.key").write_text("nonsense")
    with pytest.raises(LogError, match="is not a verifier key"):
        opened(tmp_path)


def test_where_no_log_can_be_the_error_names_place_and_cure(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match=r"file \(.*\); let it be a directory .*--audit DIR"):
        opened(tmp_path / "file")
