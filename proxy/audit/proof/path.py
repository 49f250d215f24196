"""Where in a log an event stands, and the path from its block to the root of the tree (RFC 6962 section 2.1.1).

In one of two ways: as the segments and their `leaves` files say of themselves, by reading one segment and 32 bytes
of each block; or by reading all of the log. Nothing is proven here: whoever goes the path (prove.py) sees whether
it leads to what was signed.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import NamedTuple

from proxy.audit import events
from proxy.audit.blocks import CUT, Reading, SegmentError
from proxy.audit.layout import Segment
from proxy.audit.proof.digest import FAR, Place, Tell, said, stored_leaves
from proxy.audit.proof.walk import each_run
from proxy.audit.snapshot import Snapshot, State
from proxy.audit.tree import Span, folded, leaf_hash

HASH = Struct("32s")


class Leaf(NamedTuple):
    """A block of the log, how many stand before it, and its siblings from the leaf to the root."""

    block: bytes
    before: int
    path: list[bytes]


def looked_up(shot: Snapshot, start: State, seq: int, total: int, tell: Tell) -> Leaf | None:
    """The block of event `seq` in the tree of `total` blocks, where the log says that it is. Raises OSError."""
    at = bisect(shot.segments, seq, key=lambda segment: _begins(segment).seq) - 1
    if at < 0:
        return None
    segment, end = shot.segments[at], shot.ends[at]
    try:
        found = _found(Reading(segment, 0, end).runs(), _begins(segment), seq)
    except SegmentError:
        return None
    return found and _leaf(found, start, total, map(_hashes, shot.segments), tell)


def read_through(shot: Snapshot, start: State, seq: int, total: int, tell: Tell) -> Leaf | None:
    """The same by counting and hashing all there is. Raises OSError and SegmentError."""
    found = _found(each_run(shot), Place(start.size, start.seq, None), seq)
    hashes = ([leaf_hash(block) for block in _blocks(run)] for run in each_run(shot))
    return found and _leaf(found, start, total, hashes, tell)


def _begins(segment: Segment) -> Place:
    """What its first event says; one that cannot be read says nothing of what is sought."""
    try:
        return said(next(Reading(segment).runs(), b"")) or Place(0, FAR, None)
    except SegmentError:
        return Place(0, FAR, None)


def _found(runs: Iterable[bytes], place: Place, seq: int) -> tuple[bytes, int] | None:
    """The block of event `seq` and its index, in what begins at `place`."""
    size, at, _ = place
    for run in runs:
        count = run.count(b"\n")
        if at + count <= seq:
            size, at = size + run.count(CUT) + 1, at + count
            continue
        for block in _blocks(run):
            at += block.count(b"\n")
            if seq < at:
                return block, size
            size += 1
    return None


def _blocks(run: bytes) -> Iterator[bytes]:
    return (b"%b%b\n" % (events.HEAD, piece) for piece in run[len(events.HEAD) : -1].split(CUT))


def _hashes(segment: Segment) -> list[bytes]:
    """Those of its `leaves` file."""
    stored = stored_leaves(segment) or b""
    return [leaf for (leaf,) in HASH.iter_unpack(stored[: len(stored) // HASH.size * HASH.size])]


def _leaf(
    found: tuple[bytes, int], start: State, total: int, hashes: Iterable[list[bytes]], tell: Tell
) -> Leaf | None:
    """With its path, if there are as many hashes as the tree has leaves."""
    block, index = found
    if not start.size <= index < total:
        return None
    sides, ends = _siblings(index, total)
    spans = _spans(start.size, [index, index + 1, *ends], hashes, tell)
    if spans[-1].end < total:
        return None
    tree = start.tree()
    tree.grow(spans[0].subtrees)
    left, right = reversed(tree.peaks), (folded([part.root for part in span.subtrees]) for span in spans[2:])
    return Leaf(block, index, [next(left) if at_left else next(right) for at_left in sides])


def _siblings(index: int, total: int) -> tuple[list[bool], list[int]]:
    """From the leaf to the root: whether the sibling is at the left; and where those at the right end, which come
    one after the other behind the leaf. Those at the left are the peaks of the tree that ends before it."""
    sides, ends = list[bool](), list[int]()
    node, last, width = index, total - 1, 1
    while last:
        if node & 1:
            sides.append(True)
        elif node < last:
            sides.append(False)
            ends.append(min((node + 2) * width, total))
        node, last, width = node >> 1, last >> 1, width * 2
    return sides, ends


def _spans(begin: int, cuts: list[int], hashes: Iterable[list[bytes]], tell: Tell) -> list[Span]:
    """Leaves from `begin` on, up to each of `cuts`; fewer if there are not that many."""
    spans = [Span(begin)]
    for some in hashes:
        rest = some[: cuts[-1] - spans[-1].end]
        tell(len(rest))
        while rest:
            room = cuts[len(spans) - 1] - spans[-1].end
            spans[-1].extend(rest[:room])
            rest = rest[room:]
            if rest:
                spans.append(Span(spans[-1].end))
        if spans[-1].end == cuts[-1]:
            break
    return spans
