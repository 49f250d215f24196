"""Where a writer goes on: the place of a log, told from its signed checkpoint and the blocks behind it.

A log is continued only if it is what its own checkpoint says, signed by our key. What is behind the checkpoint
may end in a torn line, as a kill or a power cut leaves it: that much is cut off. Anything else is a reason to
leave the log as it is, for `verify` to look at, and to begin another one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from proxy.audit import events
from proxy.audit.blocks import Block, Reading, SegmentError, blocks
from proxy.audit.checkpoint import Checkpoint, CheckpointError, Verifier
from proxy.audit.layout import Segment, segments
from proxy.audit.storage import content
from proxy.audit.tree import Frontier, leaf_hash
from proxy.audit.writing.sides import Sides


class UnfitError(Exception):
    """The log must not be continued. The text says why, in words of ours."""


@dataclass(frozen=True, slots=True)
class Place:
    """A log of `size` blocks with `seq` events, which ends `offset` bytes into segment `segment`. `peaks` are its
    tree's. Kept in `frontier` as JSON (`peaks` in hex)."""

    size: int = 0
    seq: int = 0
    peaks: tuple[bytes, ...] = ()
    segment: int = 0
    offset: int = 0

    def text(self) -> bytes:
        """As it is kept."""
        peaks = [peak.hex() for peak in self.peaks]
        kept = {"size": self.size, "seq": self.seq, "peaks": peaks, "segment": self.segment, "offset": self.offset}
        return json.dumps(kept).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes) -> Place:
        """Raises ValueError, KeyError or TypeError for what no writer has written."""
        try:
            kept = json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        numbers = [kept[name] for name in ("size", "seq", "segment", "offset")]
        if any(type(number) is not int or number < 0 for number in numbers):
            raise ValueError("no counts")
        size, seq, segment, offset = numbers
        peaks = tuple(bytes.fromhex(peak) for peak in kept["peaks"])
        Frontier(size, peaks)
        return cls(size, seq, peaks, segment, offset)


class Hashed(NamedTuple):
    """Of the blocks in a segment the first `known` were not read; `leaves` are the hashes of those behind them."""

    segment: Segment
    known: int
    leaves: list[bytes]


@dataclass(frozen=True, slots=True)
class Restored:
    """Log `log` ends at `place`; `torn` bytes behind it are the residue of a crash. Its checkpoint covers `signed`
    blocks (-1: there is none), and not the last `adopted` events. `hashed` are the segments that were read, the
    last one last. `lost` segments stand behind the end: a power cut may leave the next segment and not the end of
    the one before. Nobody was promised that they survive, and they must not stay."""

    log: str
    place: Place
    signed: int = -1
    adopted: int = 0
    torn: int = 0
    hashed: tuple[Hashed, ...] = ()
    lost: tuple[Segment, ...] = ()


def restore(folder: Path, verifier: Verifier) -> Restored:
    """Where the log in `folder` ends; a new log if it is empty. Raises UnfitError and OSError."""
    written = segments(folder)
    try:
        signed = verifier.open(content(folder / "checkpoint").decode())
    except FileNotFoundError:
        if written or (folder / "frontier").exists() or (folder / "pruned").exists():
            raise UnfitError("its checkpoint is missing") from None
        return Restored(secrets.token_hex(4), Place())
    except UnicodeDecodeError:
        raise UnfitError("its checkpoint is not text") from None
    except CheckpointError as error:
        raise UnfitError(f"of its checkpoint: {error}") from None
    try:
        return _Continuing(signed, _known(folder, signed)).read(written)
    except SegmentError as error:
        raise UnfitError(f"of a segment: {error}") from None


def _known(folder: Path, signed: Checkpoint) -> Place:
    """The place to read on from, not behind the checkpoint. The peaks need no trust: the root that is signed is
    theirs, or the log is not continued."""
    known = Place()
    for name in ("frontier", "pruned"):  # which may have overtaken the frontier, or know of a later segment
        try:
            place = Place.parse(content(folder / name))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            continue  # then there is more to read
        if known.size <= place.size <= signed.size:
            known = place
    return known


