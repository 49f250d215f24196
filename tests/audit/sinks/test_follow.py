from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from proxy.audit.sinks import follow
from proxy.audit.sinks.follow import DamagedError, Reached, batches, head
from tests.audit.logs import SEED, HandMade, message


def seal(log: HandMade, name: str) -> None:
    """As the writer does: compress, then remove the plain one."""
    plain = log.folder / f"{name}.jsonl"
    plain.with_suffix(".jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


def prune(log: HandMade, name: str, reached: Reached) -> None:
    """As the writer does: say what is gone, then remove it."""
    peaks = [peak.hex() for peak in reached.tree.peaks]
    said = {"size": reached.tree.size, "seq": reached.seq, "peaks": peaks}
    (log.folder / "pruned").write_text(json.dumps(said))
    for file in log.folder.glob(f"{name}.*"):
        file.unlink()


def read(log: HandMade, reached: Reached | None = None) -> tuple[bytes, Reached]:
    """What follows `reached` in the log, and where it ends."""
    reached = reached or Reached()
    target, data = head(log.folder, log.signer.verifier), b""
    assert target is not None
    for batch, behind in batches(target, reached):
        assert (batch.first, batch.number) == (reached.seq, reached.tree.size)
        assert len(batch.lines()) == behind.seq - batch.first
        data += b"".join(batch.blocks)
        reached = behind
    return data, reached


def test_only_what_a_checkpoint_covers_is_read(tmp_path: Path):
    log = HandMade(tmp_path)
    assert head(log.folder, log.signer.verifier) is None
    first = log.block(message(1), message(2)) + log.block(message(3))
    log.checkpoint()
    second = log.block(message(4))
    data, reached = read(log)
    assert data == first
    assert read(log, reached)[0] == b""
    log.checkpoint()
    assert read(log, reached)[0] == second


def test_a_block_that_is_just_being_written_is_left_alone(tmp_path: Path):
    log = HandMade(tmp_path)
    first = log.block(message(1))
    log.checkpoint()
    with (log.folder / f"{log.name}.jsonl").open("ab") as file:
        for byte in b'{"b":1,"kind":"message"}\n{"kind":':
            file.write(bytes([byte]))
            file.flush()
            assert read(log)[0] == first


def test_segments_are_followed_whether_sealed_or_not(tmp_path: Path):
    log, data, names = HandMade(tmp_path), b"", []
    for number in range(6):
        names.append(log.name)
        data += log.block(message(number)) + log.block(message(number), message(number))
        log.rotate()
    (log.folder / f"{log.name}.jsonl").touch()  # rotated, and nothing is in it yet
    log.checkpoint()
    half = Reached()
    for _ in range(3):
        seal(log, names.pop(0))
        assert read(log)[0] == data
    target = head(log.folder, log.signer.verifier)
    assert target is not None
    follow_all = list(batches(target, half))
    assert [batch.checkpoint for batch, _ in follow_all] == [target.note]


def test_reading_goes_on_in_the_middle_of_a_segment_after_it_was_sealed(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(follow, "EVENTS", 2)
    log = HandMade(tmp_path)
    made = [log.block(message(number)) for number in range(9)]
    log.rotate()
    made.append(log.block(message(9)))
    log.checkpoint()
    target = head(log.folder, log.signer.verifier)
    assert target is not None
    pairs = list(batches(target, Reached()))
    assert [len(batch.blocks) for batch, _ in pairs] == [2, 2, 2, 2, 2]
    assert [batch.checkpoint is None for batch, _ in pairs] == [True, True, True, True, False]
    seal(log, "20261119-000000")
    for index, (_, behind) in enumerate(pairs, 1):
        assert read(log, behind)[0] == b"".join(made[2 * index :])
        elsewhere = Reached(behind.seq, behind.tree)  # as after a restart, which does not know the place
        assert read(log, elsewhere)[0] == b"".join(made[2 * index :])


def test_what_was_changed_after_it_was_signed_is_not_shipped_with_its_checkpoint(tmp_path: Path):
    log = HandMade(tmp_path)
    log.block(message(1))
    log.block(message(2))
    log.checkpoint()
    file = log.folder / f"{log.name}.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"rewritten"', b'"kept"', 1))
    with pytest.raises(DamagedError, match="was changed"):
        read(log)


def test_what_was_cut_off_or_taken_out_is_noticed(tmp_path: Path):
    log = HandMade(tmp_path)
    blocks = [log.block(message(number)) for number in range(3)]
    log.checkpoint()
    reached = read(log)[1]
    file = log.folder / f"{log.name}.jsonl"
    for rest in ([0, 1], [0, 2], [1, 2], []):
        file.write_bytes(b"".join(blocks[index] for index in rest))
        with pytest.raises(DamagedError, match="missing"):
            read(log)
    older = HandMade(tmp_path / "older")
    older.block(message(0))
    older.checkpoint()
    with pytest.raises(DamagedError, match="cut off"):
        read(older, reached)


def test_a_checkpoint_of_somebody_else_is_not_followed(tmp_path: Path):
    log = HandMade(tmp_path, seed=SEED[::-1])
    log.block(message(1))
    log.checkpoint()
    with pytest.raises(DamagedError, match="another key"):
        head(log.folder, HandMade(tmp_path / "ours").signer.verifier)


def test_what_retention_removed_is_told_from_its_file(tmp_path: Path):
    log = HandMade(tmp_path)
    log.block(message(1), message(2))
    log.checkpoint()
    gone = read(log)[1]
    name = log.name
    log.rotate()
    rest = log.block(message(3))
    log.checkpoint()
    assert follow.pruned(log.folder) is None
    prune(log, name, gone)
    found = follow.pruned(log.folder)
    assert found is not None
    assert (found.seq, found.tree.size, found.tree.root()) == (2, 1, gone.tree.root())
    assert read(log, found)[0] == rest
    (log.folder / "pruned").write_text('{"size": 3}')
    with pytest.raises(DamagedError, match="retention"):
        follow.pruned(log.folder)
