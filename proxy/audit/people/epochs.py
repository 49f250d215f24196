"""Files of keys: made whole or not at all, by whoever comes first; and the epochs of fingerprint keys among them.

    keys/                       0700; beside rules.key (proxy/pseudonyms/keys.py)
      audit-signing.key         32 bytes as 64 hex digits
      audit-epochs/
        1.key                   64 hex digits, a line `begun TIME`; zeros and a line `destroyed TIME` once shredded
        2.key                   the highest number is the present epoch

A destroyed key is overwritten where it lies, so its file stays as the record of its epoch and numbers are never
used twice. No sentence of this module holds a key.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from proxy.audit import storage

HEX_KEY = re.compile(rb"[0-9a-f]{64}")
LAST = 0xFFFF
"""Rows of marks have two bytes for the number of an epoch."""
_EPOCH = re.compile(rb"([0-9a-f]{64})\nbegun (\S+)\n(?:destroyed (\S+)\n?)?")
_NAME = re.compile(r"([1-9]\d*)\.key")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_ZEROS = b"0" * 64


class KeysError(ValueError):
    """Keys cannot be used or kept. The text says which, why and what to do, and holds none."""


class ReferredKeyError(KeysError):
    """What an operator named as the signing key (`env:NAME`, `file:PATH`) is none."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. `begun` and `destroyed` are Unix times in seconds; `key` is None once it was destroyed."""

    number: int
    begun: int
    key: bytes | None
    destroyed: int | None = None

    @property
    def check(self) -> str | None:
        """Tells this key from others, and nothing about it: 16 hex digits that events hold. None: destroyed."""
        if self.key is None:
            return None
        return blake2b(b"hushwire", key=self.key, digest_size=8, person=b"check").hexdigest()

    def __repr__(self) -> str:
        return f"Epoch({self.number})"  # never the key


def fresh() -> bytes:
    """A new secret: 32 random bytes as hex digits."""
    return os.urandom(32).hex().encode()


def make(path: Path, content: bytes) -> bool:
    """Write a file for its owner only, unless it is there; whether this call did. OSError.

    A link appears whole or not at all, and never replaces what another process has just made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
            storage.sync_directory(path.parent)
            return True
        return False
    finally:
        Path(draft).unlink()


class Epochs:
    """The epochs in a folder, which several processes may share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """Something that is another one when a key was made or destroyed: cheap enough to ask every second."""
        if not self.folder.is_dir():
            return ()
        with os.scandir(self.folder) as entries:
            stats = ((entry.name, entry.stat()) for entry in entries if _NAME.fullmatch(entry.name))
            return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))

    def read(self) -> list[Epoch]:
        """All of them in order, none if there is no folder. Raises KeysError for a damaged file."""
        try:
            return sorted(map(self._read, (name for name, _, _ in self.state())), key=lambda epoch: epoch.number)
        except OSError as error:
            raise KeysError(f"the keys in {self.folder} cannot be read ({error.strerror})") from None

    def _read(self, name: str) -> Epoch:
        path = self.folder / name
        number, match = int(name.partition(".")[0]), _EPOCH.fullmatch(storage.content(path))
        if match is None or number > LAST:
            raise KeysError(f"the key {path} is damaged; restore it from where you keep a copy")
        key, begun, destroyed = match.groups()
        gone = key == _ZEROS
        ended = seconds(path, destroyed) if destroyed else None
        return Epoch(number, seconds(path, begun), None if gone else bytes.fromhex(key.decode()), ended)

    def begin(self, number: int, now: float) -> bool:
        """Begin epoch `number`; False if somebody else has just done so. Raises KeysError."""
        if number > LAST:
            raise KeysError(f"there have been {LAST} epochs, and rows have no room for more")
        try:
            return make(self.folder / f"{number}.key", b"%s\nbegun %s\n" % (fresh(), stamp(now)))
        except OSError as error:
            raise KeysError(f"a key cannot be kept in {self.folder} ({error.strerror})") from None

    def destroy(self, number: int, now: float) -> None:
        """Overwrite the key of an epoch: nobody can make its fingerprints again. Raises KeysError."""
        path = self.folder / f"{number}.key"
        try:
            descriptor = os.open(path, os.O_RDWR)
            try:
                storage.overwrite(descriptor, _ZEROS, 0)
                os.fsync(descriptor)
                storage.overwrite(descriptor, b"destroyed %s\n" % stamp(now), os.fstat(descriptor).st_size)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            raise KeysError(f"there is no epoch {number}; hushwire keys status lists them") from None
        except OSError as error:
            raise KeysError(f"the key {path} cannot be overwritten ({error.strerror})") from None


def stamp(now: float) -> bytes:
    """A Unix time as it is written here."""
    return datetime.fromtimestamp(now, UTC).strftime(_TIME).encode()


def seconds(path: Path, written: bytes) -> int:
    """Back again."""
    try:
        return int(datetime.strptime(written.decode(), _TIME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise KeysError(f"the key {path} is damaged; restore it from where you keep a copy") from None
