"""Where a log stops being what was signed, and what was done to it there.

The `leaves` files are not signed, but if they lead to the signed root, they are what was signed: then the first
block that differs from its leaf is the first bad one, and whatever stands before it is right. If they do not, all
that is known is the range between the last head that is right and the first one that is wrong. What was done is
told by the numbers of the events, and by where the events that should be here stand: "removed" is only said if
one is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from proxy.audit import events
from proxy.audit.blocks import CUT, Reading, SegmentError
from proxy.audit.proof.digest import Odd, oddity
from proxy.audit.proof.walk import all_stored, stored_tree
from proxy.audit.snapshot import Snapshot, State
from proxy.audit.tree import leaf_hash
from proxy.audit.verdict import Fault, Point, event_fault

WINDOW = 64  # blocks that are compared to tell what was moved from what was removed


class Found(NamedTuple):
    """What happened, and up to which event the log is what was signed, if that is known better than by heads."""

    fault: Fault
    right: int | None = None


def diagnose(shot: Snapshot, start: State, good: Point, bad: Point, log: str) -> Found:
    """What happened between `good`, which is right (or the start), and `bad`, which is not. Raises OSError."""
    tree, search = stored_tree(shot, start, bad.size), _Search(shot, start, bad, log)
    if tree.size == bad.size and tree.root() == bad.root:
        fault = search.by_leaves()
        return Found(fault, search.seq)
    return Found(search.by_events(good))


class _Search:
    def __init__(self, shot: Snapshot, start: State, bad: Point, log: str) -> None:
        self.shot, self.bad, self.log = shot, bad, log
        self.size, self.seq = start.size, start.seq
        """Up to where everything is as it should be, or looks so."""
        self.error, self.torn, self.broken = "", 0, False

    # -- if it is known what was signed -------------------------------------------------------------------

    def by_leaves(self) -> Fault:
        """The first block that is not what its leaf says."""
        signed, blocks = all_stored(self.shot), self._blocks()
        for block in blocks:
            leaf = next(signed, b"")
            if leaf_hash(block) != leaf:
                return self._compared(block, leaf, blocks, list(islice(signed, WINDOW)))
            self._taken(block)
        return self._ended(self.seq, self.seq)

    def _compared(self, block: bytes, leaf: bytes, blocks: Iterator[bytes], signed: Sequence[bytes]) -> Fault:
        """`block` is the first bad one, before `blocks`; `leaf` is what should be here, before `signed`."""
        if self.torn:  # the end of the segment before: that was the first bad one
            return event_fault("changed", self.seq, self.seq)
        follows = next(blocks, None)
        torn = self.torn
        behind = [*([follows] if follows else []), *islice(blocks, WINDOW)]
        moved, pushed = leaf_hash(block) in signed, leaf in map(leaf_hash, behind)
        if moved or pushed:
            return event_fault(
                "swapped" if moved and pushed else "removed" if moved else "inserted", self.seq, self.seq
            )
        if odd := oddity(_lines(block), self.log, self.size, self.seq):
            return event_fault(_look(odd, self.seq, [block, *behind]), self.seq, odd.seq)
        end = self.seq + len(_lines(block))
        if follows is None:
            return self._last(end)
        return event_fault("changed", self.seq, end) if torn else self._before(end, behind)

    def _before(self, end: int, behind: Sequence[bytes]) -> Fault:
        """The bad block looks as if its events ended before `end`; `behind` tells whether those are all."""
        follows = behind[0]
        odd = oddity(_lines(follows), self.log, self.size + 1, end)
        if odd and odd.seq == end and odd.look in ("removed", "inserted"):  # what is bad has too few, or too many
            last = end if odd.look == "removed" else end - 1
            return event_fault(_look(odd, end, behind), self.seq, last)
        return event_fault("changed", self.seq, end if odd and odd.seq == end else end - 1)

    def _last(self, end: int) -> Fault:
        """Nothing follows the bad block, whose events end before `end`."""
        if self.size + 1 == self.bad.size and end >= self.bad.seq and not self.error:
            return event_fault("changed" if end == self.bad.seq else "inserted", self.seq, end - 1)
        return self._ended(self.seq, end)

    # -- if it is not -------------------------------------------------------------------------------------

    def by_events(self, good: Point) -> Fault:
        """What the events show behind the last head that is right."""
        last, blocks = max(good.seq, self.bad.seq - 1), self._blocks()
        for block in blocks:
            if self.size >= good.size:
                odd = oddity(_lines(block), self.log, self.size, self.seq)
                if odd is not None:
                    torn = self.torn > 0  # at the end of a segment before
                    look = _look(odd, self.seq, [block, *islice(blocks, WINDOW)])
                    look = "changed" if torn and look == "removed" else look
                    return event_fault(look, good.seq, min(odd.seq, last))
            self._taken(block)
            if self.size == self.bad.size:
                if self.seq < self.bad.seq and next(blocks, None) is None:
                    break
                look = "inserted" if self.seq > self.bad.seq else "changed"
                return event_fault("removed" if self.seq < self.bad.seq else look, good.seq, last)
        return self._ended(good.seq, min(self.seq, last))

    # -- both ---------------------------------------------------------------------------------------------

    def _ended(self, first: int, last: int) -> Fault:
        """There is nothing more; a line that ends as it should and is no event was written by somebody."""
        fault = event_fault("changed" if self.error or self.broken else "cut off", first, last)
        says = f"{fault.says}: {self.error}" if self.error else fault.says
        return Fault(fault.look, fault.first, fault.last, says)

    def _blocks(self) -> Iterator[bytes]:
        for segment, end in zip(self.shot.segments, self.shot.ends, strict=True):
            reading = Reading(segment, 0, end)
            try:
                for run in reading.runs():
                    for piece in run[len(events.HEAD) : -1].split(CUT):
                        yield b"%s%s\n" % (events.HEAD, piece)
            except SegmentError as error:
                self.error = f"{segment.path.name}: {error}"
                return
            self.torn += reading.torn
            self.broken = reading.broken

    def _taken(self, block: bytes) -> None:
        self.size += 1
        self.seq += block.count(b"\n")


def _look(odd: Odd, first: int, blocks: Sequence[bytes]) -> str:
    """What to say of an event that is not in its place, in the first of `blocks`, which begins with event `first`.
    It was not removed if it stands further behind; then what stands here was moved, or is a copy."""
    if odd.look != "removed":
        return odd.look
    lines = [line for block in blocks for line in _lines(block)]
    here = events.decode(lines[odd.seq - first]).seq

    def times(seq: int) -> int:
        spelt = b'"seq":%d,' % seq
        return sum(spelt in line for line in lines)

    return "removed" if not times(odd.seq) else "inserted" if times(here) > 1 else "swapped"


def _lines(block: bytes) -> list[bytes]:
    return block[:-1].split(b"\n")
