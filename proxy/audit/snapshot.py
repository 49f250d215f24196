"""What a log consists of at one moment, so that it can be read while its writer goes on.

The signed checkpoint is taken first: what it covers was on the disk before it was signed, so nothing it speaks of
can be missing from what is looked at later. The sizes of segments are taken once; what comes behind is not read.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from proxy.audit.layout import SEGMENT, Segment, segments
from proxy.audit.storage import content
from proxy.audit.tree import Frontier

PEAK = re.compile(r"[0-9a-f]{64}")
NAMES = {"size", "seq", "peaks", "segment", "offset"}
TRIES = 10


class StateError(ValueError):
    """A `frontier` or `pruned` file is not what a writer writes."""


@dataclass(frozen=True, slots=True)
class State:
    """A log that has `size` blocks with `seq` events; `peaks` are its tree's. It goes on `offset` bytes (-1: the
    file does not say that) into segment `segment`."""

    size: int = 0
    seq: int = 0
    peaks: tuple[bytes, ...] = ()
    segment: int = 0
    offset: int = -1

    @classmethod
    def parse(cls, text: bytes) -> State:
        """Raises StateError."""
        try:
            kept = json.loads(text)
            size, seq, peaks = kept["size"], kept["seq"], kept["peaks"]
            if kept.keys() - NAMES:
                raise ValueError
            segment, offset = kept.get("segment", 0), kept.get("offset", -1)
            if any(type(number) is not int or number < 0 for number in (size, seq, segment, offset + 1)):
                raise ValueError
            if not all(PEAK.fullmatch(peak) for peak in peaks):
                raise ValueError
            made = cls(size, seq, tuple(map(bytes.fromhex, peaks)), segment, offset)
            made.tree()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StateError("it is not what the writer of a log writes") from None
        return made

    def tree(self) -> Frontier:
        """The tree, to go on with."""
        return Frontier(self.size, self.peaks)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The log in `folder`. `live`: a writer has it now. `ends` are the sizes of the segments (None: all of it).

    Files that are not there are None. `twice` are numbers that more than one segment has, but for one that is just
    being compressed. `leftover` are compressed copies of segments that are still there, and segments that were
    pruned and are still there.
    """

    folder: Path
    live: bool
    note: bytes | None
    pruned: bytes | None
    frontier: bytes | None
    segments: tuple[Segment, ...]
    ends: tuple[int | None, ...]
    twice: tuple[int, ...]
    leftover: tuple[Path, ...]


def snapshot(folder: Path) -> Snapshot:
    """Look at a log. Raises OSError."""
    for _ in range(TRIES):
        live, note, pruned = is_live(folder), _content(folder / "checkpoint"), _content(folder / "pruned")
        try:
            found = segments(folder)
            ends = tuple(None if segment.sealed else segment.path.stat().st_size for segment in found)
        except FileNotFoundError:
            continue  # it was compressed or pruned this moment
        if _content(folder / "pruned") == pruned:
            break
    else:
        raise OSError(f"the segments in {folder} change faster than they can be listed; try again")
    frontier = _content(folder / "frontier")
    if note is None and live:
        note = _content(folder / "checkpoint")  # the first one was not signed yet
    twice, leftover = _doubled(folder, found)
    first = _first(pruned)
    leftover += [segment.path for segment in found if segment.number < first]
    kept = [(segment, end) for segment, end in zip(found, ends, strict=True) if segment.number >= first]
    names, sizes = tuple(one for one, _ in kept), tuple(end for _, end in kept)
    return Snapshot(folder, live, note, pruned, frontier, names, sizes, tuple(twice), tuple(leftover))


def _first(pruned: bytes | None) -> int:
    """The first segment that is not pruned."""
    try:
        return State.parse(pruned).segment if pruned is not None else 0
    except StateError:
        return 0  # whoever judges it reads it again


def is_live(folder: Path) -> bool:
    """Whether a writer holds the log's lock. Asking holds it for a moment, shared."""
    try:
        file = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _content(path: Path) -> bytes | None:
    try:
        return content(path)
    except FileNotFoundError:
        return None


def _doubled(folder: Path, found: list[Segment]) -> tuple[list[int], list[Path]]:
    taken = {segment.number: segment.path for segment in found}
    twice, leftover = [], []
    for path in sorted(folder.iterdir()):
        match = SEGMENT.fullmatch(path.name)
        if match is None or taken.get(int(match[2]), path) == path:
            continue
        if path.name == f"{taken[int(match[2])].name}.gz":
            leftover.append(path)
        else:
            twice.append(int(match[2]))
    return twice, leftover
