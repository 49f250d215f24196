"""The index of an audit: a SQLite file beside the logs that answers questions fast, and follows the logs.

It is derived and disposable: if it is missing, of another version or broken, it is made anew. One process at a
time writes (flock), and whoever asks a question writes what is new first; others go on reading meanwhile (WAL).
What is cut off, replaced or pruned in a log is forgotten in here.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import quote

from proxy.audit.reading.index_follow import Tell, follow
from proxy.audit.reading.index_tables import TABLES, VERSION

MEMORY = "memory"
MAPPED = 4 << 30  # bytes; over 1 GiB a search takes 15 ms with it and 50 without
EDGE = "SELECT {0}((SELECT {0}(t) FROM events WHERE shape = shapes.id)) FROM shapes"
HELD = """SELECT (SELECT coalesce(sum(events), 0) FROM shapes), (SELECT count(*) FROM sessions),
    (SELECT coalesce(sum(unread), 0) FROM logs)"""


class NoIndexError(Exception):
    """The index cannot be used. The text says why, and what helps."""


@contextmanager
def glanced(directory: Path) -> Iterator[sqlite3.Connection | None]:
    """The index of an audit as it is, only to read; None if there is none that can be used. sqlite3.Error."""
    path = directory / "index.sqlite"
    if not path.is_file():  # a pipe would be waited for
        yield None
        return
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        yield db if db.execute("PRAGMA user_version").fetchone()[0] == VERSION else None


class NowhereError(NoIndexError):
    """None can be kept there: this user may not write."""


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

    def discard(self) -> None:
        """Throw away what is there; `catch_up` makes it anew. Raises NoIndexError, OSError."""
        with self._alone():
            self._remove()

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
            kind = NowhereError if error.errno in (errno.EROFS, errno.EACCES) else NoIndexError
            raise kind(
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
            return follow(self.db, self.directory, tell)
        if self._db is not None and not self._is_at_path():
            self.close()
        if self._db is None and not self._opened():
            self._remove()
            return self._made_anew(tell)
        return follow(self.db, self.directory, tell)

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
        if not self.path.is_file():  # a pipe would be waited for
            raise NoIndexError(f"{self.path} is no file: remove it, or keep the index elsewhere with --index FILE")
        self._db = db = sqlite3.connect(self.path, isolation_level=None, timeout=60)
        self._inode = self.path.stat().st_ino
        _tuned(db)
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            return False
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA mmap_size={MAPPED}")
        return True

    def _made_anew(self, tell: Tell) -> int:
        """Into a file of another name, without a journal: it takes its place when it is whole."""
        assert self.path is not None
        building = self.path.with_suffix(".building")
        building.unlink(missing_ok=True)
        os.close(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._db = _made(str(building))
        try:
            count = follow(self.db, self.directory, tell)
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
