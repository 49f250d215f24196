"""A proof leads from an event to the signed root, whatever the size of the log, and from no other event."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.audit import blocks as blocks_of
from proxy.audit.blocks import SegmentError, blocks
from proxy.audit.checkpoint import Signer
from proxy.audit.layout import segments
from proxy.audit.proof import path
from proxy.audit.proof.prove import ProofError, check, find, prove
from proxy.audit.tree import leaf_hash
from tests.audit import test_verify as made
from tests.audit import trees
from tests.audit.logs import SEED, HandMade, message

KEY = Signer(SEED).verifier


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=24))
def test_every_event_is_proven_by_the_path_of_the_rfc(tmp_path_factory, sizes):
    log = HandMade(tmp_path_factory.mktemp("log"))
    for number, size in enumerate(sizes):
        if number % 5 == 4:
            log.rotate()
        log.block(*[message()] * size)
    log.checkpoint()
    leaves = [leaf_hash(block.data) for segment in segments(log.folder) for block in blocks(segment)]
    for seq in range(log.seq):
        proof = prove(log.folder, seq, KEY)
        assert [bytes.fromhex(node) for node in proof["path"]] == trees.path(leaves, proof["index"])
        proven = check(json.dumps(proof).encode(), KEY)
        assert (proven.event.seq, proven.checkpoint.seq) == (seq, log.seq)


def test_events_of_a_pruned_log_are_proven(tmp_path):
    log = made.small(tmp_path)
    made.prune(log)
    for seq in range(3, 11):
        assert check(json.dumps(prove(log.folder, seq, KEY)).encode(), KEY).event.seq == seq
    with pytest.raises(ProofError, match="event 2 was pruned; the log begins with event 3"):
        prove(log.folder, 2, KEY)


def test_what_is_not_signed_is_not_proven(tmp_path):
    log = made.unsigned(tmp_path)
    with pytest.raises(ProofError, match="event 2 is not signed: the newest checkpoint covers events 0 to 1"):
        prove(log.folder, 2, KEY)
    with pytest.raises(ProofError, match="signed by another key"):
        prove(log.folder, 0, Signer(bytes(32)).verifier)
    (log.folder / "checkpoint").unlink()
    with pytest.raises(ProofError, match="no checkpoint"):
        prove(log.folder, 0, KEY)


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The segments of which more than the beginning is read."""
    names: list[str] = []

    class Watched(path.Reading):
        def runs(self):
            for number, run in enumerate(super().runs()):
                if number:
                    names.append(self.segment.path.name)
                yield run

    monkeypatch.setattr(blocks_of, "CHUNK", 100)  # several runs in each
    monkeypatch.setattr(path, "Reading", Watched)
    return names


def test_one_segment_is_read_for_a_proof(tmp_path, read):
    log = made.small(tmp_path)
    told: list[int] = []
    proof = prove(log.folder, 5, KEY, told.append)
    assert set(read) == {segments(log.folder)[1].path.name}
    assert sum(told) == 7, "blocks"
    assert check(json.dumps(proof).encode(), KEY).event.seq == 5


def test_what_stands_in_another_segment_than_what_was_changed_is_still_proven(tmp_path):
    log = made.small(tmp_path)
    change = segments(log.folder)[1].path
    change.write_bytes(change.read_bytes().replace(b"crowd", b"crown"))
    for seq in (0, 1, 2, 4, 5, 6, 7, 8, 9):
        assert check(json.dumps(prove(log.folder, seq, KEY)).encode(), KEY).event.seq == seq
    with pytest.raises(ProofError, match="not what was signed"):
        prove(log.folder, 3, KEY)


def lost(log: HandMade) -> None:
    for leaves in log.folder.glob("*.leaves"):
        leaves.unlink()


def cut(log: HandMade) -> None:
    leaves = segments(log.folder)[2].beside("leaves")
    leaves.write_bytes(leaves.read_bytes()[:-40])


def changed(log: HandMade) -> None:
    leaves = segments(log.folder)[0].beside("leaves")
    leaves.write_bytes(bytes(32) + leaves.read_bytes()[32:])


@pytest.mark.parametrize("change", [lost, cut, changed])
def test_without_leaves_all_is_read(tmp_path, change):
    log = made.small(tmp_path)
    proofs = [prove(log.folder, seq, KEY) for seq in range(10)]
    change(log)
    told: list[int] = []
    assert [prove(log.folder, seq, KEY, told.append) for seq in range(10)] == proofs
    assert sum(told) == 70, "what was told of the leaves is taken back"


def test_a_log_that_was_changed_and_has_no_leaves_proves_nothing(tmp_path):
    log = made.small(tmp_path)
    lost(log)
    change = segments(log.folder)[2].path
    change.write_bytes(change.read_bytes().replace(b"mask", b"keep"))
    with pytest.raises(ProofError, match="not what was signed"):
        prove(log.folder, 0, KEY)


def test_whatever_byte_is_changed_a_proof_is_right_or_there_is_none(tmp_path):
    log = made.small(tmp_path)
    proofs = {seq: prove(log.folder, seq, KEY) for seq in (0, 4, 9)}
    for segment in segments(log.folder)[1:]:
        data = segment.path.read_bytes()
        for at in range(0, len(data), 3):
            segment.path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            for seq, proof in proofs.items():
                with suppress(ProofError, SegmentError):
                    assert prove(log.folder, seq, KEY) == proof
        segment.path.write_bytes(data)
    assert {seq: prove(log.folder, seq, KEY) for seq in (0, 4, 9)} == proofs


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seq": 3}, "another event"),
        ({"line": 0}, "another event"),
        ({"line": 9}, "no proof"),
        ({"index": 2}, "does not lead"),
        ({"path": []}, "no proof"),
        ({"path": ["00" * 32] * 3}, "does not lead"),
        ({"path": None}, "no proof"),
        ({"block": '{"b":3}\n'}, "does not lead|no proof"),
        ({"checkpoint": "hushwire/3f9ac21b\n"}, "of the checkpoint: it has no signature"),
    ],
)
def test_a_proof_that_was_changed_is_none(tmp_path, change, says):
    proof = prove(made.small(tmp_path).folder, 5, KEY) | change
    with pytest.raises(ProofError, match=says):
        check(json.dumps(proof).encode(), KEY)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'"x"', b"[" * 100_000, b"\xff"])
def test_what_is_no_proof_is_told(text):
    with pytest.raises(ProofError, match="no proof"):
        check(text, KEY)


def test_a_log_is_found_by_its_id_its_folder_or_by_being_the_only_one(tmp_path):
    one, other = tmp_path / "log-0", tmp_path / "log-1"
    assert find([one], "", ["aa"]) == one
    assert find([one, other], "bb", ["aa", "bb"]) == other
    assert find([one, other], "log-0", ["aa", "bb"]) == one
    with pytest.raises(ProofError, match=r"log-0 \(aa\), log-1 \(bb\)"):
        find([one, other], "", ["aa", "bb"])
    with pytest.raises(ProofError, match="there is no log"):
        find([], "", [])
