"""Who may change what lies in an audit directory besides its writers: one at a time.

Erasing rows, making and removing the files that find them, and placing holds take turns through a lock (flock) on
`tend.lock`. Writers of logs do not: they append only, and retention asks for holds in a turn of its own.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(directory: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn: `alone` to change something, else together with other readers, who need not be able to
    write here. Raises OSError."""
    file = _lock(directory / "tend.lock", alone=alone)
    if file is None:
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


def _lock(path: Path, *, alone: bool) -> int | None:
    """None for a reader where nobody has ever changed anything, and he cannot make the file."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
    except OSError as error:
        if alone or error.errno not in (errno.EROFS, errno.EACCES):
            raise
    try:
        return os.open(path, os.O_RDONLY | flags)
    except FileNotFoundError:
        return None