class _Continuing:
    """Takes block after block."""

    def __init__(self, signed: Checkpoint, start: Place) -> None:
        self.signed = signed
        self.start = start
        self.tree = Frontier(start.size, start.peaks)
        self.seq = start.seq
        self._check()

    def read(self, written: Sequence[Segment]) -> Restored:
        """From the start to the end. Raises UnfitError, SegmentError and OSError."""
        number, offset, torn = self.start.segment, self.start.offset, 0
        hashed, lost = list[Hashed](), tuple[Segment, ...]()
        behind = [segment for segment in written if segment.number >= number]
        if offset and (not behind or behind[0].number != number):
            raise UnfitError("a segment is missing")
        for index, segment in enumerate(behind):
            begun = offset if segment.number == number else 0
            if torn or (not begun and self._lacks_some(segment)):
                lost = tuple(behind[index:])
                break
            known = self._known(segment) if begun else 0
            reading, leaves, number = Reading(segment, begun), list[bytes](), segment.number
            offset, torn = self._take_all(segment, reading, leaves)
            hashed.append(Hashed(segment, known, leaves))
        if torn and behind[-1 - len(lost)].sealed:
            raise UnfitError("a sealed segment ends within a line")
        if self.tree.size < self.signed.size:
            raise UnfitError("it is shorter than its checkpoint says")
        place = Place(self.tree.size, self.seq, tuple(self.tree.peaks), number, offset)
        adopted = self.seq - self.signed.seq
        return Restored(self.signed.log, place, self.signed.size, adopted, torn, tuple(hashed), lost)

    def _take_all(self, segment: Segment, reading: Reading, leaves: list[bytes]) -> tuple[int, int]:
        """Where the whole blocks of a segment end, and how many bytes stand behind them."""
        sides: Sides | None = None
        for block in reading:
            if self.tree.size >= self.signed.size:  # what is signed was synced with its rows
                sides = sides or Sides(segment, self.seq)
                whole = self._whole(block, sides)
                if len(whole.data) < len(block.data):
                    if whole.data:
                        leaves.append(self._take(whole))
                    end = whole.place + len(whole.data)
                    return end, segment.path.stat().st_size - end
            leaves.append(self._take(block))
        return reading.place, reading.torn

    def _whole(self, block: Block, sides: Sides) -> Block:
        """As much of a block as its rows allow."""
        lines = block.lines
        try:
            count = sides.whole(lines)
        except ValueError:
            raise UnfitError(f"block {self.tree.size} is not readable") from None
        return (
            block
            if count == len(lines)
            else block._replace(data=b"".join(b"%s\n" % line for line in lines[:count]))
        )

    def _known(self, segment: Segment) -> int:
        """How many blocks of a segment stand before the place where reading begins."""
        first = next(blocks(segment), None)
        if first is None or (not segment.sealed and segment.path.stat().st_size < self.start.offset):
            raise UnfitError("it is shorter than its checkpoint says")
        return self.tree.size - first.number

    def _lacks_some(self, segment: Segment) -> bool:
        """Whether there were other events between the segment before and this one."""
        first = next(iter(Reading(segment)), None)
        try:
            return first is not None and events.decode(first.lines[0]).seq > self.seq
        except ValueError:
            return False

    def _take(self, block: Block) -> bytes:
        lines = block.lines
        try:
            first, last = events.decode(lines[0]), events.decode(lines[-1])
        except ValueError:
            raise UnfitError(f"block {self.tree.size} is not readable") from None
        if (first.b, first.seq, last.seq) != (self.tree.size, self.seq, self.seq + len(lines) - 1):
            raise UnfitError(f"another block stands where block {self.tree.size} should")
        if first.log != self.signed.log:
            raise UnfitError(f"block {self.tree.size} belongs to another log")
        leaf = leaf_hash(block.data)
        self.tree.add(leaf)
        self.seq += len(lines)
        self._check()
        return leaf

    def _check(self) -> None:
        """At the checkpoint."""
        if self.tree.size == self.signed.size and (self.tree.root(), self.seq) != (
            self.signed.root,
            self.signed.seq,
        ):
            raise UnfitError("it is not what its checkpoint says")
