"""One pass over a log: hashes every block, rebuilds the tree, and keeps what it is at the points asked for.

What is signed is only hashed and counted, 1.1 us an event in blocks of 50, because the root proves every byte of
it. What stands behind the last signed point is decoded line by line, 3 us an event. Nothing in here judges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from msgspec import UNSET

from proxy.audit import events
from proxy.audit.blocks import CUT, Reading, SegmentError
from proxy.audit.layout import Segment
from proxy.audit.snapshot import Snapshot, State
from proxy.audit.tree import Frontier

LEAF = b"\0" + events.HEAD
COMMITS = re.compile(rb'"(?:c|body)":"')  # no string in JSON can hold a bare quote
Tell = Callable[[int], None]
"""Is given the number of events that were read since it was called last."""


class Odd(NamedTuple):
    """Event `seq` should stand here, in `block`; `look` says how what does stand here looks."""

    seq: int
    look: str
    block: int


@dataclass
class Leaves:
    """How a segment's `leaves` file agrees with its blocks, which are counted in the log: `first` is its first,
    `known` the first behind those that have a hash, `differs` the first whose hash is another one, and the seq it
    begins with. `over` counts hashes that have no block; `torn` is one that was cut."""

    segment: Segment
    first: int
    known: int
    torn: bool
    differs: tuple[int, int] | None = None
    over: int = 0


class At(NamedTuple):
    """What a log is at some point: `seq` events with this `root`, which end `offset` bytes into a segment."""

    root: bytes
    seq: int
    segment: int
    offset: int


@dataclass
class Walked:
    """What one pass has seen. `at` says what the log is at each point that was reached; `odd` what is wrong behind
    the last of them. `error` is why reading ended too early, in segment `stopped`; `begun` is when the first event
    was (Unix, nanoseconds); `committing` are segments, by number, whose events speak of side files."""

    size: int
    seq: int
    log: str = ""
    begun: int | None = None
    committing: set[int] = field(default_factory=set)
    at: dict[int, At] = field(default_factory=dict)
    leaves: list[Leaves] = field(default_factory=list)
    odd: Odd | None = None
    torn: list[tuple[Segment, int]] = field(default_factory=list)
    error: str | None = None
    stopped: Segment | None = None


def walk(shot: Snapshot, start: State, points: Sequence[int], signed: int, tell: Tell) -> Walked:
    """Read the log from `start` on. `points` are sizes of the tree; what is behind block `signed` is decoded.

    Raises OSError; FileNotFoundError if a segment was compressed or pruned meanwhile.
    """
    walking = _Walking(start, points, signed, tell)
    for segment, end in zip(shot.segments, shot.ends, strict=True):
        reading = Reading(segment, 0, end)
        try:
            walking.read(segment, reading)
        except SegmentError as error:
            walking.done.error, walking.done.stopped = str(error), segment
            break
        if reading.torn:
            walking.done.torn.append((segment, reading.torn))
    return walking.done


class _Walking:
    def __init__(self, start: State, points: Sequence[int], signed: int, tell: Tell) -> None:
        self.tree, self.done, self.tell = start.tree(), Walked(start.size, start.seq), tell
        self.points = sorted({point for point in points if point >= start.size}, reverse=True)
        self.signed = signed
        self.segment, self.offset = start.segment, 0
        self._mark()

    def read(self, segment: Segment, reading: Reading) -> None:
        """Take the blocks of one segment."""
        stored, first = stored_leaves(segment) or b"", self.done.size
        known = len(stored) // 32
        told = Leaves(segment, first, first + known, torn=len(stored) % 32 > 0)
        self.done.leaves.append(told)
        self.segment, self.offset = segment.number, 0
        for run in reading.runs():
            if segment.number not in self.done.committing and COMMITS.search(run):
                self.done.committing.add(segment.number)
            size, seq = self.done.size, self.done.seq
            hashes = self._take(run)
            there = stored[(size - first) * 32 : known * 32][: len(hashes)]
            if told.differs is None and not hashes.startswith(there):
                same = _same(hashes, there)
                told.differs = size + same, seq + sum(piece.count(b"\n") + 1 for piece in _pieces(run)[:same])
        told.over = max(0, told.known - self.done.size)

    def _take(self, run: bytes) -> bytes:
        """The hashes of a run's blocks, joined."""
        if self.done.begun is None:
            self.done.log, self.done.begun = beginning(run)
        pieces = _pieces(run)
        hashes = [sha256(b"%b%b\n" % (LEAF, piece)).digest() for piece in pieces]
        seq, taken = self.done.seq, 0
        for upto in [*self._stops(len(pieces)), len(pieces)]:
            if self.done.size >= self.signed:
                self._look(pieces[taken:upto])
            elif upto < len(pieces):
                self.done.seq += sum(piece.count(b"\n") for piece in pieces[taken:upto]) + upto - taken
            else:
                self.done.seq = seq + run.count(b"\n")
            self.offset += sum(map(len, pieces[taken:upto])) + (len(events.HEAD) + 1) * (upto - taken)
            self._grow(hashes[taken:upto])
            taken = upto
        self.tell(self.done.seq - seq)
        return b"".join(hashes)

    def _stops(self, count: int) -> list[int]:
        """Where in a run of `count` blocks the points are, and where looking begins."""
        size = self.done.size
        stops = {point - size for point in self.points} | {self.signed - size}
        return sorted(stop for stop in stops if 0 < stop < count)

    def _grow(self, hashes: list[bytes]) -> None:
        for leaf in hashes:
            self.tree.add(leaf)
        self.done.size += len(hashes)
        self._mark()

    def _mark(self) -> None:
        while self.points and self.points[-1] <= self.tree.size:
            point = self.points.pop()
            if point == self.tree.size:
                self.done.at[point] = At(self.tree.root(), self.done.seq, self.segment, self.offset)

    def _look(self, pieces: list[bytes]) -> None:
        for number, piece in enumerate(pieces, self.done.size):
            lines = (events.HEAD + piece).split(b"\n")
            if self.done.odd is None:
                self.done.odd = oddity(lines, self.done.log, number, self.done.seq)
            self.done.seq += len(lines)


