"""What left, after redaction, in a file beside its segment that may be erased row by row. Level `sanitised` only.

What left may still hold what no rule looks for: that is why the level is opt-in, the file has mode 0600, goes with
its segment when retention says so, and is never compressed (a row is erased where it stands). An event holds only
a commitment, `body`, so the log stays provable without the row.

A row is `seq` (8 bytes) of the event, length of the payload (4), salt (16), payload; integers are little-endian.
An erased row keeps seq and length; the others are zeros. What was dropped or refused has no row. A row at the end
that is cut is the residue of a crash, and no row. After a failed append a seq may have two rows: the one that the
commitment fits counts.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple, Self

from proxy.audit.storage import overwrite

HEAD = Struct("<QI16s")
SALT = 16  # bytes
GONE = bytes(SALT)
"""The salt of an erased row."""
ZEROS = bytes(1 << 16)
MODE = 0o600
LAST = 1 << 64
"""More events than there can be."""


class Body(NamedTuple):
    """What left of message `seq`, as read."""

    seq: int
    salt: bytes
    payload: bytes

    @property
    def gone(self) -> bool:
        """Whether it was erased: `payload` is as many zeros as it had bytes."""
        return self.salt == GONE

    def fits(self, body: object) -> bool:
        """Whether it is what an event with this `body` speaks of."""
        return not self.gone and commitment(self.salt, self.payload) == body


def commitment(salt: bytes, payload: bytes) -> str:
    """What the event says of a payload: 32 hex digits."""
    digest = sha256(salt)
    digest.update(payload)  # not salt + payload, which would copy it
    return digest.hexdigest()[: 2 * SALT]


def row(seq: int, salt: bytes, payload: bytes) -> bytes:
    """What stands in the file. `salt` is 16 bytes, drawn at random for this row."""
    return HEAD.pack(seq, len(payload), salt) + payload


class Bodies:
    """The file while its segment is written to. One writer; whoever erases rows may do so meanwhile."""

    def __init__(self, file: int, end: int) -> None:
        """`end` is where the last whole row ends."""
        self._file = file
        self._end = end

    @classmethod
    def open(cls, path: Path, seq: int = LAST) -> Self:
        """Continue `path`, or begin it; the residue of a crash at its end is cut off: half a row, and rows from
        event `seq` on, which was never written. Raises OSError."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
        try:
            with path.open("rb") as whole:
                end = max((end for row, _, _, end in _heads(whole) if row < seq), default=0)
            os.ftruncate(file, end)
        except BaseException:
            os.close(file)
            raise
        return cls(file, end)

    def append(self, rows: bytes) -> None:
        """Write rows behind the last one: all of them or, with OSError, none."""
        try:
            overwrite(self._file, rows, self._end)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(rows)

    def sync(self) -> None:
        """Until this is on the disk. In any thread; raises OSError."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Nothing is written any more."""
        os.close(self._file)


def read(path: Path, wanted: Container[int]) -> Iterator[Body]:
    """The rows of these events, in the order of the file, erased ones too; one payload at a time in memory.

    Raises OSError; FileNotFoundError where the segment has none.
    """
    with path.open("rb") as file:
        for seq, salt, start, end in _heads(file):
            if seq in wanted:
                file.seek(start)
                yield Body(seq, salt, file.read(end - start))


class Kept:
    """What left of events that are asked for in rising order: one pass, and only their payloads are read."""

    def __init__(self, path: Path) -> None:
        """Raises OSError; FileNotFoundError where the segment keeps none."""
        self._file = path.open("rb")
        self._heads = _heads(self._file)
        self._head = next(self._heads, None)

    def find(self, seq: int, body: str) -> bytes | None:
        """The payload of event `seq` whose commitment is `body`; None if it was erased, or is not what left."""
        while self._head is not None and self._head[0] <= seq:
            at, salt, start, end = self._head
            self._head = next(self._heads, None)
            if at == seq and salt != GONE:
                self._file.seek(start)
                payload = self._file.read(end - start)
                if commitment(salt, payload) == body:
                    return payload
        return None

    def close(self) -> None:
        """No more is asked for."""
        self._file.close()


def held(path: Path) -> Iterator[int]:
    """The events whose payload is there and not erased. Raises OSError."""
    with path.open("rb") as file:
        yield from (seq for seq, salt, *_ in _heads(file) if salt != GONE)


def erase(path: Path, wanted: Container[int]) -> int:
    """Write zeros over what left of these events, on the disk when this returns. Returns how many rows.

    Raises OSError. A file system that copies on write, or a flash disk, may keep the old bytes for a while.
    """
    erased = 0
    with path.open("r+b", buffering=0) as writing, path.open("rb") as file:
        for seq, salt, start, end in _heads(file):
            if seq in wanted and salt != GONE:
                _zero(writing.fileno(), start, end)
                overwrite(writing.fileno(), GONE, start - SALT)  # last: it says that the payload is gone
                erased += 1
        os.fdatasync(writing.fileno())
    return erased


def _zero(file: int, start: int, end: int) -> None:
    for place in range(start, end, len(ZEROS)):
        overwrite(file, ZEROS[: end - place], place)


def _heads(file: BinaryIO) -> Iterator[tuple[int, bytes, int, int]]:
    """Seq and salt of each whole row, and where its payload starts and ends. `file` may be moved in between."""
    size, start = os.fstat(file.fileno()).st_size, 0
    while start + HEAD.size <= size:
        file.seek(start)
        seq, length, salt = HEAD.unpack(file.read(HEAD.size))
        start += HEAD.size
        if start + length > size:
            return
        yield seq, salt, start, start + length
        start += length
