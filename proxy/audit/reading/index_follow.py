"""Taking into the index what the logs have more than it, and forgetting what they have no more.

Every log is gone on with where its last segment in the index ends. What is not as it was there (a crash cut it
off, somebody put another log in its place) is forgotten by segments, and read again.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proxy.audit.layout import LOG, logs, segments
from proxy.audit.reading.following import BEGINNING, ChangedError, Place, Read, onwards
from proxy.audit.reading.index_rows import Rows
from proxy.audit.reading.index_tables import INDEXES, SEGMENT_BITS, SEQ_BITS

BATCH = 20_000  # events in one transaction
Tell = Callable[[int, int], None]
"""Bytes read so far, bytes to read in all."""


def follow(db: sqlite3.Connection, directory: Path, tell: Tell) -> int:
    """Take in what is new in the logs of `directory`; how many events. Nobody else may write meanwhile."""
    here = {int(match[1]): log for log in logs(directory) if (match := LOG.fullmatch(log.name))}
    for number, segment in _gone(db, here):
        _forget(db, number, segment)
    rows, way = Rows(db), Way(here, {number: _place(db, number) for number in here}, tell)
    with _collecting_nothing():
        count = sum(_read(db, number, log, rows, way) for number, log in here.items())
    db.executescript(INDEXES)
    return count


def _read(db: sqlite3.Connection, number: int, log: Path, rows: Rows, way: Way) -> int:
    """Take in what is new in one log. What is not as it was is read once more, from the segment before it."""
    while True:
        place = _place(db, number)
        try:
            return _take(db, number, log, place, rows, way)
        except ChangedError:
            if place is BEGINNING:
                raise
            _forget(db, number, place.segment)


def _take(db: sqlite3.Connection, number: int, log: Path, place: Place, rows: Rows, way: Way) -> int:
    count = 0
    db.execute("BEGIN IMMEDIATE")
    try:
        for read in onwards(log, place):
            rows.take(number, read)
            count += len(read.events)
            _note(db, number, read)
            way.went(number, read.place)
            if rows.count >= BATCH:
                rows.write()
                db.execute("COMMIT")
                db.execute("BEGIN IMMEDIATE")
        rows.write()
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    return count


def _place(db: sqlite3.Connection, number: int) -> Place:
    """Up to where log `number` was read."""
    row = db.execute(
        "SELECT segments.number, block, seq, t, logs.log FROM segments JOIN logs ON logs.number = segments.log"
        " WHERE segments.log = ? ORDER BY 1 DESC LIMIT 1",
        (number,),
    ).fetchone()
    return BEGINNING if row is None else Place(*row)


def _note(db: sqlite3.Connection, number: int, read: Read) -> None:
    if read.events:
        key, place = number << SEGMENT_BITS | read.segment.number, read.place
        db.execute("INSERT OR IGNORE INTO logs (number, log) VALUES (?, ?)", (number, place.log))
        db.execute(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " block = excluded.block, seq = excluded.seq, t = excluded.t",
            (key, number, place.segment, place.block, read.events[0].seq, place.seq, place.t),
        )
    if read.unread:
        db.execute("UPDATE logs SET unread = unread + ? WHERE number = ?", (read.unread, number))


def _gone(db: sqlite3.Connection, here: dict[int, Path]) -> list[tuple[int, int]]:
    """(log, segment) of what was read and is there no more."""
    left = {(number, segment.number) for number, log in here.items() for segment in segments(log)}
    rows = db.execute("SELECT log, number FROM segments ORDER BY log, number").fetchall()
    return [(log, number) for log, number in rows if (log, number) not in left]


def _forget(db: sqlite3.Connection, number: int, segment: int) -> None:
    """Everything of one segment."""
    key = number << SEGMENT_BITS | segment
    first, last = db.execute("SELECT first, seq FROM segments WHERE id = ?", (key,)).fetchone()
    span = (number << SEQ_BITS | first, number << SEQ_BITS | last)
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "UPDATE shapes SET events = events - gone.count FROM (SELECT shape, count(*) AS count FROM events"
        " WHERE id BETWEEN ? AND ? GROUP BY shape) AS gone WHERE gone.shape = shapes.id",
        span,
    )
    db.execute("DELETE FROM events WHERE id BETWEEN ? AND ?", span)
    db.execute("DELETE FROM crowds WHERE event BETWEEN ? AND ?", span)
    db.execute(
        "DELETE FROM sessions WHERE last BETWEEN ? AND ?"
        " AND NOT EXISTS (SELECT 1 FROM events WHERE session = sessions.id)",
        span,
    )
    for table, column in (("counts", "segment"), ("finding_counts", "segment"), ("segments", "id")):
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (key,))  # noqa: S608 - names of ours
    db.execute("DELETE FROM logs WHERE number = ? AND number NOT IN (SELECT log FROM segments)", (number,))
    db.execute("COMMIT")


class Way:
    """How much of the logs is left to read, in bytes of their files."""

    def __init__(self, here: dict[int, Path], places: dict[int, Place], tell: Tell) -> None:
        self.tell = tell
        self.sizes = {
            (number, segment.number): segment.path.stat().st_size
            for number, log in here.items()
            for segment in segments(log)
            if segment.number >= places[number].segment and segment.path.exists()
        }
        self.done: dict[tuple[int, int], int] = {}
        self.all = sum(self.sizes.values())

    def went(self, number: int, place: Place) -> None:
        """Log `number` was read up to there."""
        size = self.sizes.get((number, place.segment), 0)
        before = self.sizes.get((number, place.segment - 1), 0)
        self.done[number, place.segment - 1] = before
        self.done[number, place.segment] = min(place.block, size)
        self.tell(sum(self.done.values()), self.all)


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Without the collector of cycles, which looks at a million rows in vain: 15% of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
