"""The index of an audit: a SQLite file beside the logs that answers questions fast, and follows the logs.

It is derived and disposable: if it is missing, of another version or broken, it is made anew. One process at a
time writes (flock), and whoever asks a question writes what is new first; others go on reading meanwhile (WAL).
What is cut off, replaced or pruned in a log is forgotten in here.
"""

from __future__ import annotations

import fcntl
import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from proxy.audit.following import BEGINNING, ChangedError, Place, Read, onwards
from proxy.audit.index_rows import Rows
from proxy.audit.index_tables import INDEXES, SEGMENT_BITS, SEQ_BITS, TABLES, VERSION
from proxy.audit.layout import LOG, logs, segments

MEMORY = "memory"
BATCH = 20_000  # events in one transaction
EDGE = "SELECT {0}((SELECT {0}(t) FROM events WHERE shape = shapes.id)) FROM shapes"
HELD = """SELECT (SELECT coalesce(sum(events), 0) FROM shapes), (SELECT count(*) FROM sessions),
    (SELECT coalesce(sum(unread), 0) FROM logs)"""
Tell = Callable[[int, int], None]
"""Bytes read so far, bytes to read in all."""


class NoIndexError(Exception):
    """The index cannot be used. The text says why, and what helps."""


class State(NamedTuple):
    """What an index holds. `oldest` and `newest` are Unix time in nanoseconds; `unread` lines of the logs are no
    events."""

    events: int
    sessions: int
    oldest: int | None
    newest: int | None
    unread: int
    size: int


