"""Files of a log on a disk that may be full, broken or gone: growing ones, ones replaced as a whole, and locks.

What a file means is not known here. Every file is for its owner only. A full disk shows itself first as a short
write, without any error; whoever does not look at the count loses the end of a line.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from pathlib import Path
from typing import NoReturn

write, fdatasync = os.write, os.fdatasync
"""What brings bytes to a file, and to the disk: tests put a disk that fails in their place."""

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
ASKED = 3  # times, a millisecond apart
SMALL = 1 << 20  # bytes; the largest file of a few lines has 4,500


class LostError(OSError):
    """What we write to is not what is there any more: `what` was done to it. `says` is a sentence about it."""

    def __init__(self, what: str, path: Path) -> None:
        self.says = f"{path.name} was {what} by somebody; restart the proxy, which finds out what is left"
        super().__init__(errno.ESTALE, self.says, str(path))


class Tail:
    """A file that only grows, by whole pieces: a piece that it could not take leaves nothing of itself."""

    __slots__ = ("end", "file", "path", "synced", "unsure")

    def __init__(self, path: Path, end: int | None = None) -> None:
        """Continue `path`, cut at `end` if that is given, or begin it. Raises OSError."""
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        self.end = os.fstat(self.file).st_size if end is None else end
        self.synced = -1
        """How much of it a power cut leaves."""
        self.unsure = True
        """Whether it may end elsewhere."""
        try:
            self._cut()
        except OSError:
            os.close(self.file)
            raise

    def put(self, data: bytes) -> None:
        """Write all of `data`. After OSError nothing of it counts: it is to be put again."""
        if self.unsure:
            self._cut()
        try:
            count = write(self.file, data)
            while count < len(data):
                count += write(self.file, data[count:]) or self._refused()
        except OSError:
            self.unsure = True  # what was written of it is cut off now, or before the next piece
            with contextlib.suppress(OSError):
                self._cut()
            raise
        self.end += count

    def _refused(self) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _cut(self) -> None:
        size = os.fstat(self.file).st_size
        if size < self.end:
            raise LostError("cut", self.path)
        if size > self.end:
            os.ftruncate(self.file, self.end)
        self.unsure = False

    def sync(self) -> None:
        """Until what is written now survives a power cut. In any thread; OSError."""
        end = self.end
        if end != self.synced:
            about = os.fstat(self.file)
            if not about.st_nlink or about.st_size < end:
                raise LostError("cut" if about.st_nlink else "removed", self.path)
            fdatasync(self.file)
            self.synced = end

    def unsynced(self, end: int) -> bytes:
        """What a power cut may take of what stands before `end`. Raises OSError."""
        start = max(self.synced, 0)
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), end - start, start)

    def rewrite(self, data: bytes) -> None:
        """Put what is `unsynced` where it stands. A disk that failed to sync says so once: the next sync would
        succeed, and yet keep nothing of what is not written again. Raises OSError."""
        file = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            overwrite(file, data, max(self.synced, 0))
        finally:
            os.close(file)

    def close(self) -> None:
        """Nothing is written any more."""
        os.close(self.file)


def overwrite(file: int, data: bytes, place: int) -> None:
    """Put all of `data` over what stands from `place` on: even there, where nothing grows, a write may be short.
    Raises OSError."""
    done = 0
    while done < len(data):
        done += os.pwrite(file, data[done:] if done else data, place + done)


def replace(path: Path, content: bytes, draft: str = "new") -> None:
    """Make `path` hold `content`: the old or the new one is there, whole, whenever the power fails. OSError. Where
    several processes may do so at once, each needs a name of its own for the `draft`."""
    draft_path = path.with_name(f".{path.name}.{draft}")
    file = os.open(draft_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)
    draft_path.rename(path)


def content(path: Path) -> bytes:
    """What stands in a file of a few lines. OSError; also for what is no such file: a pipe would be waited for,
    and what somebody has blown up would take all memory."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_size > SMALL:
            raise OSError(errno.EINVAL, "no file of a few lines", str(path))
        return os.read(file, SMALL)
    finally:
        os.close(file)


def sync_directory(path: Path) -> None:
    """Until the names in it survive a power cut. OSError."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def make_directory(path: Path) -> None:
    """With those above it, for its owner only; also if it is there. OSError."""
    path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)


def lock(path: Path) -> int | None:
    """Hold the lock `path` until the descriptor is closed; None if somebody else does. OSError.

    Readers ask whether somebody does by sharing it for a moment: that is waited for.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        for _ in range(ASKED):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            time.sleep(0.001)
    except OSError:
        os.close(file)
        raise
    os.close(file)
    return None
