"""Which fingerprints nobody can compare with a value: the key of their epoch is gone, or is another one by now.

A row of marks says of which epoch it is. Events say which key that epoch had, by a check value (epochs.py):
`start` of a proxy, and `key.rotate`. A key that is not there, or whose check value is another one, finds nothing,
and "does not occur" would be a wrong answer. Which events there are, the index says as far as it goes; what is
behind it is read, and all of the log where there is none: 0.3 s for a million events, 0.5 if they are compressed.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from proxy.audit import events
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.layout import LOG, Segment, logs, segments
from proxy.audit.marks import ROW, Row, rows
from proxy.audit.people.epochs import LAST, Epoch
from proxy.audit.people.subject import Tell
from proxy.audit.pick import first, present
from proxy.audit.reading.index import glanced
from proxy.audit.reading.index_tables import SEQ_BITS

TELLING = b'"kind":"start"', b'"kind":"key.rotate"'  # no JSON string can hold a bare quote
TOLD = (
    "SELECT events.id >> ?, more FROM events JOIN shapes ON shapes.id = events.shape JOIN outlines ON"
    " outlines.id = shapes.outline WHERE kind IN ('start', 'key.rotate')"
)
READ = (
    "SELECT logs.number, logs.log, max(segments.number) FROM logs JOIN segments ON segments.log = logs.number"
    " GROUP BY 1"
)
Checks = set[tuple[int, str]]
"""(epoch, check value of a key that it had)."""


def unjudged(directory: Path, epochs: Iterable[Epoch], tell: Tell) -> dict[int, int]:
    """How many fingerprints there are, by epoch, of epochs whose key is not among `epochs` or is not the one that
    the log knows. One that was destroyed is told elsewhere. In a turn (audit/tend.py); raises OSError."""
    keys = {epoch.number: epoch.check for epoch in epochs}
    doubtful = _used(directory) - keys.keys()
    for number, check in checks(directory, tell):
        if keys.get(number, "") not in (None, check):
            doubtful.add(number)
    if not doubtful:
        return {}
    counted = Counter(
        row.epoch
        for _, part in _parts(directory)
        if (path := part.beside("marks")).is_file()
        for row in rows(path)
        if row.epoch in doubtful and not row.gone
    )
    return dict(sorted(counted.items()))


def newest(directory: Path) -> int:
    """The highest number of an epoch that has rows, 0 if there are none: it must not be used for another key.
    Raises OSError."""
    return max((number for number in _used(directory) if number < LAST), default=0) if directory.is_dir() else 0


def _used(directory: Path) -> set[int]:
    """The epochs of the first and the last rows of all segments: in a log, numbers only rise."""
    return {row.epoch for _, part in _parts(directory) for row in _edges(part.beside("marks"))}


def _edges(path: Path) -> Iterator[Row]:
    if not path.is_file():
        return
    with suppress(FileNotFoundError), path.open("rb") as file:  # retention may have removed it since
        whole = file.seek(0, 2) // ROW.size
        for number in {0, whole - 1} if whole else ():
            file.seek(number * ROW.size)
            if len(raw := file.read(ROW.size)) == ROW.size:
                yield Row(*ROW.unpack(raw))


def checks(directory: Path, tell: Tell) -> Checks:
    """Of all keys that events speak of. In a turn; raises OSError."""
    found, known = _indexed(directory)
    parts = [(number, part) for number, part in _parts(directory) if part.number >= known.get(number, 0)]
    for done, (_, part) in enumerate(parts):
        tell(done, len(parts))
        with suppress(SegmentError):  # that it cannot be read, whoever verifies the log finds out
            found |= set(_told(part))
    tell(len(parts), len(parts))
    return found


def _told(segment: Segment) -> Iterator[tuple[int, str]]:
    for run in Reading(segment).runs():
        for kind in TELLING:
            at = run.find(kind)
            while at >= 0:
                end = run.find(b"\n", at)
                with suppress(ValueError):  # as above
                    event = events.decode(run[run.rfind(b"\n", 0, at) + 1 : end])
                    if isinstance(event, events.Start | events.KeyRotate):
                        yield from _check(event.epoch, event.check)
                at = run.find(kind, end)


def _check(epoch: object, check: object) -> Iterator[tuple[int, str]]:
    if isinstance(epoch, int) and isinstance(check, str):
        yield epoch, check


def _indexed(directory: Path) -> tuple[Checks, Mapping[int, int]]:
    """What the index has, and by number of a log that it knows, the segment that it may not have read wholly."""
    there = {int(match[1]): log for log in logs(directory) if (match := LOG.fullmatch(log.name))}
    try:
        with glanced(directory) as db:
            if db is None:
                return set(), {}
            read = {number: segment for number, log, segment in db.execute(READ) if _id(there.get(number)) == log}
            told = [json.loads(more) for number, more in db.execute(TOLD, (SEQ_BITS,)) if number in read]
    except sqlite3.Error:  # it is derived: the logs say the same
        return set(), {}
    return {one for more in told for one in _check(more.get("epoch"), more.get("check"))}, read


def _id(log: Path | None) -> str | None:
    found = segments(log) if log is not None else []
    with suppress(SegmentError):
        event = first(present(found[0])) if found else None
        return None if event is None else event.log
    return None


def _parts(directory: Path) -> Iterator[tuple[int, Segment]]:
    """All segments, with the numbers of their logs."""
    for log in logs(directory):
        match = LOG.fullmatch(log.name)
        assert match is not None
        yield from ((int(match[1]), part) for part in segments(log))
