"""Events of one segment by their `seq`, without reading what is before them where that can be avoided.

A plain segment is searched by halves: seqs rise by one from line to line. A compressed one has to be unpacked up
to the last event wanted, about 300 MB a second; its lines are counted, not decoded.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import msgspec

from proxy.audit import events
from proxy.audit.blocks import SegmentError
from proxy.audit.layout import Segment

CHUNK = 1 << 20
NEAR = 1 << 12  # bytes: a dozen lines


class _Numbered(msgspec.Struct):
    seq: int


_numbered = msgspec.json.Decoder(_Numbered).decode


def pick(segment: Segment, wanted: Sequence[int]) -> dict[int, events.Any]:
    """The events `wanted` (rising), as far as the segment has them: a row may be there before its event is.

    Raises SegmentError and OSError.
    """
    lines = _unpacked(segment, wanted) if segment.sealed else _searched(segment, wanted)
    try:
        found = {event.seq: event for event in map(events.decode, lines)}
    except msgspec.MsgspecError:
        raise SegmentError("has a line that is no event") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SegmentError("cannot be decompressed") from None
    if not found.keys() <= set(wanted):
        raise SegmentError("has events that are not in order")
    return found


def present(segment: Segment) -> Segment:
    """The same as it is called now: it may have been sealed since it was listed."""
    if segment.sealed or segment.path.exists():
        return segment
    return Segment(segment.number, segment.path.with_name(segment.path.name + ".gz"))


def unpacked(segment: Segment) -> BinaryIO:
    """The bytes of its lines. Raises OSError."""
    return cast(BinaryIO, gzip.open(segment.path)) if segment.sealed else segment.path.open("rb")


def first(segment: Segment) -> events.Any | None:
    """The first event; None if there is none yet. Raises SegmentError, OSError."""
    try:
        with unpacked(segment) as file:
            line = file.readline()
        return events.decode(line) if line.endswith(b"\n") else None
    except msgspec.MsgspecError:
        raise SegmentError("has a first line that is no event") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SegmentError("cannot be decompressed") from None


def _searched(segment: Segment, wanted: Sequence[int]) -> Iterator[bytes]:
    with segment.path.open("rb", buffering=0) as file:
        lines = _Lines(file.fileno())
        at = 0
        for seq in wanted:
            at, line = lines.find(seq, at)
            if line and _numbered(line).seq == seq:
                yield line


class _Lines:
    """The whole lines of a file that may grow, or be cut, meanwhile."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.end = self._begin(os.fstat(file).st_size)

    def find(self, seq: int, low: int) -> tuple[int, bytes]:
        """The first line from `low` on with `seq` or a higher one, and where it begins; nothing if none has."""
        high, best = self.end, b""
        while low < high:
            middle = max(low, self._begin((low + high) // 2))
            line = self._line(middle)
            if _numbered(line).seq < seq:
                low = middle + len(line)
            else:
                high, best = middle, line
        return high, best

    def _begin(self, place: int) -> int:
        """Where the line begins that `place` is in."""
        while place:
            start = max(0, place - NEAR)
            feed = os.pread(self.file, place - start, start).rfind(b"\n")
            if feed >= 0:
                return start + feed + 1
            place = start
        return 0

    def _line(self, start: int) -> bytes:
        """The line that begins at `start`, with its line feed."""
        line, size = b"", NEAR
        while b"\n" not in line[-size:]:
            piece = os.pread(self.file, size, start + len(line))
            if not piece:
                raise SegmentError("was cut while it was read")
            line, size = line + piece, len(piece)
        return line[: line.index(b"\n") + 1]


def _unpacked(segment: Segment, wanted: Sequence[int]) -> Iterator[bytes]:
    """Line `seq - first seq`, counted by line feeds."""
    left = list(reversed(wanted))
    begun, number, rest = False, 0, b""
    with gzip.open(segment.path) as file:
        while left and (chunk := file.read(CHUNK)):
            data = rest + chunk
            end = data.rfind(b"\n") + 1
            if end and not begun:
                begun, number = True, _numbered(data[: data.index(b"\n")]).seq
                while left and left[-1] < number:
                    left.pop()
            behind = number + data.count(b"\n", 0, end)
            lines = data[:end].split(b"\n") if left and left[-1] < behind else []
            while left and left[-1] < behind:
                yield lines[left.pop() - number]
            number, rest = behind, data[end:]
