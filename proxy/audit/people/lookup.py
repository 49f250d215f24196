"""What to answer who asks about a person: each finding of the value, with the event that it is in.

Events come from the index where it has them (0.02 ms each), else from their segments, which have to be unpacked
first if they are sealed. Either way the answer is the same; the index need not be there, nor up to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from proxy.audit.layout import LOG, Segment
from proxy.audit.marks import Row
from proxy.audit.people.subject import Tell, rows_of, with_events
from proxy.audit.pick import first, present
from proxy.audit.reading.hits import Found, Hit, found_of, hits_of, of_event
from proxy.audit.reading.index import glanced
from proxy.audit.reading.index_tables import SEQ_BITS

Rows = list[tuple[int, Row]]


class Occurrence(NamedTuple):
    """A value in finding `place` of an event, told by a `fingerprint` of `epoch`."""

    hit: Hit
    place: int
    finding: Found
    epoch: int
    fingerprint: bytes


def look_up(directory: Path, entity: str, fingerprints: Collection[bytes], tell: Tell) -> list[Occurrence]:
    """Every occurrence of a value, oldest first. In a turn (audit/tend.py); raises SegmentError, OSError."""
    every = list(rows_of(directory, fingerprints, tell))
    indexed = _indexed(directory, every)
    found: list[Occurrence] = []
    for segment, rows in every:
        missing: Rows = []
        for number, row in rows:
            hit = indexed.get(_id(segment, row.seq))
            if hit is not None and row.place < len(hit.found) and hit.found[row.place].entity == entity:
                found.append(_occurrence(hit, hit.found[row.place], row))
            else:
                missing.append((number, row))
        found += _from_segment(segment, missing)
    return sorted(found, key=lambda one: one.hit.t)


def _from_segment(segment: Segment, rows: Rows) -> Iterator[Occurrence]:
    """Of rows that an event commits to: others are the residue of a crash."""
    hit: Hit | None = None
    for one in with_events(segment, rows) if rows else ():
        if one.event is not None and one.finding is not None:
            if hit is None or hit.seq != one.event.seq:  # one event may have the value 65,536 times
                hit = of_event(one.event)
            yield _occurrence(hit, found_of(one.finding), one.row)


def _occurrence(hit: Hit, finding: Found, row: Row) -> Occurrence:
    return Occurrence(hit, row.place, finding, row.epoch, row.fingerprint)


def _indexed(directory: Path, every: Sequence[tuple[Segment, Rows]]) -> dict[int, Hit]:
    """What the index has of these events, by its ids. One that is of another version, broken, or about logs that
    were here before these has nothing to say."""
    if not every:
        return {}
    wanted = [_id(segment, row.seq) for segment, rows in every for _, row in rows]
    try:
        with glanced(directory) as db:
            if db is None:
                return {}
            hits = hits_of(db, wanted)
    except sqlite3.Error:
        return {}
    logs = {_number(segment): segment for segment, _ in every}
    names = {number: _log(segment) for number, segment in logs.items()}
    return {hit.id: hit for hit in hits if names[hit.id >> SEQ_BITS] == hit.log}


def _log(segment: Segment) -> str | None:
    begin = first(present(segment))
    return None if begin is None else begin.log


def _number(segment: Segment) -> int:
    match = LOG.fullmatch(segment.path.parent.name)
    assert match is not None
    return int(match[1])


def _id(segment: Segment, seq: int) -> int:
    """Of an event, in the index."""
    return _number(segment) << SEQ_BITS | seq
