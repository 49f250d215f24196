"""Where a log stops being what was signed, and what was done to it there.

The `leaves` files are not signed, but if they lead to the signed root, they are what was signed: then the first
block that differs from its leaf is the first bad one. If they do not, all that is known is the range between the
last head that is right and the first one that is wrong. Within it the events themselves may show where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from proxy.audit import events
from proxy.audit.blocks import CUT, Reading, SegmentError
from proxy.audit.proof.walk import all_stored, oddity, stored_tree
from proxy.audit.snapshot import Snapshot, State
from proxy.audit.tree import leaf_hash
from proxy.audit.verdict import Fault, Point, event_fault

WINDOW = 64  # blocks that are compared to tell a removed block from a changed one


def diagnose(shot: Snapshot, start: State, good: Point, bad: Point, log: str) -> Fault:
    """What happened between `good`, which is right (or the start), and `bad`, which is not. Raises OSError."""
    tree = stored_tree(shot, start, bad.size)
    if tree.size == bad.size and tree.root() == bad.root:
        return _Search(shot, start, bad, log).by_leaves()
    return _Search(shot, start, bad, log).by_events(good)


class _Search:
    def __init__(self, shot: Snapshot, start: State, bad: Point, log: str) -> None:
        self.shot, self.bad, self.log = shot, bad, log
        self.size, self.seq = start.size, start.seq
        """Up to where everything is as it should be."""
        self.error, self.torn = "", 0

    def by_leaves(self) -> Fault:
        """The first block that is not what its leaf says."""
        signed, blocks = all_stored(self.shot), self._blocks()
        for block in blocks:
            leaf = next(signed, b"")
            if leaf_hash(block) != leaf:
                return self._compared([block, *islice(blocks, WINDOW)], [leaf, *islice(signed, WINDOW)])
            self._taken(block)
        return self._ended(self.seq, self.seq)

    def _compared(self, here: Sequence[bytes], signed: Sequence[bytes]) -> Fault:
        """`here` are the blocks from the first bad one on, `signed` the hashes of those that should be here."""
        hashes, lines = [leaf_hash(block) for block in here], _lines(here[0])
        moved, pushed = hashes[0] in signed, signed[0] in hashes
        if moved or pushed:
            look = "swapped" if moved and pushed else "removed" if moved else "inserted"
            return event_fault(look, self.seq, self.seq)
        if odd := oddity(lines, self.log, self.size, self.seq):
            return event_fault(odd.look, self.seq, odd.seq)
        right = next((block for block, leaf in zip(here, hashes, strict=True) if leaf in signed), None)
        missing, end = self.seq + len(lines), events.decode(_lines(right)[0]).seq if right else self.bad.seq
        if missing >= end or self.torn:
            return event_fault("changed", self.seq, end - 1)
        return event_fault("removed", self.seq, missing) if right else self._ended(self.seq, missing)

    def by_events(self, good: Point) -> Fault:
        """What the events show behind the last head that is right."""
        last = max(good.seq, self.bad.seq - 1)
        for block in self._blocks():
            if self.size >= good.size:
                odd = oddity(_lines(block), self.log, self.size, self.seq)
                if odd is not None:
                    return event_fault(odd.look, good.seq, min(odd.seq, last))
            self._taken(block)
            if self.size == self.bad.size:
                return event_fault("changed", good.seq, last)
        return self._ended(good.seq, min(self.seq, last))

    def _ended(self, first: int, last: int) -> Fault:
        if not self.error:
            return event_fault("cut off", first, last)
        fault = event_fault("changed", first, last)
        return Fault(fault.look, fault.first, fault.last, f"{fault.says}: {self.error}")

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

    def _taken(self, block: bytes) -> None:
        self.size += 1
        self.seq += block.count(b"\n")


def _lines(block: bytes) -> list[bytes]:
    return block[:-1].split(b"\n")
