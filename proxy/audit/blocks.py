"""The blocks of a segment, read one by one in bounded memory, from plain and from compressed files.

A block reaches from one `{"b":` at the beginning of a line to the next, which is found by its bytes; nothing is
decoded but the last line, because a crash may have torn it: then it has no line feed, or is no event. What is torn
is never part of a block. Nothing in here judges: whether a block is what was written, proof/verify.py says.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from proxy.audit import events
from proxy.audit.layout import Segment

CUT = b"\n" + events.HEAD
"""Stands between two blocks; its line feed belongs to the first, the rest to the second."""
CHUNK = 1 << 20  # bytes read at once
LARGEST = 1 << 26  # bytes of one block; one commit of the writer is far smaller


class SegmentError(Exception):
    """The file holds something that is no block, and is not torn. The text says where and in what way."""


class Block(NamedTuple):
    """Block `number` of its log, at `place` in the segment (bytes, before compression): whole lines."""

    number: int
    place: int
    data: bytes

    @property
    def lines(self) -> list[bytes]:
        """Its events, as they were encoded."""
        return self.data[:-1].split(b"\n")


class Reading:
    """Reads a segment from `offset` (the place of a block) to `end`, or to where the file ends, once.

    Afterwards `place` is where the last whole line ends, and `torn` the number of bytes behind it. While a writer
    is at work that is what it is just writing, and the last block may have fewer lines than it will have.
    `broken`: what is torn ends as a line does, so nobody was interrupted in writing it.
    """

    def __init__(self, segment: Segment, offset: int = 0, end: int | None = None) -> None:
        self.segment, self.place, self.end = segment, offset, end
        self.torn = 0
        self.broken = False

    def __iter__(self) -> Iterator[Block]:
        """Raises SegmentError, OSError."""
        for run in self.runs():
            place = self.place - len(run)
            for piece in run[len(events.HEAD) : -1].split(CUT):
                data = b"%s%s\n" % (events.HEAD, piece)
                yield Block(_number(piece, place), place, data)
                place += len(data)

    def runs(self) -> Iterator[bytes]:
        """Whole blocks, about 1 MiB of them at once, for those who only hash; `place` is where the run ends.
        Raises SegmentError, OSError."""
        rest = b""
        for chunk in self._chunks():
            rest += chunk
            if (cut := rest.rfind(CUT) + 1) > 0:
                self._expect(rest)
                self.place += cut
                yield rest[:cut]
                rest = rest[cut:]
            if len(rest) > LARGEST:
                raise SegmentError(f"a block of more than {LARGEST} bytes at byte {self.place}")
        yield from self._last(rest)

    def _last(self, rest: bytes) -> Iterator[bytes]:
        """The last block, without what is torn."""
        whole = rest[: rest.rfind(b"\n") + 1]
        line = whole.rfind(b"\n", 0, len(whole) - 1) + 1
        if whole and not _is_event(whole[line:]):
            whole = whole[:line]
        if whole:
            self._expect(whole)
        self.place += len(whole)
        self.torn = len(rest) - len(whole)
        self.broken = self.torn > 0 and rest.endswith(b"\n")
        if whole:
            yield whole

    def _expect(self, run: bytes) -> None:
        if not run.startswith(events.HEAD):
            raise SegmentError(f"no block begins at byte {self.place}")

    def _chunks(self) -> Iterator[bytes]:
        with _opened(self.segment) as file:
            read = self.place
            try:
                file.seek(read)
                while chunk := file.read(CHUNK if self.end is None else min(CHUNK, self.end - read)):
                    yield chunk
                    read += len(chunk)
            except (gzip.BadGzipFile, zlib.error, EOFError):
                raise SegmentError(f"cannot be decompressed behind byte {read}") from None


def blocks(segment: Segment, offset: int = 0, end: int | None = None) -> Iterator[Block]:
    """The blocks of `segment` from the place of one of them on; what is torn is left out.

    Raises SegmentError, OSError.
    """
    return iter(Reading(segment, offset, end))


def _opened(segment: Segment) -> BinaryIO:
    """Also if it was compressed since it was listed: its bytes are the same."""
    if not segment.sealed:
        try:
            return segment.path.open("rb")
        except FileNotFoundError:
            return cast(BinaryIO, gzip.open(f"{segment.path}.gz"))
    return cast(BinaryIO, gzip.open(segment.path))


def _number(piece: bytes, place: int) -> int:
    digits = piece[: piece.find(b",")]
    if not digits.isdigit() or len(digits) > 18:
        raise SegmentError(f"the block at byte {place} has no number")
    return int(digits)


def _is_event(line: bytes) -> bool:
    try:
        events.decode(line)
    except ValueError:  # msgspec's errors are; RecursionError cannot be: nothing in an event is nested freely
        return False
    return True
