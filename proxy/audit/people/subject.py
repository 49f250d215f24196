"""Where a person's value occurred: from its fingerprints to rows, and from rows to events.

Nobody in here sees the value, only its fingerprints (keys.py). A row counts if its event commits to it; one whose
event is not there is the residue of a crash, and is told as such: whoever erases must not leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from proxy.audit import events
from proxy.audit.layout import Segment, logs, segments
from proxy.audit.marks import Bytes, Row, opened, row_at, scan
from proxy.audit.people import order
from proxy.audit.pick import first, pick, present

Tell = Callable[[int, int], None]
"""(segments done, segments in all): for a bar."""
Find = Callable[[Segment, Bytes, Collection[bytes]], Iterator[int]]
"""A closed segment, its marks, fingerprints -> the numbers of the rows that have one of these."""


class Found(NamedTuple):
    """Row `number` of the marks of `segment`. `event` is the message, or the refusal of one, whose finding
    `row.place` it is; None if there is none that commits to it. `log` is the id of the log."""

    segment: Segment
    number: int
    row: Row
    log: str
    event: events.Treated | None

    @property
    def finding(self) -> events.Finding | None:
        """What the event says of it."""
        return None if self.event is None else events.findings(self.event)[self.row.place]


def occurrences(directory: Path, fingerprints: Collection[bytes], tell: Tell) -> list[Found]:
    """Every row with one of these fingerprints and its event, log by log in the order of events: all rows are read
    for it, 10 million in 0.1 s.

    To be called in a turn (audit/tend.py). Raises SegmentError, OSError.
    """
    found: list[Found] = []
    for segment, rows in rows_of(directory, fingerprints, tell, lambda _, data, wanted: scan(data, wanted)):
        found += with_events(segment, rows)
    return found


def rows_of(
    directory: Path, fingerprints: Collection[bytes], tell: Tell, find: Find = order.find
) -> Iterator[tuple[Segment, list[tuple[int, Row]]]]:
    """The same without events, segment by segment, as numbered rows. In a turn; raises OSError."""
    parts = [(part, part is last) for part, last in _parts(directory)]
    for done, (segment, growing) in enumerate(parts):
        tell(done, len(parts))
        if rows := sorted(_in_segment(segment, growing, fingerprints, find)):
            yield segment, rows
    tell(len(parts), len(parts))


def _parts(directory: Path) -> Iterator[tuple[Segment, Segment]]:
    """Segments with the last one of their log, which may be written just now."""
    for log in logs(directory):
        every = segments(log)
        yield from ((part, every[-1]) for part in every)


def _in_segment(
    segment: Segment, growing: bool, fingerprints: Collection[bytes], find: Find
) -> list[tuple[int, Row]]:
    marks = segment.beside("marks")
    try:
        if growing:
            data = marks.read_bytes()  # 13 MB at most, and a mapped file must not be cut
            return [(number, row_at(data, number)) for number in scan(data, fingerprints)]
        with opened(marks) as mapped:
            return [(number, row_at(mapped, number)) for number in find(segment, mapped, fingerprints)]
    except FileNotFoundError:
        return []  # nothing was found in this segment, or retention has just removed it


def with_events(segment: Segment, rows: Sequence[tuple[int, Row]]) -> list[Found]:
    """Numbered rows of a segment, in their order, with their events. Raises SegmentError, OSError."""
    segment = present(segment)
    picked = pick(segment, sorted({row.seq for _, row in rows}))
    begin = first(segment)
    log = "" if begin is None else begin.log
    return [Found(segment, number, row, log, _committed(picked.get(row.seq), row)) for number, row in rows]


def _committed(event: events.Any | None, row: Row) -> events.Treated | None:
    found = events.findings(event)
    if not isinstance(event, events.Treated) or row.place >= len(found):
        return None
    return event if row.gone or found[row.place].c == row.c else None
