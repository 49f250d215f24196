"""The gate in Vectorscan (package `hyperscan`), block mode. Scanning lets other threads run.

Only here is that package imported. Databases are compiled and kept in database.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import hyperscan

from proxy.detect.database import Found, Wanted, databases
from proxy.detect.gate import Scan, Wish
from proxy.detect.herds import herds
from proxy.detect.triggers import odd_digits, width

FEW, DENSE, USUAL, SPARSE = 4096, 4, 64 * 1024, 16
"""A scan tells of FEW hits and one more per DENSE bytes, or per SPARSE bytes of what is longer than USUAL. Beyond,
everybody looks at everything: a text of nothing but digits would take more time and memory here than in the
recognizers, which have a deadline. (Lists of cards in 64 KiB of JSON take 59 ms with 4 and 188 with 16.)"""

_NOBODY: frozenset[int] = frozenset()


Opened = tuple[hyperscan.Database, hyperscan.Scratch]


class _Mine(threading.local):
    """What each thread has for itself: a scratch is not to be shared."""

    quick: tuple[Opened, ...] = ()
    ascii: Opened | None = None
    utf8: Opened | None = None


class _Hits(list[tuple[int, int]]):
    """Hits, how many there may be, and the number of the trigger that makes everybody look at everything."""

    __slots__ = ("most", "odd")

    def __init__(self, most: int, odd: int) -> None:
        self.most, self.odd = most, odd


def open_all(wishes: Sequence[Wish], cache: Path | None = None) -> list[VectorscanGate]:
    """A gate for each wish, all compiled at the same time if they are not in the directory `cache`."""
    wanted = [_wanted(wish) for wish in wishes]
    found = iter(databases([one for some in wanted for one in some], cache))
    return [
        VectorscanGate(wish, cache, *islice(found, len(some))) for wish, some in zip(wishes, wanted, strict=True)
    ]


def _wanted(wish: Wish) -> list[Wanted]:
    """As VectorscanGate takes them."""
    regexes = [trigger.regex for trigger in wish.triggers]
    utf8 = Wanted([*regexes, odd_digits()], beyond_ascii=True)
    places = [Wanted(regexes)] if wish.places else []
    return [utf8, *places, *(Wanted(regexes, only=herd, anonymous=True) for herd in herds(regexes))]


class VectorscanGate:
    """A `Gate`. The database that tells places in ASCII is compiled when somebody asks for some, if not before."""

    engine = "vectorscan"

    def __init__(self, wish: Wish, cache: Path | None, utf8: Found, *rest: Found) -> None:
        """`rest`: if the wish is for places, the database that tells them in ASCII; then one for each herd."""
        triggers = wish.triggers
        self._triggers = triggers
        self._regexes = [trigger.regex for trigger in triggers]
        self._cache = cache
        self._utf8, untaken = utf8
        quick = rest[1:] if wish.places else rest
        self._quick = [found for found, _ in quick]
        self._ascii: hyperscan.Database | None = None
        self._odd = len(self._regexes)
        self._everybody = frozenset(trigger.owner for trigger in triggers)
        self.blind = self._owners(untaken.union(*(untaken for _, untaken in quick)))
        self._whole = self.blind
        if wish.places:
            self._take(rest[0])
        self._far = {n: trigger.owner for n, trigger in enumerate(triggers) if width(trigger.regex) is None}
        self._mine = _Mine()

    def clear(self, data: bytes) -> bool:
        mine = self._mine
        try:
            if data.isascii():
                for found, scratch in mine.quick or self._open_quick():
                    found.scan(data, _stop, 0, None, scratch)
            else:
                data.decode()  # the engine takes it for UTF-8 without a look
                found, scratch = mine.utf8 or self._open_utf8()
                found.scan(data, _stop, 0, None, scratch)
        except (hyperscan.ScanTerminated, UnicodeDecodeError):
            return False
        return not self.blind

    def ends(self, data: bytes) -> Sequence[int] | None:
        mine = self._mine
        hits = _Hits(_most(len(data)), self._odd)
        try:
            if data.isascii():
                for found, scratch in mine.quick or self._open_quick():
                    found.scan(data, _add, 0, hits, scratch)
            else:
                data.decode()
                found, scratch = mine.utf8 or self._open_utf8()
                found.scan(data, _add, 0, hits, scratch)
        except (hyperscan.ScanTerminated, UnicodeDecodeError):
            return None
        return [end for _, end in hits] if not self.blind else None

    def scan(self, data: bytes) -> Scan:
        mine = self._mine
        found, scratch = (mine.ascii or self._open_ascii()) if data.isascii() else (mine.utf8 or self._open_utf8())
        hits = _Hits(_most(len(data)), self._odd)
        try:
            found.scan(data, _add, 0, hits, scratch)
        except hyperscan.ScanTerminated:
            return Scan((), self._everybody)
        far = [number for number, _ in hits if number in self._far]
        if not far:
            return Scan(hits, self._whole)
        owners = frozenset([self._far[number] for number in far])
        return Scan([hit for hit in hits if hit[0] not in self._far], self._whole | owners)

    def _owners(self, numbers: Iterable[int]) -> frozenset[int]:
        return frozenset(self._triggers[number].owner for number in numbers)

    def _take(self, places: Found) -> None:
        made, untaken = places
        self._whole = self.blind | self._owners(untaken)
        self._ascii = made

    def _open_quick(self) -> tuple[Opened, ...]:
        self._mine.quick = tuple((found, hyperscan.Scratch(found)) for found in self._quick)
        return self._mine.quick

    def _open_ascii(self) -> Opened:
        if self._ascii is None:
            self._take(*databases([Wanted(self._regexes)], self._cache))
        assert self._ascii is not None
        self._mine.ascii = self._ascii, hyperscan.Scratch(self._ascii)
        return self._mine.ascii

    def _open_utf8(self) -> Opened:
        self._mine.utf8 = self._utf8, hyperscan.Scratch(self._utf8)
        return self._mine.utf8


def _most(size: int) -> int:
    """How many hits a scan of so many bytes tells."""
    return FEW + max(min(size, USUAL) // DENSE, size // SPARSE)


def _stop(_number: int, _start: int, _end: int, _flags: int, _none: object) -> bool:
    return True


def _add(number: int, _start: int, end: int, _flags: int, hits: object) -> bool:
    assert type(hits) is _Hits  # what `scan` handed in
    hits.append((number, end))
    return number == hits.odd or len(hits) > hits.most
