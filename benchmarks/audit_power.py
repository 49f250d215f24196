"""What a power cut may leave of a directory: of each file what was synced, and any part of what came behind.

`Disk` watches this process' own fsync, fdatasync, rename and unlink. `cut` makes a copy as the machine may find it
afterwards: a file may end anywhere behind what was synced; one that was never synced may be gone; a rename or a
removal holds for sure only once the directory was synced. What the kernel keeps back is all that is imagined here:
files, calls and bytes are real.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from proxy.audit import storage

CALLS = ("fsync", "fdatasync", "rename", "replace", "unlink", "remove")


class Disk:
    """Made for one directory; a context manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.synced: dict[Path, int] = {}
        """Bytes of a file that are there after a power cut."""
        self.before: dict[Path, bytes | None] = {}
        """What a name held before it was last changed (None: nothing), while that is not for sure."""
        self.syncs = 0
        self.real: dict[str, Callable[..., Any]] = {}
        self.lock = threading.RLock()

    def __enter__(self) -> Disk:
        for name in CALLS:
            self.real[name] = getattr(os, name)
            setattr(os, name, getattr(self, f"_{name}"))
        storage.fdatasync = os.fdatasync  # which it had taken before
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        for name, call in self.real.items():
            setattr(os, name, call)
        storage.fdatasync = os.fdatasync

    def _fsync(self, file: int, name: str = "fsync") -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        size = os.fstat(file).st_size
        self.real[name](file)
        with self.lock:
            self.syncs += 1
            if path.is_dir():
                self.before = {known: held for known, held in self.before.items() if known.parent != path}
            else:
                self.synced[path] = size

    def _fdatasync(self, file: int) -> None:
        self._fsync(file, "fdatasync")

    def _rename(self, source: Any, target: Any, name: str = "rename") -> None:
        old, new = Path(source), Path(target)
        with self.lock:
            self._remember(old)
            self._remember(new)
            self.real[name](source, target)
            if old in self.synced:
                self.synced[new] = self.synced.pop(old)

    def _replace(self, source: Any, target: Any) -> None:
        self._rename(source, target, "replace")

    def _unlink(self, path: Any, *, dir_fd: int | None = None, name: str = "unlink") -> None:
        with self.lock:
            if dir_fd is None:
                self._remember(Path(path))
                self.synced.pop(Path(path), None)
            self.real[name](path, dir_fd=dir_fd)

    def _remove(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._unlink(path, dir_fd=dir_fd, name="remove")

    def _remember(self, path: Path) -> None:
        """What is sure of the file, for the case that its name goes back to it."""
        if self.directory in path.parents:
            held = path.read_bytes()[: self.synced.get(path, 0)] if path.exists() else None
            self.before.setdefault(path, held)

    def cut(self, target: Path, dice: random.Random) -> None:
        """Copy what a power cut now may leave to `target`."""
        with self.lock:
            for path in sorted({*self.directory.rglob("*"), *self.before}):
                if path.is_dir():
                    continue
                left = self._left(path, dice)
                if left is not None:
                    copy = target / path.relative_to(self.directory)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_bytes(left)

    def _left(self, path: Path, dice: random.Random) -> bytes | None:
        if path in self.before and (not path.exists() or dice.random() < 0.5):
            return self.before[path]
        data = path.read_bytes()
        sure = self.synced.get(path)
        if sure is None and dice.random() < 0.3:
            return None
        return data[: dice.randint(min(sure or 0, len(data)), len(data))]
