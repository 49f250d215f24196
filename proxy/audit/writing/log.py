"""One log and its one writer: blocks go to the open segment, and the tree grows with them.

`append` is called in one thread (the loop's) and never waits for a disk; `sync` may be called in any. What is
signed was on the disk before. Which log is continued, and from where, is told in opening.py and restore.py; what
an event says is not known here.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from proxy.audit import events
from proxy.audit.blocks import CUT
from proxy.audit.bodies import Bodies
from proxy.audit.checkpoint import Checkpoint, Signer
from proxy.audit.layout import Segment
from proxy.audit.storage import LostError, Tail, replace, sync_directory
from proxy.audit.tree import Frontier, leaf_hash
from proxy.audit.writing.leaves import Hashes, Leaves
from proxy.audit.writing.restore import Place, Restored

SEGMENT_SIZE = 64 << 20
DAY = 86_400_000_000_000  # nanoseconds


class LogError(Exception):
    """There can be no log here. The text says where, why, and what to do."""


Owed = tuple[bytes, int, bytes, bytes, int]
"""A block on its way: its bytes, how many events, rows of marks and of bodies that come before, its day. A tuple,
because every block is one for a moment: 0.02 us, against 0.25 for an object."""


class Log:
    """`id` names it; `seq` and `size` count its events and blocks; `repaired` bytes of a torn line were cut off
    when it was opened, and the last `adopted` events had no signature then; `folder` is where it lies; `written`
    counts bytes of blocks since it was opened."""

    def __init__(self, folder: Path, lock: int, restored: Restored, signer: Signer, segment_size: int) -> None:
        """Use `open_log`. `lock` is the descriptor that holds the lock. Raises OSError."""
        place = restored.place
        self.folder, self.id, self.written = folder, restored.log, 0
        self.repaired, self.adopted = restored.torn, restored.adopted
        self.seq = place.seq
        self.signed = restored.signed
        """How many blocks the newest checkpoint covers; -1: there is none."""
        self.settled = 0
        """The first segment that is not complete, on the disk, with all its leaves."""
        self.note = ""
        """The newest checkpoint that was signed here."""
        self.verifier = signer.verifier
        self._lock, self._signer, self._limit = lock, signer, segment_size
        self._tree = Frontier(place.size, place.peaks)
        self._owed: Owed | None = None
        self._state, self._syncing = threading.Lock(), threading.Lock()  # the first one is held for microseconds
        self._number, self._day, self._offset = place.segment, -1, place.offset
        self._file: Tail | None = None
        self._marks: Tail | None = None
        self._bodies: Bodies | None = None
        self._left: list[Tail | Bodies] = []  # of segments before, to be synced and closed
        self._failed = self._closed = False  # the last sync; the log
        self._named = True  # files were made whose names a power cut would lose
        self._leaves = Leaves(self._state)

    def go_on(self, segment: Segment, leaves: Tail, lacking: list[bytes], marks: Tail | None) -> None:
        """Continue an open segment, whose side files are given, and the `leaves` that are lacking. OSError."""
        self._file = Tail(segment.path, self._offset)
        self._day = -1 if segment.day is None else segment.day
        self._marks = marks
        self._leaves.go_on(leaves, lacking)

    def skip(self, segment: Segment) -> None:
        """Begin another segment behind one that is sealed."""
        self._number, self._offset = segment.number + 1, 0

    @property
    def size(self) -> int:
        """Blocks."""
        return self._tree.size

    @property
    def owing(self) -> bool:
        """Whether a block is not on the disk yet: `resume`, before anything else is appended."""
        return self._owed is not None

    # -- writing, in one thread ---------------------------------------------------------------------------

    def append(self, lines: bytes, count: int, t: int, marks: bytes = b"", bodies: bytes = b"") -> None:
        """Write `lines`, so many encoded events with a line feed each, as one block, behind its rows in the side
        files. `t` is the time of the first one (Unix, nanoseconds), whose day names a new segment.

        OSError says that the disk did not take it; the log has, and is `owing`.
        """
        assert self._owed is None, "what is owed comes first"
        self._owed = (b'{"b":%d,%s' % (self._tree.size, lines[1:]), count, marks, bodies, t // DAY)
        self.resume()

    def disown(self) -> None:
        """Forget what is owed: nothing of it was written. It must have had no rows in side files."""
        self._owed = None

    def resume(self) -> None:
        """Write what is owed. OSError as long as that is not possible."""
        if self._owed is None:
            return
        block, count, marks, bodies, day = self._owed
        file = self._file
        full = self._offset and self._offset + len(block) > self._limit
        if file is None or full or day > self._day or day < self._day - 1:
            file = self._next(day)
        if marks or bodies:
            self._put_rows(block, count, marks, bodies, day)
        file.put(block)
        leaf = leaf_hash(block)
        with self._state:
            self._owed = None
            self._tree.add(leaf)
            self._leaves.add(leaf)
            self._offset = file.end
            self.seq += count
        self.written += len(block)

    def _put_rows(self, block: bytes, count: int, marks: bytes, bodies: bytes, day: int) -> None:
        """Each of them once, however often the rest fails."""
        assert self._file is not None
        if marks:
            self._marks = self._marks or self._made(".marks")
            self._marks.put(marks)
            self._owed = (block, count, b"", bodies, day)
        if bodies:
            self._bodies = self._bodies or self._opened_bodies()
            self._bodies.append(bodies)
            self._owed = (block, count, b"", b"", day)

    def _next(self, day: int) -> Tail:
        """The next segment. Its day goes back if the clock was wrong by more than one: retention goes by it."""
        number, day = self._number + (self._file is not None), self._day if day == self._day - 1 else day
        stem = time.strftime("%Y%m%d", time.gmtime(day * 86_400)) + f"-{number:06}"
        file = Tail(self.folder / f"{stem}.jsonl")
        with self._state:
            self._left += [left for left in (self._file, self._marks, self._bodies) if left is not None]
            self._file, self._marks, self._bodies = file, None, None
            self._number, self._day, self._offset, self._named = number, day, 0, True
            self._leaves.begin(file.path)
        return file

    def _made(self, suffix: str) -> Tail:
        assert self._file is not None
        made = Tail(self._file.path.with_suffix(suffix))
        with self._state:
            self._named = True
        return made

    def _opened_bodies(self) -> Bodies:
        assert self._file is not None
        opened = Bodies.open(self._file.path.with_suffix(".bodies"), self.seq)
        with self._state:
            self._named = True
        return opened

    # -- the disk and the proof, in any thread ------------------------------------------------------------

    def sync(self, *, sign: bool = True) -> int:
        """Until what is written now survives a power cut; then its leaves are kept and, if we `sign`, a
        checkpoint. Returns how many blocks that are. Raises OSError."""
        with self._syncing:
            if self._closed:  # its descriptors may be another's by now
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            with self._state:
                place = Place(self._tree.size, self.seq, tuple(self._tree.peaks), self._number, self._offset)
                left = list(self._left)
                files = [file for file in (*left, self._marks, self._bodies, self._file) if file is not None]
                hashed = self._leaves.waiting()
                named, self._named = self._named, False
            try:
                self._check_ours()
                if self._failed:
                    self._write_again(place, files, hashed)
                for file in files:
                    file.sync()
                if named:
                    sync_directory(self.folder)
            except OSError:
                self._failed = True
                with self._state:
                    self._named |= named
                raise
            self._failed = False
            self._forget(left)
            self._leaves.keep(hashed)
            self.settled = place.segment
            if sign and self.signed != place.size:
                self._sign(place)
            return place.size

    def _check_ours(self) -> None:
        """A folder that was moved is looked after by nobody, and one without our lock may have another writer."""
        lock = self.folder / "lock"
        try:
            there, ours = lock.stat(), os.fstat(self._lock)
        except FileNotFoundError:
            raise LostError("removed", lock) from None
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise LostError("replaced", lock)

    def _write_again(self, place: Place, files: Sequence[Tail | Bodies], hashed: Sequence[Hashes]) -> None:
        """After a sync that failed; only what still reads as it was written."""
        waiting = dict(hashed)
        for file in files:
            if isinstance(file, Tail):
                data = file.unsynced(place.offset if file is self._file else file.end)
                if file.path.suffix == ".jsonl":
                    known = waiting.get(file.path.with_suffix(".leaves"), ())
                    found = tuple(leaf_hash(block) for block in split(data))
                    if found != known[len(known) - len(found) :]:
                        raise OSError(errno.EIO, "the disk has lost a part of the log")
                file.rewrite(data)

    def _forget(self, left: list[Tail | Bodies]) -> None:
        with self._state:
            del self._left[: len(left)]
        for file in left:
            file.close()

    def _sign(self, place: Place) -> None:
        """The checkpoint comes first: a frontier behind it helps nobody."""
        root = Frontier(place.size, place.peaks).root()
        note = self._signer.sign(Checkpoint(self.id, place.size, root, place.seq, int(time.time())))
        replace(self.folder / "checkpoint", note.encode())
        replace(self.folder / "frontier", place.text())
        self.note = note
        self.signed = place.size

    def close(self) -> None:
        """Sync, sign, and let others have the log. OSError: it was let go, but not everything is on the disk."""
        try:
            self.sync()
            sync_directory(self.folder)  # the checkpoint: what it admits to be erased, may be gone the next moment
        finally:
            with self._syncing:
                self._closed = True
                for file in (*self._left, self._file, self._marks, self._bodies, self._leaves):
                    if file is not None:
                        file.close()
                os.close(self._lock)


def split(data: bytes) -> list[bytes]:
    """The blocks of which `data` consists."""
    pieces = data[len(events.HEAD) : -1].split(CUT) if data else []
    return [b"%s%s\n" % (events.HEAD, piece) for piece in pieces]
