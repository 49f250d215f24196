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


class _Mine(threading.local):
    """What each thread has for itself: a scratch is not to be shared."""

    scratches: Scratches | None = None


class _Hits(list[tuple[int, int]]):
    """Hits, and how many there may be."""

    __slots__ = ("most",)
    most: int


class VectorscanGate:
    """A `Gate`."""

    engine = "vectorscan"

    def __init__(self, triggers: Sequence[Trigger], cache: Path | None = None) -> None:
        regexes = [trigger.regex for trigger in triggers]
        self._ascii, untaken = database(regexes, False, cache)
        self._utf8, untaken_too = database([*regexes, odd_digits()], True, cache)
        self._odd = len(regexes)
        self._everybody = frozenset(trigger.owner for trigger in triggers)
        self.blind = frozenset(triggers[number].owner for number in untaken | untaken_too)
        self._far = {n: trigger.owner for n, trigger in enumerate(triggers) if width(trigger.regex) is None}
        self._mine = _Mine()

    def clear(self, data: bytes) -> bool:
        mine = self._mine.scratches or self._open()
        try:
            if data.isascii():
                self._ascii.scan(data, _stop, 0, None, mine[0])
            else:
                data.decode()  # the engine takes it for UTF-8 without a look
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

    def _open(self) -> Scratches:
        self._mine.scratches = hyperscan.Scratch(self._ascii), hyperscan.Scratch(self._utf8)
        return self._mine.scratches


def _stop(_number: int, _start: int, _end: int, _flags: int, _none: object) -> bool:
    return True


def _add(number: int, _start: int, end: int, _flags: int, hits: object) -> bool:
    assert type(hits) is _Hits  # what `scan` handed in
    hits.append((number, end))
    return len(hits) > hits.most
