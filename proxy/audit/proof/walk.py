"""One walk over a log: the digests of its segments put together, the tree grown over them, and what the log is
at the points asked for, kept. Nothing in here judges.

Segments may be digested ahead of the walk (crew.py), each for the place that it says of itself. If that is not the
place where the walk arrives, it is digested again for the true one: what comes out is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from proxy.audit.blocks import Reading
from proxy.audit.layout import Segment
from proxy.audit.proof.committed import Compared
from proxy.audit.proof.digest import Digest, Leaves, Odd, Place, Task, Tell, digest, stored_leaves
from proxy.audit.snapshot import Snapshot, State
from proxy.audit.tree import Frontier

Ahead = Callable[[Sequence[Task]], Generator[Digest | None]]
"""Digests of segments in their order, each for the place that it says of itself; None: it has to be done here."""


def nobody(tasks: Sequence[Task]) -> Generator[Digest | None]:
    """Everything is done where the walk is."""
    yield from (None for _ in tasks)


class Wanted(NamedTuple):
    """What is asked of a log: what it is at `points`, which are sizes of the tree; what looks odd behind block
    `signed`; and, if `admitting`, what its events say is gone."""

    points: Sequence[int]
    signed: int
    admitting: bool


class At(NamedTuple):
    """What a log is at some point: `seq` events with this `root`, which end `offset` bytes into a segment."""

    root: bytes
    seq: int
    segment: int
    offset: int


@dataclass
class Walked:
    """What one walk has seen. `at` says what the log is at each point that was reached; `odd` what is wrong behind
    the last of them. `error` is why reading ended too early, in segment `stopped`; `begun` is when the first event
    was (Unix, nanoseconds); `compared` is what lacks in side files, by segment; `admissions` are events' lines."""

    size: int
    seq: int
    log: str = ""
    begun: int | None = None
    compared: list[Compared] = field(default_factory=list)
    admissions: list[bytes] = field(default_factory=list)
    at: dict[int, At] = field(default_factory=dict)
    leaves: list[Leaves] = field(default_factory=list)
    odd: Odd | None = None
    torn: list[tuple[Segment, int]] = field(default_factory=list)
    error: str | None = None
    stopped: Segment | None = None


def walk(shot: Snapshot, start: State, wanted: Wanted, tell: Tell, ahead: Ahead = nobody) -> Walked:
    """Walk the log from `start` on.

    Raises OSError; FileNotFoundError if a segment was compressed or pruned meanwhile.
    """
    points = tuple(sorted({point for point in (*wanted.points, wanted.signed) if point >= start.size}))
    walking = _Walking(start, points)
    tasks = [
        Task(segment, end, points, wanted.signed, wanted.admitting)
        for segment, end in zip(shot.segments, shot.ends, strict=True)
    ]
    with closing(ahead(tasks)) as early:
        for task, found in zip(tasks, early, strict=True):
            walking.take(task, found, tell)
            if walking.done.error is not None:
                break
    return walking.done


class _Walking:
    def __init__(self, start: State, points: Sequence[int]) -> None:
        self.tree, self.points, self.done = start.tree(), set(points), Walked(start.size, start.seq)
        self._mark(start.segment, 0)

    def take(self, task: Task, found: Digest | None, tell: Tell) -> None:
        """Go on by a segment."""
        done = self.done
        place = Place(done.size, done.seq, None if done.begun is None else done.log)
        if found is None or not _fits(found.start, place):
            found = digest(task, place, tell)
            assert found is not None
        else:
            tell(found.stops[-1].seq - place.seq)
        if done.begun is None and found.begun is not None:
            done.log, done.begun = found.start.log or "", found.begun
        for stop in found.stops:
            self.tree.grow(stop.grown)
            done.size, done.seq = stop.size, stop.seq
            self._mark(task.segment.number, stop.offset)
        done.odd = found.odd if done.odd is None else done.odd
        done.leaves.append(found.leaves)
        done.compared.append(found.compared)
        done.admissions += found.admissions
        if found.torn:
            done.torn.append((task.segment, found.torn))
        if found.error is not None:
            done.error, done.stopped = found.error, task.segment

    def _mark(self, segment: int, offset: int) -> None:
        if self.tree.size in self.points:
            self.done.at.setdefault(self.tree.size, At(self.tree.root(), self.done.seq, segment, offset))


def _fits(start: Place, place: Place) -> bool:
    return start[:2] == place[:2] and place.log in (None, start.log)


def each_run(shot: Snapshot) -> Iterator[bytes]:
    """All blocks, many at once. Raises SegmentError, OSError."""
    for segment, end in zip(shot.segments, shot.ends, strict=True):
        yield from Reading(segment, 0, end).runs()


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
