"""Reading logs onwards from where one was: across segments, their compression and their removal.

A log that is being written is read up to its last whole event; the rest comes next time. Reading goes on at the
beginning of the last block that was read, because that may have grown meanwhile; what was read of it is known by
its seq. Nothing in here judges: lines that are no events are left out and counted, `verify` says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from proxy.audit import events
from proxy.audit.blocks import CUT, Reading, SegmentError
from proxy.audit.layout import Segment, segments

_decode_all = msgspec.json.Decoder(events.Any).decode_lines


class Place(NamedTuple):
    """How far log `log` was read: to event `seq` with time `t`, in the block that begins at byte `block` of
    `segment` (before compression)."""

    segment: int = -1
    block: int = 0
    seq: int = -1
    t: int = 0
    log: str = ""


BEGINNING = Place()


class Read(NamedTuple):
    """Events of one segment, about 1 MiB of them, in order; afterwards one is at `place`. `unread` counts lines
    (or segments) that cannot be read."""

    segment: Segment
    events: list[events.Any]
    place: Place
    unread: int = 0


class ChangedError(Exception):
    """The log is not the one that was read up to this place: it was cut off there, or replaced."""


def onwards(log: Path, place: Place = BEGINNING) -> Iterator[Read]:
    """Everything behind `place`. Raises ChangedError, OSError."""
    found = segments(log)
    if place.segment > (found[-1].number if found else -1):
        raise ChangedError
    for segment in found:
        if segment.number < place.segment:
            continue
        reads = _resumed(segment, place) if segment.number == place.segment else whole(segment, place)
        try:
            for read in reads:
                place = read.place
                yield read
        except SegmentError:
            yield Read(segment, [], place, 1)


def _resumed(segment: Segment, place: Place) -> Iterator[Read]:
    reads = whole(segment, place, place.block)
    try:
        read = next(reads, None)
    except SegmentError:
        raise ChangedError from None
    if read is None or (place.seq, place.t, place.log) not in ((one.seq, one.t, one.log) for one in read.events):
        raise ChangedError
    if new := [event for event in read.events if event.seq > place.seq]:
        yield read._replace(events=new)
    yield from reads


def whole(segment: Segment, place: Place = BEGINNING, offset: int = 0) -> Iterator[Read]:
    """One segment from `offset` on; `place` is where one stays while there are no events. Raises SegmentError,
    OSError."""
    try:
        reading = Reading(segment, offset)
        for run in reading.runs():
            block = reading.place - len(run) + run.rfind(CUT) + 1
            found, unread = _decoded(run)
            if found:
                place = Place(segment.number, block, found[-1].seq, found[-1].t, found[-1].log)
            yield Read(segment, found, place, unread)
    except FileNotFoundError:  # compressed or removed since it was listed
        for other in segments(segment.path.parent):
            if other.number == segment.number and other.path != segment.path:
                yield from whole(other, place, offset)


def _decoded(run: bytes) -> tuple[list[events.Any], int]:
    """The events of whole lines, and how many lines are none. One call for all of them takes two thirds of the
    time of a call for each."""
    try:
        return _decode_all(run), 0
    except ValueError:
        return _one_by_one(run)


def _one_by_one(run: bytes) -> tuple[list[events.Any], int]:
    found: list[events.Any] = []
    lines = run[:-1].split(b"\n")
    for line in lines:
        try:
            found.append(events.decode(line))
        except ValueError:
            continue
    return found, len(lines) - len(found)
