"""What a crash leaves in a log, mended: a torn line is cut off, and derived files are made anew from the segments.

Nothing that was signed is touched. The next writer would do the same; this is for logs that get no other writer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from proxy.audit.blocks import Reading, blocks
from proxy.audit.checkpoint import Verifier
from proxy.audit.layout import Segment, segments
from proxy.audit.snapshot import State
from proxy.audit.storage import lock, replace
from proxy.audit.tree import leaf_hash
from proxy.audit.verdict import Damage
from proxy.audit.writing.restore import Place


class BusyError(Exception):
    """A writer has the log: it mends it itself."""


def repair(folder: Path, damages: Iterable[Damage], verifier: Verifier) -> list[str]:
    """Mend these damages of the log in `folder`; what was done, in sentences.

    Raises BusyError; OSError, CheckpointError, StateError and SegmentError if it changed since it was verified.
    """
    held = lock(folder / "lock")
    if held is None:
        raise BusyError(f"{folder.name} has a writer, which mends it itself when it starts; nothing was repaired")
    try:
        return [done for damage in damages if (done := _mend(folder, damage, verifier))]
    finally:
        os.close(held)


def _mend(folder: Path, damage: Damage, verifier: Verifier) -> str:
    match damage.mend, damage.path:
        case "tail", Path() as path:
            return _cut(_segment(folder, path))
        case "leaves", Path() as path:
            hashes = [leaf_hash(block.data) for block in blocks(_segment(folder, path))]
            replace(path, b"".join(hashes))
            return f"{path.name} was made anew: the hashes of {len(hashes)} blocks"
        case "frontier", _:
            replace(folder / "frontier", _frontier(folder, verifier).text())
            return "the file frontier was made anew"
        case "leftover", Path() as path:
            path.unlink()
            return f"{path.name} was removed"
    return ""


def _segment(folder: Path, path: Path) -> Segment:
    """The segment that a file belongs to."""
    stem = path.name.partition(".")[0]
    return next(segment for segment in segments(folder) if segment.path.name.partition(".")[0] == stem)


def _cut(segment: Segment) -> str:
    reading = Reading(segment)
    for _ in reading.runs():
        pass
    os.truncate(segment.path, reading.place)
    return f"{reading.torn} bytes of a torn line were cut off {segment.path.name}"


def _frontier(folder: Path, verifier: Verifier) -> Place:
    """The writer's place at the checkpoint."""
    signed = verifier.open((folder / "checkpoint").read_text())
    pruned = folder / "pruned"
    start = State.parse(pruned.read_bytes()) if pruned.exists() else State()
    tree, number, offset = start.tree(), start.segment, 0
    for segment in segments(folder):
        for block in blocks(segment) if segment.number >= start.segment else ():
            if tree.size == signed.size:
                break
            tree.add(leaf_hash(block.data))
            number, offset = segment.number, block.place + len(block.data)
    return Place(tree.size, signed.seq, tuple(tree.peaks), number, offset)
