"""Who may change what lies in an audit directory besides its writers: one at a time.

Erasing rows, making and removing the files that find them, and placing holds take turns through a lock (flock) on
`tend.lock`. Writers of logs do not: they append only, and retention asks for holds in a turn of its own.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(directory: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn: `alone` to change something, else together with other readers. Raises OSError."""
    file = os.open(directory / "tend.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)
