"""Reading what may be shipped of a log: whole blocks that a signed checkpoint covers, in order, from any place on.

What is read is hashed on the way and held against the checkpoint, so what was changed after it was signed is not
shipped as if nothing had happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proxy.audit.blocks import SegmentError, blocks
from proxy.audit.checkpoint import Checkpoint, CheckpointError, Verifier
from proxy.audit.layout import Segment, segments
from proxy.audit.sinks import Batch
from proxy.audit.tree import Frontier, leaf_hash

EVENTS = 5_000  # in a batch, or one block if that has more
BYTES = 4 << 20


class DamagedError(Exception):
    """A log is not what was signed, or not what was shipped before. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed checkpoint of a log, and its note as it was signed."""

    folder: Path
    checkpoint: Checkpoint
    note: str


@dataclass(slots=True)
class Reached:
    """So many events and blocks are behind us; the tree of those blocks. `segment` and `offset` say where the next
    one begins, if we were there before."""

    seq: int = 0
    tree: Frontier = field(default_factory=Frontier)
    segment: int = -1
    offset: int = 0

    def copy(self) -> Reached:
        """One that goes on by itself."""
        return Reached(self.seq, self.tree.copy(), self.segment, self.offset)


def head(folder: Path, verifier: Verifier) -> Head | None:
    """What is signed of the log in `folder`; None before its first checkpoint. Raises DamagedError."""
    try:
        note = (folder / "checkpoint").read_text(errors="replace")
    except FileNotFoundError:
        return None
    try:
        return Head(folder, verifier.open(note), note)
    except CheckpointError as error:
        raise DamagedError(f"the checkpoint is not one of ours: {error}") from None


def pruned(folder: Path) -> Reached | None:
    """What retention removed from the log. Raises DamagedError."""
    try:
        said = json.loads((folder / "pruned").read_bytes())
        return Reached(said["seq"], Frontier(said["size"], map(bytes.fromhex, said["peaks"])))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise DamagedError("the file that says what retention removed cannot be read") from None


def batches(target: Head, reached: Reached) -> Iterator[tuple[Batch, Reached]]:
    """What is missing at `reached` of what `target` covers: each batch, and where one is behind it.

    Raises DamagedError, and FileNotFoundError if a segment was sealed or pruned in this moment: begin again at
    the last batch that arrived.
    """
    size, log = target.checkpoint.size, target.checkpoint.log
    if reached.tree.size > size:
        raise DamagedError("it was cut off: more of it was shipped than its checkpoint covers")
    at, run, count, length = reached.copy(), [], 0, 0
    first, number = at.seq, at.tree.size
    for block in _from(target.folder, at):
        run.append(block)
        at.tree.add(leaf_hash(block))
        count += block.count(b"\n")
        length += len(block)
        at.seq = first + count
        whole = at.tree.size == size
        if whole or count >= EVENTS or length >= BYTES:
            if whole:
                _check(target.checkpoint, at)
            yield Batch(log, number, first, tuple(run), target.note if whole else None), at.copy()
            first, number, run, count, length = at.seq, at.tree.size, [], 0, 0
        if whole:
            return
    if at.tree.size < size:
        raise DamagedError("it was cut off: blocks are missing that its checkpoint covers")


def _check(signed: Checkpoint, at: Reached) -> None:
    if at.tree.root() != signed.root or at.seq != signed.seq:
        raise DamagedError("it was changed: its blocks are not those that its checkpoint signs")


def _from(folder: Path, at: Reached) -> Iterator[bytes]:
    """The blocks behind `at`, which is told its place in the files as they are read."""
    try:
        for segment in _segments(folder, at):
            if segment.number != at.segment:
                at.segment, at.offset = segment.number, 0
            for block in blocks(segment, at.offset):
                at.offset = block.place + len(block.data)
                if block.number > at.tree.size:
                    raise DamagedError("blocks are missing that its checkpoint covers")
                if block.number == at.tree.size:
                    yield block.data
    except SegmentError as error:
        raise DamagedError(str(error)) from None


def _segments(folder: Path, at: Reached) -> list[Segment]:
    """Those that hold what is behind `at`; looked for from the end, because there it mostly is."""
    found = segments(folder)
    for index in reversed(range(len(found))):
        if found[index].number == at.segment or (at.segment < 0 and _begins(found[index], at.tree.size)):
            return found[index:]
    return found


def _begins(segment: Segment, size: int) -> bool:
    """Whether its first block is at most number `size`."""
    first = next(blocks(segment), None)
    return first is not None and first.number <= size
