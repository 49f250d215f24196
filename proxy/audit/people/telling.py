"""The few events of a kind that there are among millions: from the index as far as it goes, else from the logs.

Without an index all of the log is read, by its bytes: 0.3 s for a million events, 0.5 if they are compressed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from proxy.audit import events
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.layout import LOG, Segment, logs, segments
from proxy.audit.people.subject import Tell
from proxy.audit.pick import first, present
from proxy.audit.reading.index import glanced
from proxy.audit.reading.index_tables import SEQ_BITS

TOLD = (  # in this order: few shapes are of these kinds, and by them events are found without reading others
    "SELECT events.id >> ?, more FROM outlines CROSS JOIN shapes ON shapes.outline = outlines.id"
    " CROSS JOIN events INDEXED BY events_by_shape ON events.shape = shapes.id"
    " WHERE kind IN (SELECT value FROM json_each(?))"
)
READ = (
    "SELECT logs.number, logs.log, max(segments.number) FROM logs JOIN segments ON segments.log = logs.number"
    " GROUP BY 1"
)
Fields = Mapping[str, Any]
"""What an event says besides what all events do."""


def telling(directory: Path, kinds: tuple[str, ...], tell: Tell) -> list[Fields]:
    """What the events of these `kinds` say, in no order, some perhaps twice. Their signatures are not looked at.
    In a turn (audit/tend.py); raises OSError."""
    found, known = _indexed(directory, kinds)
    parts = [(number, part) for number, part in parts_of(directory) if part.number >= known.get(number, 0)]
    for done, (_, part) in enumerate(parts):
        tell(done, len(parts))
        with suppress(SegmentError):  # that it cannot be read, whoever verifies the log finds out
            found += _told(part, kinds)
    tell(len(parts), len(parts))
    return found


def _told(segment: Segment, kinds: tuple[str, ...]) -> Iterator[Fields]:
    for run in Reading(segment).runs():
        for kind in kinds:
            naming = b'"kind":"%s"' % kind.encode()  # no JSON string can hold a bare quote
            at = run.find(naming)
            while at >= 0:
                end = run.find(b"\n", at)
                with suppress(ValueError):  # as above
                    yield msgspec.to_builtins(events.decode(run[run.rfind(b"\n", 0, at) + 1 : end]))
                at = run.find(naming, end)


def _indexed(directory: Path, kinds: tuple[str, ...]) -> tuple[list[Fields], Mapping[int, int]]:
    """What the index has, and by number of a log that it knows, the segment that it may not have read wholly."""
    there = {int(match[1]): log for log in logs(directory) if (match := LOG.fullmatch(log.name))}
    try:
        with glanced(directory) as db:
            if db is None:
                return [], {}
            read = {number: segment for number, log, segment in db.execute(READ) if _id(there.get(number)) == log}
            rows = db.execute(TOLD, (SEQ_BITS, json.dumps(kinds)))
            return [json.loads(more) for number, more in rows if number in read], read
    except sqlite3.Error:  # it is derived: the logs say the same
        return [], {}


def _id(log: Path | None) -> str | None:
    found = segments(log) if log is not None else []
    with suppress(SegmentError):
        event = first(present(found[0])) if found else None
        return None if event is None else event.log
    return None


def parts_of(directory: Path) -> Iterator[tuple[int, Segment]]:
    """All segments, with the numbers of their logs."""
    for log in logs(directory):
        match = LOG.fullmatch(log.name)
        assert match is not None
        yield from ((int(match[1]), part) for part in segments(log))
