"""Files replaced whole or not at all, and never under the hands of somebody who was faster.

Editors, ConfigMaps and people do not know the lock of here; they are only seen, by what the file says.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

MODE = 0o644  # of a file that was not there before


class ChangedError(Exception):
    """The file no longer says what the writer had read."""


def write_whole(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put `content` in the place of `path`, with the mode and, if allowed, the owner of what was there.

    Through a link: what it points to is replaced. Raises OSError.
    """
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            _dress(file.fileno(), path, mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - the name is a string
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)  # noqa: PTH108
        raise
    with _opened(path.parent) as folder:
        os.fsync(folder)


def _dress(descriptor: int, path: Path, mode: int | None) -> None:
    try:
        before = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, MODE if mode is None else mode)
        return
    with contextlib.suppress(PermissionError):  # somebody else's file in a folder of ours: now it is ours
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) if mode is None else mode)


def replace(contents: Mapping[Path, bytes], main: Path, expected: str | None) -> None:
    """Write `contents`, the file `main` as the last of them, if that still has the SHA-256 `expected` (None: if
    it is not there).

    Raises ChangedError if it has not (then nothing is written), OSError.
    """
    with locked(main.parent, fcntl.LOCK_EX):
        if digest_of(main) != expected:
            raise ChangedError
        for path in sorted(contents, key=lambda path: path == main):
            if digest_of(path) != sha256(contents[path]).hexdigest():
                write_whole(path, contents[path])


def digest_of(path: Path) -> str | None:
    """The SHA-256 of what `path` says now; None if that cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):  # ValueError: a zero byte in its name
        return None


@contextlib.contextmanager
def locked(folder: Path, how: int) -> Iterator[None]:
    """While no other process has `folder` locked. For writers LOCK_EX; whoever reads several files takes LOCK_SH,
    and never gets some of them old and some new. Raises OSError."""
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, how)  # given back when it is closed
        yield


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
