"""What tokens stand for, in memory: a book per session, and one per named scope. Bounded, and safe in any thread.

Whoever has been quiet for longest loses first: of the book that was not used for longest, the entry that was not
used for longest. No session gets more than its share, so that nobody can push out the values of everybody else.
What was not used for `ttl` seconds is gone; what was used in the last half of that is not. Numbers are never given
twice in a session, so a token that was forgotten never turns into another value.
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

SIZE = 1_000_000  # entries: about 350 MB (python -m benchmarks.vault)
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

    def __repr__(self) -> str:
        """Without the value."""
        return f"Kept({self.entity}, {self.rule}, {self.ways})"


class Book:
    """The entries of one session or scope, in two generations, each with the least recently used first.

    Texts only: dicts of nothing else are not visited by the garbage collector, which would otherwise hold up the
    event loop for 0.2 s, again and again, for a million tokens.
    """

    __slots__ = ("counts", "doomed", "first", "names", "old", "old_since", "since", "used", "young")

    def __init__(self, now: float) -> None:
        self.young: dict[str, str] = {}
        """By the name of a token, what it stands for (see `Vault._record`): used since `since`."""
        self.old: dict[str, str] = {}
        """Not used since then."""
        self.since = self.old_since = self.used = now
        self.doomed: list[str] | None = None
        """Names in `old`, the first to go at the end; made when somebody has to go."""
        self.names: dict[str, dict[str, str]] = {}
        """By label and value. Empty in the book of a scope, where values have names of their own."""
        self.counts: dict[str, int] = {}
        """By label: tokens given so far."""
        self.first = 0
        """Where the number tokens of a session begin. Drawn, so that those of two sessions are not the same."""

    def __len__(self) -> int:
        return len(self.young) + len(self.old)

    def turn(self, now: float) -> None:
        """What was young is old, in the place of what was."""
        self.old, self.young, self.doomed = self.young, {}, None
        self.old_since, self.since = self.since, now

    def pop_oldest(self) -> tuple[str, str]:
        """Take out whatever was not used for longest."""
        if not self.old:
            self.turn(self.since)
        if self.doomed is None:
            self.doomed = list(reversed(self.old))
        while (name := self.doomed.pop()) not in self.old:
            pass
        return name, self.old.pop(name)


_ENDED = Book(0.0)


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
        self._facts: list[tuple[str, str, int]] = []  # what is to be said of values: see `_record`
        self._places: dict[tuple[str, str, int], int] = {}
        self._count = 0

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
            name = book.names.get(label, {}).get(kept.value)
            if name is None:
                if len(book) >= self._share:
                    self._drop_oldest(book)
                count = book.counts[label] = book.counts.get(label, 0) + 1
                name = book.names.setdefault(label, {})[kept.value] = make(book, count)
            self._put(book, name, kept)
            return name

    def _book_of(self, session: Session) -> Book:
        book = session.memory
        if book is None:
            book = session.memory = Book(self._clock())
            book.first = NUMERALS + secrets.randbelow(_SPREAD)
        assert isinstance(book, Book)
        if book is _ENDED:
            raise RuntimeError("the connection has ended")
        return book

    def holds(self, session: Session) -> bool:
        """Whether `session` has any token. Made for the hot path: takes no lock."""
        return bool(session.memory)  # a Book is false when it is empty

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
            book = self._scopes.get(scope)
            if book is None:
                book = self._scopes[scope] = Book(self._clock())
            self._use(book)
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
                kept = self._get(book, name)
                if kept is not None and kept.ways >> way & 1:
                    self._put(book, name, kept)
                    found[name] = kept
        return found

    # what follows is called with the lock held

    def _get(self, book: Book, name: str) -> Kept | None:
        record = book.young.get(name) or book.old.get(name)
        if record is None:
            return None
        fact, _, value = record.partition(" ")
        return Kept(value, *self._facts[int(fact)])

    def _record(self, kept: Kept) -> str:
        """The value, and in front of it the place of the rest, which many have in common."""
        fact = kept[1:]
        place = self._places.get(fact)
        if place is None:
            place = self._places[fact] = len(self._facts)
            self._facts.append(fact)
        return f"{place} {kept.value}"

    def _use(self, book: Book) -> None:
        """Let go what is too old: books that nobody used, and the old entries of `book`."""
        now = book.used = self._clock()
        if book in self._books:
            self._books.move_to_end(book)
        while self._books and now - (idle := next(iter(self._books))).used > self._ttl:
            self._clear(idle)
        if now - book.since > self._ttl / 2:
            self._drop_old(book)
            book.turn(now)
        if now - book.old_since > self._ttl:
            self._drop_old(book)

    def _put(self, book: Book, name: str, kept: Kept) -> None:
        before = self._get(book, name)
        if before is None:
            self._count += 1
        else:
            kept = kept._replace(ways=kept.ways | before.ways)
            book.young.pop(name, None)
            book.old.pop(name, None)
        book.young[name] = self._record(kept)
        self._books[book] = None  # a new one is the last: see `_use` for the others
        while self._count > self._size:
            self._drop_oldest(next(iter(self._books)))

    def _drop_oldest(self, book: Book) -> None:
        name, record = book.pop_oldest()
        self._count -= 1
        self._unname(book, name, record)
        if not book:
            self._clear(book)

    def _drop_old(self, book: Book) -> None:
        self._count -= len(book.old)
        for name, record in book.old.items() if book.names else ():
            self._unname(book, name, record)
        book.old, book.doomed = {}, None
        if not book:
            self._books.pop(book, None)

    def _unname(self, book: Book, name: str, record: str) -> None:
        names = book.names.get(name.rpartition("_")[0])
        if names is not None:
            del names[record.partition(" ")[2]]

    def _clear(self, book: Book) -> None:
        self._count -= len(book)
        book.young, book.old, book.doomed = {}, {}, None
        book.names = {}
        self._books.pop(book, None)
