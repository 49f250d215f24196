"""What tokens stand for, in memory: a book per session, and one per named scope. Bounded, and safe in any thread.

Whoever has been quiet for longest loses first: of the book that was not used for longest, the entry that was not
used for longest. No session gets more than its share, so that nobody can push out the values of everybody else.
What was not used for `ttl` seconds is gone. Numbers are never given twice in a session, so a token that was
forgotten never turns into another value.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from proxy.core.message import Direction
from proxy.core.session import Session

SIZE = 1_000_000  # entries: about 400 MB (python -m benchmarks.vault)
TTL = 24 * 3600.0  # seconds
SHARE = 8  # no session holds more than SIZE / SHARE entries

NUMERALS = 9 * 10**15  # no card and no phone number begins so, and readers of JSON hold it exactly (below 2**53)
_SPREAD = 7 * 10**12


class Kept(NamedTuple):
    """A value as it was found, and what is to be said of it. `ways` has bit 1 << d for a Direction d in which its
    token turns into it again."""

    value: str
    entity: str
    rule: str
    ways: int


Entry = tuple[str, str, str, int, float]
"""As Kept, and when it was used last. A plain tuple, which the garbage collector does not visit time and again."""


class Book:
    """The entries of one session or scope, the least recently used first."""

    __slots__ = ("counts", "entries", "first", "names", "used")

    def __init__(self) -> None:
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        """By the name of a token."""
        self.names: dict[str, dict[str, str]] = {}
        """By label and value. Empty in the book of a scope, where values have names of their own."""
        self.counts: dict[str, int] = {}
        """By label: tokens given so far."""
        self.first = 0
        """Where the number tokens of a session begin. Drawn, so that those of two sessions are not the same."""
        self.used = 0.0


_ENDED = Book()


class Vault:
    """All books of a process. `clock` tells seconds."""

    slow = False

    def __init__(self, size: int = SIZE, ttl: float = TTL, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._share = max(1, size // SHARE)
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.Lock()
        self._books: OrderedDict[Book, None] = OrderedDict()  # those with entries, the longest unused first
        self._scopes: dict[str, Book] = {}
        self._count = 0
        self._now = 0.0

    def __len__(self) -> int:
        return self._count

    # -- sessions -----------------------------------------------------------------------------------------

    def token(self, session: Session, label: str, kept: Kept) -> str:
        """The name of the token for a text: `LABEL_1`, the same for the same value."""
        return self._numbered(session, label, kept, lambda _, count: f"{label}_{count}")

    def numeral(self, session: Session, kept: Kept) -> str:
        """The token for a bare number: a whole number, the same for the same value."""
        return self._numbered(session, "", kept, lambda book, count: str(book.first + count))

    def _numbered(self, session: Session, label: str, kept: Kept, make: Callable[[Book, int], str]) -> str:
        with self._lock:
            book = self._book_of(session)
            self._use(book)
            names = book.names.setdefault(label, {})
            name = names.get(kept.value)
            if name is None:
                count = book.counts[label] = book.counts.get(label, 0) + 1
                name = names[kept.value] = make(book, count)
            else:
                kept = kept._replace(ways=kept.ways | book.entries[name][3])
            self._put(book, name, kept)
            if len(book.entries) > self._share:
                self._drop_oldest(book)
            return name

    def _book_of(self, session: Session) -> Book:
        book = session.memory
        if book is None:
            book = session.memory = Book()
            book.first = NUMERALS + secrets.randbelow(_SPREAD)
        assert isinstance(book, Book)
        if book is _ENDED:
            raise RuntimeError("the connection has ended")
        return book

    def holds(self, session: Session) -> bool:
        """Whether `session` has any token. Made for the hot path: takes no lock."""
        book = session.memory
        return book is not None and bool(book.entries)  # type: ignore[attr-defined] # a Book: made above

    def recall(self, session: Session, names: Iterable[str], way: Direction) -> dict[str, Kept]:
        """What those tokens of `session` stand for that it has, and that are restored in `way`."""
        book = session.memory
        return self._recall(book, names, way) if isinstance(book, Book) else {}

    def forget(self, session: Session) -> None:
        """The connection has ended: its tokens mean nothing any more."""
        with self._lock:
            book, session.memory = session.memory, _ENDED
            if isinstance(book, Book):
                self._clear(book)

    # -- named scopes -------------------------------------------------------------------------------------

    def keep(self, scope: str, name: str, kept: Kept) -> None:
        """Remember a token of a named scope."""
        with self._lock:
            book = self._scopes.setdefault(scope, Book())
            self._use(book)
            before = book.entries.get(name)
            if before is not None:
                kept = kept._replace(ways=kept.ways | before[3])
            self._put(book, name, kept)

    def recall_shared(self, scope: str, names: Iterable[str], way: Direction) -> dict[str, Kept]:
        """What those tokens of a named scope stand for that it has, and that are restored in `way`."""
        book = self._scopes.get(scope)
        return self._recall(book, names, way) if book is not None else {}

    # -- both ---------------------------------------------------------------------------------------------

    def _recall(self, book: Book, names: Iterable[str], way: Direction) -> dict[str, Kept]:
        found = {}
        with self._lock:
            self._use(book)
            for name in names:
                entry = book.entries.get(name)
                if entry is not None and entry[3] >> way & 1:
                    found[name] = kept = Kept(*entry[:4])
                    self._put(book, name, kept)
        return found

    # what follows is called with the lock held

    def _use(self, book: Book) -> None:
        """Let go what is too old: books that nobody used, and the oldest entries of `book`."""
        now = self._clock()
        if now - self._now >= 1.0:
            self._now = now  # one object for all entries of a second: 24 bytes less for each
            while self._books and now - (oldest := next(iter(self._books))).used > self._ttl:
                self._clear(oldest)
        while book.entries and self._now - next(iter(book.entries.values()))[4] > self._ttl:
            self._drop_oldest(book)

    def _put(self, book: Book, name: str, kept: Kept) -> None:
        self._count -= len(book.entries)
        book.entries[name] = (*kept, self._now)
        book.entries.move_to_end(name)
        self._count += len(book.entries)
        book.used = self._now
        self._books[book] = None
        self._books.move_to_end(book)
        while self._count > self._size:
            self._drop_oldest(next(iter(self._books)))

    def _drop_oldest(self, book: Book) -> None:
        name, (value, *_) = book.entries.popitem(last=False)
        self._count -= 1
        label = name.rpartition("_")[0]
        names = book.names.get(label)
        if names is not None:
            del names[value]
        if not book.entries:
            self._clear(book)

    def _clear(self, book: Book) -> None:
        self._count -= len(book.entries)
        book.entries.clear()
        book.names.clear()
        self._books.pop(book, None)
