"""Logs made by hand in which values of people occur: with marks, and bodies where they are asked for."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from proxy.audit import bodies, events
from proxy.audit.marks import ROW, commitment
from proxy.audit.people.keys import Keys
from tests.audit.logs import HandMade, finding, message

MAIL = "EMAIL_ADDRESS"
ANNA, BOB = "anna.lee@example.com", "bob@example.org"


def nothing(done: int, of: int) -> None:
    """Nobody watches."""


class Peopled(HandMade):
    """A log in which values of people occur, under `keys`."""

    def __init__(self, directory: Path, keys: Keys, log: str = "3f9ac21b", number: int = 0) -> None:
        super().__init__(directory, log, number)
        self.keys = keys
        self.directory = directory

    def path(self, kind: str) -> Path:
        return self.folder / f"{self.name}.{kind}"

    def say(self, *values: str, sid: str = "0badcafe-1", body: bytes | None = None, **more: object) -> int:
        """One message in a block of its own, with these values in it. Returns its seq."""
        found = []
        with self.path("marks").open("ab") as marks:
            for place, value in enumerate(values):
                salt, mark = os.urandom(16), self.keys.mark(value, MAIL)
                found.append(finding(c=commitment(salt, mark)))
                marks.write(ROW.pack(self.seq, place, self.keys.epoch, salt, mark))
        given = {"f": found, "sid": sid, **more}
        if body is not None:
            salt = os.urandom(16)
            given["body"] = bodies.commitment(salt, body)
            with self.path("bodies").open("ab") as kept:
                kept.write(bodies.row(self.seq, salt, body))
        self.block(message(self.seq + 1, **given))
        return self.seq - 1

    def stop(self) -> int:
        """An event without any finding."""
        self.block((events.Stop, {"run": "0badcafe"}))
        return self.seq - 1

    def seal(self) -> None:
        """Compress the segment and begin another."""
        path = self.path("jsonl")
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        self.rotate()


def bytes_of(directory: Path) -> bytes:
    """Every byte of every file, compressed ones unpacked as well."""
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    unpacked = [gzip.decompress(path.read_bytes()) for path in files if path.suffix == ".gz"]
    return b"\0".join([path.read_bytes() for path in files] + unpacked)
