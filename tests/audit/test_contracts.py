"""What is written can be read: events, blocks, the tree, signed checkpoints."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit import events
from proxy.audit.checkpoint import Checkpoint, CheckpointError, Signer, Verifier
from proxy.audit.tree import Frontier, Span, leaf_hash, root_from
from tests.audit import trees
from tests.audit.logs import SEED, HandMade, message


def test_a_block_is_told_by_its_first_bytes_and_read_line_by_line(tmp_path):
    log = HandMade(tmp_path)
    written = log.block(message(1), message(2))
    assert written.startswith(events.HEAD + b"0,")
    first, second = map(events.decode, written.splitlines())
    assert (first.b, first.seq, first.n) == (0, 0, 1)
    assert (second.b, second.seq, second.n) == (msgspec.UNSET, 1, 2)


def test_a_line_with_a_field_that_no_event_has_is_none():
    line = b'{"kind":"stop","v":1,"log":"3f9ac21b","seq":0,"t":0,"mono":0,"run":"a","note":"hello"}'
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        events.decode(line)


LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


@given(LEAVES)
def test_the_root_is_that_of_rfc_6962(leaves):
    tree = Frontier()
    for size, leaf in enumerate(leaves):
        assert tree.root() == trees.root(leaves[:size])
        tree.add(leaf)
    assert tree.root() == trees.root(leaves)


@given(LEAVES, st.lists(st.integers(1, 9), max_size=20), st.integers(0, 70))
def test_a_tree_grows_by_spans_as_it_does_leaf_by_leaf(leaves, sizes, first):
    one, other = Frontier(), Frontier()
    for leaf in leaves[:first]:
        one.add(leaf)
        other.add(leaf)
    at = one.size
    span = Span(at)
    for size in [*sizes, len(leaves)]:
        span.extend(leaves[at : at + size])
        at = min(at + size, len(leaves))
        if size == 1:  # a tree may take a span in several parts
            one.grow(span.subtrees)
            span = Span(at)
    one.grow(span.subtrees)
    for leaf in leaves[first:]:
        other.add(leaf)
    assert (one.size, one.peaks, span.end) == (other.size, other.peaks, len(leaves))


@given(LEAVES, st.data())
def test_a_path_leads_from_its_leaf_to_the_root_and_from_no_other(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = trees.path(leaves, index)
    assert root_from(leaves[index], index, len(leaves), path) == trees.root(leaves)
    assert root_from(leaf_hash(b"other"), index, len(leaves), path) != trees.root(leaves)


def test_a_frontier_has_as_many_peaks_as_its_size_says():
    with pytest.raises(ValueError, match="2 peaks"):
        Frontier(3, [bytes(32)])


CHECKPOINT = Checkpoint("3f9ac21b", 3, bytes(32), 7, 1_795_000_000)


def test_a_signed_checkpoint_is_opened_by_the_key_that_signed_it():
    signer = Signer(SEED)
    verifier = Verifier.parse(signer.verifier.vkey)
    assert verifier.open(signer.sign(CHECKPOINT)) == CHECKPOINT
    assert CHECKPOINT.text().startswith("hushwire/3f9ac21b\n3\n")


@pytest.mark.parametrize("index", range(len(Signer(SEED).sign(CHECKPOINT))))
def test_a_checkpoint_with_one_character_changed_is_refused(index):
    note = Signer(SEED).sign(CHECKPOINT)
    changed = note[:index] + chr(ord(note[index]) ^ 1) + note[index + 1 :]
    with pytest.raises(CheckpointError):
        Signer(SEED).verifier.open(changed)


def test_another_key_has_not_signed_it():
    with pytest.raises(CheckpointError, match="another key"):
        Signer(bytes(32)).verifier.open(Signer(SEED).sign(CHECKPOINT))
