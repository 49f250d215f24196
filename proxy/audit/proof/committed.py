"""Whether the erasable side files hold what the events commit to, and whether what was erased was said to be.

An event proves its own bytes, not that its row in `marks` or `bodies` is there. A row may be zeroed only by an
`erase` event that names it or with a key that a `key.rotate` event destroyed, and segments may be gone only by a
`prune` event. Rows that no event commits to are the residue of a crash and mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgspec

from proxy.audit import bodies, events, marks
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.layout import Segment, segments
from proxy.audit.snapshot import Snapshot

BODY = -1
"""The place of a body in `erase` events, beside the indexes of findings."""
RIGHT, NONE, MISSING, WRONG = -1, -2, -3, -4
"""Instead of the epoch of a row that was erased: it is right, has no epoch, is missing, or is another one."""
SECRET = Struct("<QH2x32s")
"""A row of marks with salt and fingerprint in one."""
ADMISSION = re.compile(rb'"kind":"(?:erase|prune|key\.rotate)"')  # no string in JSON can hold a bare quote


@dataclass(slots=True)
class Admitted:
    """What events of any log say is gone: rows (log, seq, index), epochs, and (log, block that it begins at)."""

    rows: set[tuple[str, int, int]] = field(default_factory=set)
    epochs: set[int] = field(default_factory=set)
    pruned: set[tuple[str, int]] = field(default_factory=set)

    def add(self, event: object) -> None:
        """Take down what one event admits."""
        match event:
            case events.Erase():
                self.rows.update(event.rows)
            case events.KeyRotate(state="destroyed"):
                self.epochs.add(event.epoch)
            case events.Prune():
                self.pruned.add((event.pruned, event.size))


def admitted(folders: Iterable[Path]) -> Admitted:
    """Read all logs for it, 0.2 us an event. Where one cannot be read it admits no more; that this is so, whoever
    examines that log finds out. Raises OSError."""
    found = Admitted()
    for folder in folders:
        with suppress(SegmentError):
            for segment in segments(folder):
                for run in Reading(segment).runs():
                    for event in _admissions(run):
                        found.add(event)
    return found


def _admissions(run: bytes) -> Iterator[events.Event]:
    for match in ADMISSION.finditer(run):
        line = run[run.rfind(b"\n", 0, match.start()) + 1 : run.find(b"\n", match.end())]
        with suppress(ValueError):  # as above
            yield events.decode(line)


class _Finding(msgspec.Struct, gc=False):
    c: str = ""


class _Message(msgspec.Struct, gc=False):
    """What an event commits to: 0.5 us to decode instead of 1.5."""

    seq: int
    t: int
    f: list[_Finding] = []
    body: str = ""


_decoded = msgspec.json.Decoder(_Message).decode_lines


class Lack(NamedTuple):
    """Something is wrong with what event `seq` of time `t` (Unix, nanoseconds) commits to. `unsaid`: it is not
    there, which an event could have explained, but none does."""

    seq: int
    t: int
    says: str
    unsaid: bool


def check(
    shot: Snapshot, committing: Container[int], log: str, signed: int, said: Callable[[], Admitted]
) -> Iterator[Lack]:
    """What the side files of the segments with these numbers lack; `said` is called where something is gone.

    Behind event `signed` a row may be missing: a power cut may take it and leave its event. Raises OSError,
    SegmentError.
    """
    for segment, end in zip(shot.segments, shot.ends, strict=True):
        if segment.number in committing:
            yield from _Side(segment, end, log, signed, said).lacks()


class _Side:
    def __init__(
        self, segment: Segment, end: int | None, log: str, signed: int, said: Callable[[], Admitted]
    ) -> None:
        self.segment, self.end, self.log, self.signed, self.said = segment, end, log, signed, said
        path = segment.beside("marks")
        self.rows = path.read_bytes() if path.exists() else b""  # a fifth of the segment's size
        self.row = 0
        self.kept = _bodies(segment.beside("bodies"))
        self.body = next(self.kept, None)

    def lacks(self) -> Iterator[Lack]:
        """In the order of the events, but for bodies."""
        for run in Reading(self.segment, 0, self.end).runs():
            messages = _decoded(run)
            commits = [(one, place, found.c) for one in messages for place, found in enumerate(one.f) if found.c]
            if not self._all_right(commits):
                for message, place, c in commits:
                    if (epoch := self._mark(message.seq, place, c)) != RIGHT:
                        what = f"the fingerprint of finding {place} of event {message.seq}"
                        yield from self._judged(message, place, epoch, what)
            for message in messages:
                if message.body and (epoch := self._body(message.seq, message.body)) != RIGHT:
                    yield from self._judged(message, BODY, epoch, f"the body of event {message.seq}")

    def _all_right(self, commits: Sequence[tuple[_Message, int, str]]) -> bool:
        """Whether the next rows are those of `commits`, one by one, as they are almost always: 1 us each."""
        start = self.row * marks.ROW.size
        chunk = self.rows[start : start + len(commits) * marks.ROW.size]
        if len(chunk) < len(commits) * marks.ROW.size:
            return False
        for (message, place, c), (seq, index, secret) in zip(commits, SECRET.iter_unpack(chunk), strict=True):
            if seq != message.seq or index != place or sha256(secret).hexdigest()[:32] != c:
                return False
        self.row += len(commits)
        return True

    def _mark(self, seq: int, place: int, c: str) -> int:
        """What became of the row of a finding: RIGHT, WRONG, MISSING, or erased: its epoch."""
        epoch = MISSING
        while (self.row + 1) * marks.ROW.size <= len(self.rows):
            row = marks.row_at(self.rows, self.row)
            if (row.seq, row.place) > (seq, place):
                break
            self.row += 1
            if (row.seq, row.place) != (seq, place):
                continue
            if row.c == c:
                return RIGHT
            epoch = row.epoch if row.gone else WRONG
        return epoch

    def _body(self, seq: int, body: str) -> int:
        """What became of the row of a message; a body has no epoch."""
        epoch = MISSING
        while self.body is not None and self.body.seq <= seq:
            found, self.body = self.body, next(self.kept, None)
            if found.seq != seq:
                continue
            if found.fits(body):
                return RIGHT
            epoch = NONE if found.gone else WRONG
        return epoch

    def _judged(self, message: _Message, place: int, epoch: int, what: str) -> Iterator[Lack]:
        if epoch == WRONG:
            yield Lack(message.seq, message.t, f"{what} is not the one that the event commits to", unsaid=False)
        elif epoch != MISSING or message.seq < self.signed:
            said = self.said()
            if (self.log, message.seq, place) not in said.rows and epoch not in said.epochs:
                how = "is missing" if epoch == MISSING else "was erased"
                yield Lack(message.seq, message.t, f"{what} {how}, and no event says so", unsaid=True)


class _All:
    """Contains every seq."""

    def __contains__(self, seq: object) -> bool:
        return True


def _bodies(path: Path) -> Iterator[bodies.Body]:
    try:
        yield from bodies.read(path, _All())
    except FileNotFoundError:
        return
