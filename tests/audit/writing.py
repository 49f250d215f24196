"""What tests of the writer share: a signer, a disk that fails, legs that remember, a plain reading of a log."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from proxy.audit import events, storage
from proxy.audit.checkpoint import Signer
from proxy.audit.layout import segments
from proxy.audit.writing.log import Log
from proxy.audit.writing.opening import open_log
from proxy.core.action import Done, Note
from proxy.core.message import Direction, Kind
from tests.audit.logs import DAY, SEED

SIGNER = Signer(SEED)
SECOND = 10**9
NOON = DAY * SECOND


def opened(directory: Path, **given: Any) -> Log:
    """A log in `directory`, signed by the key of the tests."""
    return open_log(directory, SIGNER, **given)


def event(log: Log, more: int = 0, t: int = NOON, route: str = "default") -> bytes:
    """The line of the event that comes `more` events after the last one in the log."""
    made = events.Limit(log=log.id, seq=log.seq + more, t=t, mono=0, route=route, reason="crowd", count=1)
    return events.encode(made) + b"\n"


def block(log: Log, count: int = 1, t: int = NOON, **given: Any) -> None:
    """Append a block of so many events."""
    log.append(b"".join(event(log, more, t) for more in range(count)), count, t, **given)


def lines(folder: Path) -> list[events.Event]:
    """All events of a log, read as plainly as can be."""
    found = []
    for segment in segments(folder):
        raw = segment.path.read_bytes()
        found += [events.decode(line) for line in (gzip.decompress(raw) if segment.sealed else raw).splitlines()]
    return found


class Disk:
    """Stands in the place of the disk. `room` bytes can still be written: then a write is short, and the next one
    fails with `error`. While `failing`, every sync does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self.error = errno.ENOSPC
        self.failing = False
        self.syncs = 0
        monkeypatch.setattr(storage, "write", self.write)
        monkeypatch.setattr(storage, "fdatasync", self.sync)

    def write(self, file: int, data: bytes) -> int:
        if self.room is None:
            return os.write(file, data)
        if not self.room:
            raise OSError(self.error, os.strerror(self.error))
        count = os.write(file, data[: self.room])
        self.room -= count
        return count

    def sync(self, file: int) -> None:
        self.syncs += 1
        if self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(file)


class Leg:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def written(self) -> None:
        self.told.set_result(True)

    def unwritten(self) -> None:
        self.told.set_result(False)


class Names:
    """Keys, as the journal knows them."""

    epoch = 3

    def client(self, address: str) -> str:
        return f"fp:{len(address):016x}"


def done(mode: str = "enforce", mark: bytes | None = None) -> Done:
    """A finding."""
    return Done("EMAIL_ADDRESS", "contact", "mask", "email", 17, 1.0, mode, mark)


def note(*findings: Done, verdict: str = "rewritten", **more: Any) -> Note:
    """What became of a text message on its way up."""
    given = {"direction": Direction.CLIENT_TO_UPSTREAM, "kind": Kind.TEXT, "cause": None, "digest": "ab" * 32}
    return Note(verdict=verdict, findings=findings, **{**given, **more})