class Index:
    """Open with `with`; then `catch_up` first, as often as one likes, and ask `db`."""

    def __init__(self, directory: Path, where: str | Path | None = None) -> None:
        """The index of the audit in `directory`; kept in `where`, which may be MEMORY."""
        self.directory = directory
        self.path = None if where == MEMORY else Path(where or directory / "index.sqlite")
        self._db: sqlite3.Connection | None = None
        self._inode = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @property
    def db(self) -> sqlite3.Connection:
        """To ask; not before `catch_up`."""
        assert self._db is not None, "catch_up comes first"
        return self._db

    def catch_up(self, tell: Tell = lambda _done, _all: None) -> int:
        """Take in what the logs have more than the index; how many events that was.

        Waits for another process that is doing so. Raises NoIndexError, OSError.
        """
        try:
            with self._alone():
                try:
                    return self._caught_up(tell)
                except sqlite3.OperationalError:
                    raise  # a full disk, or a file that must not be written: making it anew would not help
                except sqlite3.DatabaseError:
                    self._remove()
                    return self._caught_up(tell)
        except sqlite3.Error as error:
            raise NoIndexError(f"the index {self.path or 'in memory'} cannot be written: {error}") from None

    def state(self) -> State:
        """What it holds now."""
        oldest, newest = (self.db.execute(EDGE.format(edge)).fetchone()[0] for edge in ("min", "max"))
        events, sessions, unread = self.db.execute(HELD).fetchone()
        size = 0 if self.path is None else self.path.stat().st_size
        return State(events, sessions, oldest, newest, unread, size)

    # -- the file ---------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes this index meanwhile."""
        if self.path is None:
            yield
            return
        try:
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NoIndexError(
                f"no index can be kept in {self.path.parent} ({error.strerror}); keep it elsewhere with"
                " --index FILE, or make one for this command alone with --index memory"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _caught_up(self, tell: Tell) -> int:
        if self.path is None:
            if self._db is None:
                self._db = _made(":memory:")
            return self._follow(tell)
        if self._db is not None and not self._is_at_path():
            self.close()
        if self._db is None and not self._opened():
            self._remove()
            return self._made_anew(tell)
        return self._follow(tell)

    def _is_at_path(self) -> bool:
        """Whether the open file is still the one that is there: others may have made it anew."""
        assert self.path is not None
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _opened(self) -> bool:
        """Whether there is an index that can be used."""
        assert self.path is not None
        if not self.path.exists():
            return False
        self._db = db = sqlite3.connect(self.path, isolation_level=None, timeout=60)
        self._inode = self.path.stat().st_ino
        _tuned(db)
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            return False
        db.execute("PRAGMA journal_mode=WAL")
        return True

    def _made_anew(self, tell: Tell) -> int:
        """Into a file of another name, without a journal: it takes its place when it is whole."""
        assert self.path is not None
        building = self.path.with_suffix(".building")
        building.unlink(missing_ok=True)
        os.close(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._db = _made(str(building))
        try:
            count = self._follow(tell)
            self.close()
            building.replace(self.path)
        finally:
            self.close()
            building.unlink(missing_ok=True)
        self._opened()
        return count

    def _remove(self) -> None:
        """With what SQLite keeps beside it, which must never meet another file."""
        self.close()
        if self.path is not None:
            for path in (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))):
                path.unlink(missing_ok=True)

    # -- the logs ---------------------------------------------------------------------------------------------

    def _follow(self, tell: Tell) -> int:
        here = {int(match[1]): log for log in logs(self.directory) if (match := LOG.fullmatch(log.name))}
        for number, segment in self._gone(here):
            self._forget(number, segment)
        rows, way = Rows(self.db), Way(here, {number: self.place(number) for number in here}, tell)
        with _collecting_nothing():
            count = sum(self._read(number, log, rows, way) for number, log in here.items())
        self.db.executescript(INDEXES)
        return count

    def _read(self, number: int, log: Path, rows: Rows, way: Way) -> int:
        """Take in what is new in one log. What is not as it was is read once more, from the segment before it."""
        while True:
            place = self.place(number)
            try:
                return self._take(number, log, place, rows, way)
            except ChangedError:
                if place is BEGINNING:
                    raise
                self._forget(number, place.segment)

    def _take(self, number: int, log: Path, place: Place, rows: Rows, way: Way) -> int:
        count = 0
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for read in onwards(log, place):
                rows.take(number, read)
                count += len(read.events)
                self._note(number, read)
                way.went(number, read.place)
                if rows.count >= BATCH:
                    rows.write()
                    self.db.execute("COMMIT")
                    self.db.execute("BEGIN IMMEDIATE")
            rows.write()
            self.db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self.db.execute("ROLLBACK")
            raise
        return count

    def place(self, number: int) -> Place:
        """Up to where log `number` was read."""
        row = self.db.execute(
            "SELECT segments.number, block, seq, t, logs.log FROM segments JOIN logs ON logs.number = segments.log"
            " WHERE segments.log = ? ORDER BY 1 DESC LIMIT 1",
            (number,),
        ).fetchone()
        return BEGINNING if row is None else Place(*row)

    def _note(self, number: int, read: Read) -> None:
        if read.events:
            key, place = number << SEGMENT_BITS | read.segment.number, read.place
            self.db.execute("INSERT OR IGNORE INTO logs (number, log) VALUES (?, ?)", (number, place.log))
            self.db.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " block = excluded.block, seq = excluded.seq, t = excluded.t",
                (key, number, place.segment, place.block, read.events[0].seq, place.seq, place.t),
            )
        if read.unread:
            self.db.execute("UPDATE logs SET unread = unread + ? WHERE number = ?", (read.unread, number))

    def _gone(self, here: dict[int, Path]) -> list[tuple[int, int]]:
        """(log, segment) of what was read and is there no more."""
        left = {(number, segment.number) for number, log in here.items() for segment in segments(log)}
        rows = self.db.execute("SELECT log, number FROM segments ORDER BY log, number").fetchall()
        return [(log, number) for log, number in rows if (log, number) not in left]

    def _forget(self, number: int, segment: int) -> None:
        """Everything of one segment."""
        key = number << SEGMENT_BITS | segment
        first, last = self.db.execute("SELECT first, seq FROM segments WHERE id = ?", (key,)).fetchone()
        span = (number << SEQ_BITS | first, number << SEQ_BITS | last)
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "UPDATE shapes SET events = events - gone.count FROM (SELECT shape, count(*) AS count FROM events"
            " WHERE id BETWEEN ? AND ? GROUP BY shape) AS gone WHERE gone.shape = shapes.id",
            span,
        )
        db.execute("DELETE FROM events WHERE id BETWEEN ? AND ?", span)
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


def _made(name: str) -> sqlite3.Connection:
    """An empty index, whose writing nothing slows down."""
    db = sqlite3.connect(name, isolation_level=None)
    _tuned(db)
    db.execute("PRAGMA journal_mode=OFF")
    db.execute("PRAGMA synchronous=OFF")
    db.executescript(TABLES)
    db.execute(f"PRAGMA user_version={VERSION}")
    return db


def _tuned(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA secure_delete=ON")  # what retention removes is gone from free pages too
    db.execute("PRAGMA cache_size=-200000")  # KiB
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA mmap_size=4294967296")
