"""One segment, read once: its blocks hashed and counted, its side files compared, what is not signed looked at.

What comes out is small, and the same for the same bytes and the same Place, so another process may make it
(crew.py) before anybody knows where in its log the segment begins: it is taken to begin where its first event says
so, and whoever walks the log (walk.py) only uses what was made for the true place. Nothing in here judges.

What is signed is only hashed and counted, because the root proves every byte of it: 0.9 us an event in blocks of
50. What stands behind the last signed point is decoded line by line, 3 us an event.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from typing import NamedTuple

from msgspec import UNSET

from proxy.audit import events
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.layout import LOG_ID, Segment
from proxy.audit.proof.admitted import HOLD, admissions
from proxy.audit.proof.committed import Compared, Comparing
from proxy.audit.tree import Span, Subtree

FAR = 1 << 62
"""More events than there can be."""
Tell = Callable[[int], None]
"""Is given the number of events that were read since it was called last."""


class Place(NamedTuple):
    """Where in a log a segment begins: behind `size` blocks with `seq` events of `log` (None: its first event will
    tell)."""

    size: int
    seq: int
    log: str | None


class Task(NamedTuple):
    """A segment to digest, up to byte `end` (None: all of it). `points` are sizes of the tree at which it is asked
    what the log is, in order; behind the one that is `signed` everything is decoded. `admitting`: what events say
    is gone is kept too, 0.2 us an event; without, only of runs with holds."""

    segment: Segment
    end: int | None
    points: tuple[int, ...]
    signed: int
    admitting: bool = False


class Stop(NamedTuple):
    """The log behind `size` blocks with `seq` events, which end `offset` bytes into the segment; `grown` is what
    the tree has grown by since the stop before."""

    size: int
    seq: int
    offset: int
    grown: list[Subtree]


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


@dataclass
class Digest:
    """What was seen in a segment that begins at `start`. `stops` are at the points that were reached, and where
    the segment ends. `begun` is the time of its first event (Unix, nanoseconds), None if it has none. `odd` is the
    first thing wrong behind the signed ones; `torn` counts bytes; `error` is why reading ended too early.
    `admissions` are lines of events."""

    start: Place
    stops: list[Stop]
    leaves: Leaves
    compared: Compared
    begun: int | None = None
    odd: Odd | None = None
    torn: int = 0
    error: str | None = None
    admissions: list[bytes] = field(default_factory=list)


def digest(task: Task, place: Place | None = None, tell: Tell = lambda _: None) -> Digest | None:
    """Read a segment that begins at `place`; without, where its first event says, and None if none does.

    Raises OSError; FileNotFoundError if it was pruned meanwhile.
    """
    comparing, error = Comparing(task.segment), None
    reading = Reading(task.segment, 0, task.end)
    digesting = None if place is None else _Digesting(task, place, comparing)
    try:
        for run in reading.runs():
            if digesting is None:
                if (claimed := said(run)) is None:
                    return None
                digesting = _Digesting(task, claimed, comparing)
            tell(digesting.take(run))
    except SegmentError as failed:
        error = str(failed)
    return None if digesting is None else digesting.end(reading.torn, error)


class _Digesting:
    def __init__(self, task: Task, place: Place, comparing: Comparing) -> None:
        self.size, self.seq, self.log = place
        self.points, self.signed, self.admitting, self.offset = task.points, task.signed, task.admitting, 0
        self.stored = stored_leaves(task.segment) or b""
        known = place.size + len(self.stored) // 32
        told = Leaves(task.segment, place.size, known, torn=len(self.stored) % 32 > 0)
        self.done = Digest(place, [], told, Compared())
        self.span, self.comparing = Span(place.size), comparing

    def take(self, run: bytes) -> int:
        """The next blocks. Returns how many events they have."""
        if self.done.begun is None:
            log, self.done.begun = beginning(run)
            self.log = log if self.log is None else self.log
        self._compare(run)
        if self.admitting or HOLD in run:
            self.done.admissions += admissions(run)
        # by lines, which memchr finds: 60 % of the time of splitting where blocks begin
        lines, head, width = BytesIO(run).readlines(), events.HEAD, len(events.HEAD)
        heads = [at for at, line in enumerate(lines) if line[:width] == head]
        if len(heads) == len(lines):
            hashes = [sha256(b"\0" + line).digest() for line in lines]
            heads.append(len(lines))
        else:
            heads.append(len(lines))
            hashes = [sha256(b"".join([b"\0", *lines[at:to]])).digest() for at, to in pairwise(heads)]
        self._hold_against(hashes, heads)
        self._go(lines, hashes, heads)
        self.offset += len(run)
        return len(lines)

    def _compare(self, run: bytes) -> None:
        try:
            self.done.compared.add(self.comparing.lacking(run))
        except ValueError:  # what is no event is told by whoever looks at it, if it is not told by its hash
            self.done.compared.more = True

    def _hold_against(self, hashes: list[bytes], heads: list[int]) -> None:
        """The hashes that the `leaves` file has."""
        told, at = self.done.leaves, (self.size - self.done.start.size) * 32
        there, here = self.stored[at : at + len(hashes) * 32], b"".join(hashes)
        there = there[: len(there) // 32 * 32]
        if told.differs is None and not here.startswith(there):
            same = next(n for n, leaf in enumerate(hashes) if there[n * 32 : n * 32 + 32] != leaf)
            told.differs = self.size + same, self.seq + heads[same]

    def _go(self, lines: list[bytes], hashes: list[bytes], heads: list[int]) -> None:
        """Go on by these blocks, which begin with the lines `heads`; the last of those is behind all."""
        size, seq, taken = self.size, self.seq, 0
        points = self.points[bisect(self.points, size) : bisect(self.points, size + len(hashes))]
        for upto in sorted({point - size for point in points} | {len(hashes)}):
            if self.size >= self.signed:
                self._look(lines[at:to] for at, to in pairwise(heads[taken : upto + 1]))
            self.span.extend(hashes[taken:upto])
            self.size, self.seq = size + upto, seq + heads[upto]
            if self.size in points:
                self._stop(sum(map(len, lines[: heads[upto]])))
            taken = upto

    def _look(self, blocks: Iterable[list[bytes]]) -> None:
        seq = self.seq
        for number, lines in enumerate(blocks, self.size):
            if self.done.odd is None:
                self.done.odd = oddity([line[:-1] for line in lines], self.log or "", number, seq)
            seq += len(lines)

    def _stop(self, more: int = 0) -> None:
        self.done.stops.append(Stop(self.size, self.seq, self.offset + more, self.span.subtrees))
        self.span = Span(self.size)

    def end(self, torn: int, error: str | None) -> Digest:
        """There is nothing more, but for so many bytes."""
        self._stop()
        done = self.done
        done.start, done.torn, done.error = done.start._replace(log=self.log), torn, error
        done.leaves.over = max(0, done.leaves.known - self.size)
        return done


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


def stored_leaves(segment: Segment) -> bytes | None:
    """What stands in a segment's `leaves` file; None if there is none. Raises OSError."""
    path = segment.beside("leaves")
    try:
        return path.read_bytes() if path.is_file() else None  # a pipe would be waited for
    except FileNotFoundError:
        return None


def beginning(run: bytes) -> tuple[str, int]:
    """The log that the first event says it belongs to, and its time; empty and 0 if it says nothing readable."""
    try:
        event = events.decode(run[: run.find(b"\n")])
    except ValueError:
        return "", 0
    return (event.log if LOG_ID.fullmatch(event.log) else ""), event.t


def said(run: bytes) -> Place | None:
    """Where the first event says that its segment begins."""
    try:
        event = events.decode(run[: run.find(b"\n")])
    except ValueError:
        return None
    numbers = event.b, event.seq
    if any(number is UNSET or not 0 <= number < FAR for number in numbers) or not LOG_ID.fullmatch(event.log):
        return None
    return Place(*numbers, event.log)
