"""Whether the erasable side files hold what the events commit to, and whether what was erased was said to be.

An event proves its own bytes, not that its row in `marks` or `bodies` is there. What lacks is taken down in the
same pass that hashes the events (digest.py), a few rows of each segment; it is judged once all logs have been read
for what they admit (admitted.py). Rows that no event commits to are the residue of a crash and mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgspec

from proxy.audit import bodies, marks
from proxy.audit.blocks import Reading
from proxy.audit.layout import Segment
from proxy.audit.proof.admitted import Said

BODY = -1
"""The place of a body in `erase` events, beside the indexes of findings."""
RIGHT, ERASED, MISSING, WRONG = range(4)
"""What became of a row: it is right, consists of zeros, is missing, or is another one."""
SECRET = Struct("<QH2x32s")
"""A row of marks with salt and fingerprint in one."""
COMMITS = b'"c":"', b'"body":"'  # no string in JSON can hold a bare quote
LIMIT = 1024  # rows of a segment that are kept in mind; 0.1 MiB


class _Finding(msgspec.Struct, gc=False):
    c: str = ""


class _Message(msgspec.Struct, gc=False):
    """What an event commits to: 0.5 us to decode instead of 1.5."""

    seq: int
    f: list[_Finding] = []
    body: str = ""


class _Timed(msgspec.Struct, gc=False):
    seq: int
    t: int


_messages = msgspec.json.Decoder(_Message).decode_lines
_times = msgspec.json.Decoder(_Timed).decode_lines


class Lacking(NamedTuple):
    """A row is not what event `seq` of time `t` (Unix, nanoseconds) commits to: that of the finding at `place`, or
    of the BODY; `became` says what else it is."""

    seq: int
    t: int
    place: int
    became: int


@dataclass(slots=True)
class Compared:
    """What is lacking in the side files of one segment: at most LIMIT rows. Where there are `more`, it has to be
    read again."""

    lacking: list[Lacking] = field(default_factory=list)
    more: bool = False

    def add(self, lacking: Iterable[Lacking]) -> None:
        """Take them down."""
        for one in lacking:
            if len(self.lacking) < LIMIT:
                self.lacking.append(one)
            else:
                self.more = True


class Lack(NamedTuple):
    """Something is wrong with what event `seq` of time `t` (Unix, nanoseconds) commits to. `unsaid`: it is not
    there, which an event could have explained, but none does."""

    seq: int
    t: int
    says: str
    unsaid: bool


def lacks(
    segment: Segment, end: int | None, compared: Compared, log: str, signed: int, said: Said
) -> Iterator[Lack]:
    """What is wrong with the side files of a segment; `said` is asked where something is gone.

    Behind event `signed` a row may be missing: a power cut may take it and leave its event. Raises OSError,
    SegmentError.
    """
    for one in _all_lacking(segment, end) if compared.more else compared.lacking:
        yield from _judged(one, log, signed, said)


def _all_lacking(segment: Segment, end: int | None) -> Iterator[Lacking]:
    comparing = Comparing(segment)
    for run in Reading(segment, 0, end).runs():
        yield from comparing.lacking(run)


def _judged(one: Lacking, log: str, signed: int, said: Said) -> Iterator[Lack]:
    row, which = (log, one.seq, one.place), f"the body of event {one.seq}"
    if one.place != BODY:
        which = f"the fingerprint of finding {one.place} of event {one.seq}"
    if one.became == WRONG:
        yield Lack(one.seq, one.t, f"{which} is not the one that the event commits to", unsaid=False)
    elif (one.became == ERASED or one.seq < signed) and not said(lambda known: row in known.rows):
        how = "is missing" if one.became == MISSING else "was erased"
        yield Lack(one.seq, one.t, f"{which} {how}, and no event says so", unsaid=True)


class Comparing:
    """Compares the side files of a segment with its events, run by run. Made before the segment is opened: of what
    is pruned, the segment goes last. Raises OSError."""

    def __init__(self, segment: Segment) -> None:
        path = segment.beside("marks")
        self.rows = path.read_bytes() if path.is_file() else b""  # a fifth of the segment's size
        self.row = 0
        self.kept = _bodies(segment.beside("bodies"))
        self.body = next(self.kept, None)
        self.commits = False

    def lacking(self, run: bytes) -> Iterator[Lacking]:
        """In the order of the events, but for bodies. ValueError if a line is no event."""
        self.commits = self.commits or any(word in run for word in COMMITS)
        if not self.commits:
            return
        messages = _messages(run)
        lacking = [] if self._all_right(messages) else self._marks(messages)
        lacking += [
            (message.seq, BODY, became)
            for message in messages
            if message.body and (became := self._body(message.seq, message.body)) != RIGHT
        ]
        if lacking:
            times = {event.seq: event.t for event in _times(run)}
            yield from (Lacking(seq, times[seq], place, became) for seq, place, became in lacking)

    def _all_right(self, messages: Sequence[_Message]) -> bool:
        """Whether the next rows are those of `messages`, one by one, as they are almost always: 0.5 us each."""
        commits = [(one.seq, place, found.c) for one in messages for place, found in enumerate(one.f) if found.c]
        start, size = self.row * marks.ROW.size, len(commits) * marks.ROW.size
        chunk = self.rows[start : start + size]
        if len(chunk) < size:
            return False
        rows = [(seq, index, sha256(secret).hexdigest()[:32]) for seq, index, secret in SECRET.iter_unpack(chunk)]
        if rows != commits:
            return False
        self.row += len(commits)
        return True

    def _marks(self, messages: Sequence[_Message]) -> list[tuple[int, int, int]]:
        """Seq, place and what became of the row, of those that are not right."""
        return [
            (message.seq, place, became)
            for message in messages
            for place, found in enumerate(message.f)
            if found.c and (became := self._mark(message.seq, place, found.c)) != RIGHT
        ]

    def _mark(self, seq: int, place: int, c: str) -> int:
        """What became of the row of a finding."""
        became = MISSING
        while (self.row + 1) * marks.ROW.size <= len(self.rows):
            row = marks.row_at(self.rows, self.row)
            if (row.seq, row.place) > (seq, place):
                break
            self.row += 1
            if (row.seq, row.place) != (seq, place):
                continue
            if row.c == c:
                return RIGHT
            became = ERASED if row.gone else WRONG
        return became

    def _body(self, seq: int, body: str) -> int:
        """What became of the row of a message."""
        became = MISSING
        while self.body is not None and self.body.seq <= seq:
            found, self.body = self.body, next(self.kept, None)
            if found.seq != seq:
                continue
            if found.fits(body):
                return RIGHT
            became = ERASED if found.gone else WRONG
        return became


class _All:
    """Contains every seq."""

    def __contains__(self, seq: object) -> bool:
        return True


def _bodies(path: Path) -> Iterator[bodies.Body]:
    if path.is_file():  # a pipe would be waited for
        yield from bodies.read(path, _All())
