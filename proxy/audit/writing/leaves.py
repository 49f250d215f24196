"""The hashes of blocks on their way into the `leaves` file of their segment.

A hash comes to its file after its block is on the disk, so no file ever has more hashes than its segment blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from proxy.audit.storage import Tail


class Hashes(NamedTuple):
    """Of blocks in one segment, for its file."""

    path: Path
    leaves: tuple[bytes, ...]


class Leaves:
    """Added in the writer's thread, under its lock; kept in the thread that syncs."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._waiting: list[tuple[Path, list[bytes]]] = []  # the last one is of the open segment
        self._file: Tail | None = None

    def go_on(self, file: Tail, leaves: Sequence[bytes]) -> None:
        """Continue a file, which lacks these."""
        self._file = file
        self._waiting.append((file.path, list(leaves)))

    def begin(self, segment: Path) -> None:
        """What is added from now on belongs to another segment."""
        self._waiting.append((segment.with_suffix(".leaves"), []))

    def add(self, leaf: bytes) -> None:
        """Of the next block."""
        self._waiting[-1][1].append(leaf)

    def waiting(self) -> list[Hashes]:
        """What stands in no file yet, in the order of the log."""
        return [Hashes(path, tuple(leaves)) for path, leaves in self._waiting]

    def keep(self, hashed: Sequence[Hashes]) -> None:
        """Append to their files what was `waiting`. Raises OSError: the rest waits on."""
        for index, (path, leaves) in enumerate(hashed):
            if self._file is None or self._file.path != path:
                self.close()
                self._file = Tail(path, 0)
            self._file.put(b"".join(leaves))
            with self._lock:
                del self._waiting[0][1][: len(leaves)]
                if index + 1 < len(hashed):
                    del self._waiting[0]

    def close(self) -> None:
        """Nothing is kept any more."""
        if self._file is not None:
            self._file.close()
            self._file = None