def _pieces(run: bytes) -> list[bytes]:
    """Its blocks without their heads and their last line feeds."""
    return run[len(events.HEAD) : -1].split(CUT)


def oddity(lines: Sequence[bytes], log: str, number: int, seq: int) -> Odd | None:
    """What is wrong with a block of `log` that should be `number` and begin with event `seq`, if anything can be
    seen from its events alone."""
    seqs, numbers = [], []
    for at, line in enumerate(lines, seq):
        try:
            event = events.decode(line)
        except ValueError:
            return Odd(at, "changed", number)
        if event.log != log:
            return Odd(at, "changed", number)
        seqs.append(event.seq)
        numbers.append(event.b)
    wrong = next((at for at, found in enumerate(seqs) if found != seq + at), None)
    if wrong is not None:
        swapped = sorted(seqs) == list(range(seq, seq + len(seqs)))
        return Odd(
            seq + wrong, "swapped" if swapped else "removed" if seqs[wrong] > seq + wrong else "inserted", number
        )
    if numbers != [number] + [UNSET] * (len(lines) - 1):
        return Odd(seq, "changed", number)
    return None


def each_block(shot: Snapshot) -> Iterator[bytes]:
    """The bytes of every block. Raises SegmentError, OSError."""
    for segment, end in zip(shot.segments, shot.ends, strict=True):
        for run in Reading(segment, 0, end).runs():
            for piece in _pieces(run):
                yield b"%s%s\n" % (events.HEAD, piece)


def stored_leaves(segment: Segment) -> bytes | None:
    """What stands in a segment's `leaves` file; None if there is none. Raises OSError."""
    try:
        return segment.beside("leaves").read_bytes()
    except FileNotFoundError:
        return None


def stored_tree(shot: Snapshot, start: State, size: int) -> Frontier:
    """The tree that the `leaves` files lead to, `size` blocks at most. Raises OSError."""
    tree = start.tree()
    for leaf in all_stored(shot):
        if tree.size >= size:
            break
        tree.add(leaf)
    return tree


def all_stored(shot: Snapshot) -> Iterator[bytes]:
    """Every hash of the `leaves` files, in order. Raises OSError."""
    for segment in shot.segments:
        stored = stored_leaves(segment) or b""
        yield from (stored[at : at + 32] for at in range(0, len(stored) // 32 * 32, 32))


def beginning(run: bytes) -> tuple[str, int]:
    """The log that the first event says it belongs to, and its time; empty and 0 if it says nothing readable."""
    try:
        event = events.decode(run[: run.find(b"\n")])
    except ValueError:
        return "", 0
    return str(event.log), int(event.t)


def _same(one: bytes, other: bytes) -> int:
    """With how many equal hashes both begin, of which not all are equal."""
    return next(
        at for at in range(len(other) // 32) if one[at * 32 : at * 32 + 32] != other[at * 32 : at * 32 + 32]
    )
