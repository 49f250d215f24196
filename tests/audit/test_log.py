"""One log and its writer: blocks come whole and in order, whatever the disk does, and the tree is theirs."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.audit import bodies
from proxy.audit.checkpoint import Verifier
from proxy.audit.layout import logs, segments
from proxy.audit.marks import ROW
from proxy.audit.proof.verify import verify
from proxy.audit.tree import leaf_hash
from tests.audit import trees
from tests.audit.writing import NOON, SECOND, SIGNER, Disk, block, event, lines, opened

A_DAY = 86_400 * SECOND


def seqs(folder: Path) -> list[int]:
    return [line.seq for line in lines(folder)]


def test_a_new_log_has_a_signed_name_before_it_has_an_event(tmp_path):
    log = opened(tmp_path / "audit")
    signed = Verifier.parse((tmp_path / "audit" / "public.key").read_text()).open(
        (log.folder / "checkpoint").read_text()
    )
    assert (signed.log, signed.size, signed.seq) == (log.id, 0, 0)
    assert log.folder == tmp_path / "audit" / "log-0"
    log.close()
    assert opened(tmp_path / "audit").id == log.id


def test_blocks_are_signed_and_continued(tmp_path):
    for count in (1, 3, 2):
        log = opened(tmp_path)
        block(log, count)
        block(log, 2)
        log.close()
    assert seqs(log.folder) == list(range(12))
    assert (log.size, log.seq, log.signed) == (6, 12, 6)
    assert verify(tmp_path).verdict == "whole"
    assert [path.name for path in logs(tmp_path)] == ["log-0"]


def test_everything_is_for_its_owner_only(tmp_path):
    log = opened(tmp_path / "state" / "audit")
    block(log, marks=ROW.pack(0, 0, 1, bytes(16), bytes(16)))
    log.close()
    folders = (tmp_path / "state" / "audit", log.folder)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {path.suffix for path in files} >= {".jsonl", ".marks", ".leaves", ".key"}


def test_a_new_segment_begins_when_one_is_full_and_the_tree_goes_on(tmp_path):
    log = opened(tmp_path, segment_size=500)
    for _ in range(10):
        block(log)
    log.close()
    found = segments(log.folder)
    assert [segment.number for segment in found] == list(range(len(found)))
    assert len(found) > 2
    assert all(segment.path.stat().st_size <= 500 for segment in found)
    hashes = b"".join(segment.beside("leaves").read_bytes() for segment in found)
    assert hashes == b"".join(leaf_hash(line) for s in found for line in s.path.read_bytes().splitlines(True))
    assert verify(tmp_path).verdict == "whole"


def test_a_block_larger_than_a_segment_has_one_of_its_own(tmp_path):
    log = opened(tmp_path, segment_size=100)
    block(log, 20)
    block(log)
    log.close()
    assert [len(segment.path.read_bytes().splitlines()) for segment in segments(log.folder)] == [20, 1]


def test_a_new_day_begins_a_segment_and_a_clock_that_is_set_back_over_midnight_does_not(tmp_path):
    log = opened(tmp_path)
    for t in (NOON, NOON + A_DAY, NOON, NOON + 3 * A_DAY, NOON + 2 * A_DAY):
        block(log, t=t)
    log.close()
    names = [segment.path.name for segment in segments(log.folder)]
    assert names == ["20261118-000000.jsonl", "20261119-000001.jsonl", "20261121-000002.jsonl"]
    assert seqs(log.folder) == list(range(5))
    log = opened(tmp_path)
    block(log, t=NOON + 2 * A_DAY)
    assert len(segments(log.folder)) == 3


def test_a_day_that_a_wrong_clock_has_said_ends_with_it(tmp_path):
    """Else the segment would be of that day for ever: no other one would begin, and retention not remove it."""
    log = opened(tmp_path)
    for t in (NOON, NOON + 27_000 * A_DAY, NOON, NOON + A_DAY, -NOON, NOON + A_DAY):
        block(log, t=t)
    log.close()
    names = [segment.path.name[:8] for segment in segments(log.folder)]
    assert names == ["20261118", "21001021", "20261118", "20261119", "19130213", "20261119"]
    assert seqs(log.folder) == list(range(6))
    assert verify(tmp_path).verdict == "whole"


def test_a_segment_that_has_the_name_of_no_day_is_gone_on_behind(tmp_path):
    log = opened(tmp_path)
    block(log)
    log.close()
    (segment,) = segments(log.folder)
    for path in (segment.path, segment.beside("leaves")):
        path.rename(path.with_name(f"20269999{path.name[8:]}"))
    log = opened(tmp_path)
    block(log)
    log.close()
    assert [segment.path.name[:8] for segment in segments(log.folder)] == ["20269999", "20261118"]
    assert verify(tmp_path).verdict == "whole"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_a_block_that_the_disk_did_not_take_is_owed_until_it_does(tmp_path, monkeypatch, error):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    block(log)
    disk.error, disk.room = error, 40
    with pytest.raises(OSError, match=os.strerror(error)):
        block(log, 3)
    assert log.owing
    assert (log.size, log.seq) == (1, 1)
    for room in (0, 1, 100):
        disk.room = room
        with pytest.raises(OSError, match=os.strerror(error)):
            log.resume()
    disk.room = None
    log.resume()
    assert (log.size, log.seq, log.owing) == (2, 4, False)
    block(log)
    log.close()
    assert seqs(log.folder) == list(range(5))
    assert verify(tmp_path).verdict == "whole"


def test_rows_of_marks_stand_before_their_block_and_once(tmp_path, monkeypatch):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    row = ROW.pack(0, 0, 1, bytes(16), b"f" * 16)
    disk.room = ROW.size + 10
    with pytest.raises(OSError, match="No space left"):
        block(log, marks=row)
    marks = log.folder / "20261118-000000.marks"
    assert marks.read_bytes() == row
    disk.room = None
    log.resume()
    assert marks.read_bytes() == row


def test_a_segment_that_cannot_be_begun_is_begun_later(tmp_path, monkeypatch):
    log = opened(tmp_path)
    block(log)
    before, refused = os.open, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full(path, *given, **more):
        if str(path).endswith(".jsonl"):
            raise refused
        return before(path, *given, **more)

    with monkeypatch.context() as broken:
        broken.setattr(os, "open", full)
        with pytest.raises(OSError, match="No space left"):
            block(log, t=NOON + A_DAY)
        with pytest.raises(OSError, match="No space left"):
            log.resume()
    log.resume()
    log.close()
    assert len(segments(log.folder)) == 2
    assert verify(tmp_path).verdict == "whole"


def test_nothing_is_signed_that_the_disk_did_not_keep(tmp_path, monkeypatch):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    block(log)
    disk.failing = True
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output error"):
            log.sync()
    assert json.loads((log.folder / "frontier").read_text())["size"] == 0
    assert not (log.folder / "20261118-000000.leaves").exists()
    disk.failing = False
    assert log.sync() == 1
    assert json.loads((log.folder / "frontier").read_text())["size"] == 1


def test_what_a_failed_sync_may_have_lost_is_written_again(tmp_path, monkeypatch):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    block(log, marks=bytes(ROW.size))
    log.sync()
    block(log, 2, marks=bytes(ROW.size))
    block(log)
    disk.failing = True
    with pytest.raises(OSError, match="Input/output error"):
        log.sync()
    disk.failing = False
    written: list[tuple[int, int]] = []
    before = os.pwrite
    monkeypatch.setattr(
        os, "pwrite", lambda file, data, at: written.append((at, len(data))) or before(file, data, at)
    )
    log.sync()
    first = len(log.folder.joinpath("20261118-000000.jsonl").read_bytes().splitlines(True)[0])
    assert (ROW.size, ROW.size) in written
    assert [(at, size) for at, size in written if at == first]
    log.close()
    assert verify(tmp_path).verdict == "whole"


def test_what_the_disk_has_lost_is_never_signed(tmp_path, monkeypatch):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    block(log)
    disk.failing = True
    with pytest.raises(OSError, match="Input/output error"):
        log.sync()
    disk.failing = False
    path = log.folder / "20261118-000000.jsonl"
    path.write_bytes(bytes(path.stat().st_size))
    for _ in range(2):
        with pytest.raises(OSError, match="has lost a part"):
            log.sync()
    assert log.signed == 0


def test_a_full_disk_keeps_leaves_and_checkpoint_waiting(tmp_path, monkeypatch):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    block(log, 2)
    block(log)
    for room in (0, 10, 64, 100, 200):
        disk.room = room
        with pytest.raises(OSError, match="No space left"):
            log.sync()
    disk.room = None
    log.close()
    assert verify(tmp_path).verdict == "whole"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("block"), st.integers(1, 4)),
        st.tuples(st.just("short"), st.integers(0, 400)),
        st.tuples(st.just("day"), st.integers(-2, 2)),
        st.tuples(st.sampled_from(["sync", "restart", "kill"]), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@example([("block", 1)] * 5 + [("kill", 0)])
@given(STEPS)
def test_whatever_happens_to_it_a_log_is_the_plain_list_of_its_blocks(steps):
    with pytest.MonkeyPatch.context() as monkeypatch, TemporaryDirectory() as name:
        directory, disk, t = Path(name), Disk(monkeypatch), NOON
        log = opened(directory, segment_size=600)
        plain: list[bytes] = []
        for step, number in steps:
            match step:
                case "block" | "short":
                    count = number if step == "block" else 2
                    written = b"".join(event(log, more, t) for more in range(count))
                    disk.room = number if step == "short" else None
                    plain.append(b'{"b":%d,%s' % (len(plain), written[1:]))
                    try:
                        log.append(written, count, t)
                    except OSError:
                        disk.room = None
                        log.resume()
                    disk.room = None
                case "day":
                    t += number * A_DAY
                case "sync":
                    log.sync()
                case "restart":
                    log.close()
                    log = opened(directory, segment_size=600)
                case "kill":
                    os.close(log._lock)  # nothing is closed in order
                    log = opened(directory, segment_size=600)
        log.close()
        raw = b"".join(segment.path.read_bytes() for segment in segments(log.folder))
        assert raw == b"".join(plain)
        root = trees.root([leaf_hash(block) for block in plain])
        signed = SIGNER.verifier.open((log.folder / "checkpoint").read_text())
        assert (signed.root, signed.size) == (root, len(plain))
        assert seqs(log.folder) == list(range(signed.seq))
        assert verify(directory).verdict == "whole"


def test_two_writers_of_a_directory_have_a_log_each(tmp_path):
    first, second = opened(tmp_path), opened(tmp_path)
    assert (first.folder.name, second.folder.name) == ("log-0", "log-1")
    assert first.id != second.id
    block(first)
    block(second)
    first.close()
    third = opened(tmp_path)
    assert third.id == first.id
    assert third.seq == 1


def test_the_disk_is_told_nothing_twice(tmp_path, monkeypatch):
    disk, log = Disk(monkeypatch), opened(tmp_path)
    block(log)
    log.sync()
    before = disk.syncs
    log.sync()
    assert disk.syncs == before


def test_a_log_that_was_closed_touches_no_file_any_more(tmp_path):
    log = opened(tmp_path)
    block(log, 3)
    log.close()
    leaves = next(log.folder.glob("*.leaves"))
    before = leaves.read_bytes()
    with pytest.raises(OSError, match="Bad file descriptor"):
        log.sync()
    assert leaves.read_bytes() == before != b""


@pytest.mark.parametrize("side", ["marks", "bodies"])
def test_the_name_of_a_side_file_is_on_the_disk_before_what_it_holds_is_signed(tmp_path, monkeypatch, side):
    log, named = opened(tmp_path), list[set[str]]()
    block(log)
    log.sync()
    monkeypatch.setattr(
        "proxy.audit.writing.log.sync_directory",
        lambda path: named.append({file.suffix for file in path.iterdir()}),
    )
    rows = {"marks": ROW.pack(1, 0, 1, bytes(16), b"f" * 16), "bodies": bodies.row(1, b"s" * 16, b"what left")}
    block(log, **{side: rows[side]})
    log.sync()
    assert f".{side}" in named[-1]
    log.close()


def test_what_was_kept_of_a_message_whose_event_was_never_written_goes(tmp_path):
    log = opened(tmp_path)
    block(log, bodies=bodies.row(0, b"s" * 16, b"left"))
    log.close()
    (path,) = log.folder.glob("*.bodies")
    with path.open("ab") as file:  # a kill came before the block
        file.write(bodies.row(1, b"s" * 16, b"stayed"))
    log = opened(tmp_path)
    block(log, bodies=bodies.row(1, b"s" * 16, b"left too"))
    log.close()
    assert [row.payload for row in bodies.read(path, range(9))] == [b"left", b"left too"]
