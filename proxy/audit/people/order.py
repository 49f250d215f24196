"""Which rows of a closed segment have a fingerprint: found in 0.1 ms, by a file of row numbers in their order.

    20261122-000000.order     8 bytes of magic, the number of rows looked at (8 bytes), a checksum of the rest (8),
                              then the numbers of rows that are not erased (4 bytes each), by their fingerprints

It holds no fingerprint, but the place of a number in it would tell roughly which one an erased row had. So whoever
erases rows removes the file first (`forget`); the next lookup makes it anew, without them (0.1 s for the 200,000
rows of a segment). The segment that is just written has none: it is read through (`marks.scan`), and so is every
one by those who erase, who must not miss a row because a derived file is wrong.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from zlib import crc32

from proxy.audit.layout import Segment
from proxy.audit.marks import GONE, PRINT, ROW, Bytes

MAGIC = b"hw-ord-1" if sys.byteorder == "little" else b"hw-ord-B"  # another machine makes its own
HEAD = struct.Struct("<8sQQ")
KIND = "order"


def find(segment: Segment, data: Bytes, wanted: Iterable[bytes]) -> Iterator[int]:
    """The numbers of the rows of `segment`, whose marks are `data`, with these fingerprints. OSError."""
    numbers = _kept(segment, data)
    if numbers is None:
        made = _sorted(data)
        _keep(segment.beside(KIND), len(data) // ROW.size, made)
        numbers = made

    def fingerprint(number: int) -> bytes:
        end = number * ROW.size + ROW.size
        return data[end - ROW.size + PRINT : end]

    for one in wanted:
        at = bisect_left(numbers, one, key=fingerprint)
        while at < len(numbers) and fingerprint(numbers[at]) == one:
            yield numbers[at]
            at += 1


def missing(segment: Segment) -> bool:
    """Whether the next `find` has to make the file first."""
    return not segment.beside(KIND).exists()


def forget(segment: Segment) -> None:
    """Before rows are erased. OSError."""
    segment.beside(KIND).unlink(missing_ok=True)


def _sorted(data: Bytes) -> array[int]:
    count = len(data) // ROW.size
    whole = data[: count * ROW.size]
    prints = [whole[at : at + 16] for at in range(PRINT, len(whole), ROW.size)]
    live = (number for number in range(count) if prints[number] != GONE)
    return array("I", sorted(live, key=prints.__getitem__))


def _kept(segment: Segment, data: Bytes) -> Sequence[int] | None:
    """What the file says; None if it is not there, not about these rows, or damaged."""
    try:
        raw = segment.beside(KIND).read_bytes()
    except FileNotFoundError:
        return None
    rest = memoryview(raw)[HEAD.size :]
    fits = len(raw) >= HEAD.size and not len(rest) % 4
    if not fits or HEAD.unpack_from(raw) != (MAGIC, len(data) // ROW.size, crc32(rest)):
        return None
    return rest.cast("I")


def _keep(path: Path, count: int, numbers: array[int]) -> None:
    """Whole or not at all, for its owner only."""
    rest = numbers.tobytes()
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(HEAD.pack(MAGIC, count, crc32(rest)) + rest)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink()
        raise
