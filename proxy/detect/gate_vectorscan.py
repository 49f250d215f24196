"""The gate in Vectorscan (package `hyperscan`), block mode. Scanning lets other threads run.

Only here is that package imported. Databases are compiled and kept in database.py.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import hyperscan

from proxy.detect.database import database
from proxy.detect.gate import Scan, Trigger
from proxy.detect.triggers import odd_digits, width

FEW, DENSE = 4096, 16
"""A scan tells of FEW hits and one more per DENSE bytes. Beyond, everybody looks at everything: a text of
nothing but digits would take more time and memory here than in the recognizers, which have a deadline."""

_NOBODY: frozenset[int] = frozenset()


Scratches = tuple[hyperscan.Scratch, hyperscan.Scratch]
Quick = tuple[hyperscan.Database, hyperscan.Scratch]


class _Mine(threading.local):
    """What each thread has for itself: a scratch is not to be shared."""

    scratches: Scratches | None = None
    quick: Quick | None = None


class _Hits(list[tuple[int, int]]):
    """Hits, and how many there may be."""

    __slots__ = ("most",)
    most: int


class VectorscanGate:
    """A `Gate`."""

    engine = "vectorscan"

    def __init__(self, triggers: Sequence[Trigger], cache: Path | None = None) -> None:
        self._regexes = [trigger.regex for trigger in triggers]
        self._cache = cache
        self._ascii, untaken = database(self._regexes, cache=cache)
        self._utf8, untaken_too = database([*self._regexes, odd_digits()], beyond_ascii=True, cache=cache)
        self._odd = len(self._regexes)
        self._everybody = frozenset(trigger.owner for trigger in triggers)
        self.blind = frozenset(triggers[number].owner for number in untaken | untaken_too)
        self._far = {n: trigger.owner for n, trigger in enumerate(triggers) if width(trigger.regex) is None}
        self._quick: hyperscan.Database | None = None
        self._mine = _Mine()

    def clear(self, data: bytes) -> bool:
        quick = self._mine.quick or self._open_quick()
        try:
            if data.isascii():
                quick[0].scan(data, _stop, 0, None, quick[1])
            else:
                data.decode()  # the engine takes it for UTF-8 without a look
                mine = self._mine.scratches or self._open()
                self._utf8.scan(data, _stop, 0, None, mine[1])
        except (hyperscan.ScanTerminated, UnicodeDecodeError):
            return False
        return not self.blind

    def scan(self, data: bytes) -> Scan:
        mine = self._mine.scratches or self._open()
        found = _Hits()
        found.most = FEW + len(data) // DENSE
        try:
            if data.isascii():
                self._ascii.scan(data, _add, 0, found, mine[0])
            else:
                self._utf8.scan(data, _add, 0, found, mine[1])
                if any(number == self._odd for number, _ in found):
                    return Scan((), self._everybody)
        except hyperscan.ScanTerminated:
            return Scan((), self._everybody)
        if not self._far:
            return Scan(found, self.blind)
        far = frozenset(self._far[number] for number, _ in found if number in self._far)
        return Scan([hit for hit in found if hit[0] not in self._far], self.blind | far)

    def _open_quick(self) -> Quick:
        if self._quick is None:  # only who asks for clear payloads needs it
            self._quick, _ = database(self._regexes, anonymous=True, cache=self._cache)
        self._mine.quick = self._quick, hyperscan.Scratch(self._quick)
        return self._mine.quick

    def _open(self) -> Scratches:
        self._mine.scratches = hyperscan.Scratch(self._ascii), hyperscan.Scratch(self._utf8)
        return self._mine.scratches


def _stop(_number: int, _start: int, _end: int, _flags: int, _none: object) -> bool:
    return True


def _add(number: int, _start: int, end: int, _flags: int, hits: object) -> bool:
    assert type(hits) is _Hits  # what `scan` handed in
    hits.append((number, end))
    return len(hits) > hits.most
