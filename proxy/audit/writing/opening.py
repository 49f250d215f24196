"""Which log of a directory a writer takes: the first one that is free and fit; a new one if there is none."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from proxy.audit import storage
from proxy.audit.blocks import Reading
from proxy.audit.checkpoint import CheckpointError, Signer, Verifier
from proxy.audit.layout import Segment, segments
from proxy.audit.marks import ROW
from proxy.audit.storage import Tail
from proxy.audit.tree import leaf_hash
from proxy.audit.writing.log import SEGMENT_SIZE, Log, LogError
from proxy.audit.writing.restore import Hashed, Restored, UnfitError, restore

log = logging.getLogger("hushwire")

SIDES = ("leaves", "marks", "bodies")


def open_log(directory: Path, signer: Signer, *, segment_size: int = SEGMENT_SIZE) -> Log:
    """Continue the first log of `directory` that nobody holds and that is what its checkpoint says, or begin one.

    A log that is not is left as it is, and said so. Raises LogError.
    """
    try:
        storage.make_directory(directory)
        publish(directory / "public.key", signer.verifier)
        for number in count():
            if opened := _take(directory / f"log-{number}", signer, segment_size):
                storage.sync_directory(directory)  # its name, and that of the key
                return opened
    except OSError as error:
        raise LogError(
            f"no audit log can be kept in {directory} ({error.strerror}); let it be a directory that this user may"
            " write to, or name another one with --audit DIR"
        ) from None
    raise AssertionError("numbers have no end")


def publish(path: Path, verifier: Verifier) -> None:
    """Let everybody check what we sign. One directory has one key. Raises LogError, OSError."""
    if not path.exists():
        storage.replace(path, verifier.vkey.encode() + b"\n", f"{os.getpid()}.new")  # workers begin together
    try:
        published = Verifier.parse(path.read_text())
    except (CheckpointError, UnicodeDecodeError):
        raise LogError(f"{path} is not a verifier key; restore it, or name another directory") from None
    if published.public != verifier.public:
        raise LogError(
            f"{path} belongs to another signing key than ours; give the key that this audit was begun with, or"
            " name another directory with --audit DIR"
        )


def _take(folder: Path, signer: Signer, segment_size: int) -> Log | None:
    """The log in `folder`, or None if another one has to be taken."""
    storage.make_directory(folder)
    lock = storage.lock(folder / "lock")
    if lock is None:
        return None
    try:
        restored = restore(folder, signer.verifier)
        _remove(restored.lost)
        opened = Log(folder, lock, restored, signer, segment_size)
        _continue(opened, restored)
        opened.sync(sign=restored.signed < 0)  # a log has a name first; what it adopts, `start` has to tell first
    except UnfitError as unfit:
        os.close(lock)
        why = str(unfit)
        log.error("audit: %s is left as it is and another log is written: %s", folder.name, why)
        return None
    except BaseException:
        os.close(lock)
        raise
    return opened


def _remove(lost: Sequence[Segment]) -> None:
    """The last one first: what a kill leaves of this is lost too."""
    for segment in reversed(lost):
        log.error("audit: %s is lost: a power cut has taken what stood before it", segment.path.name)
        for path in (segment.path, *map(segment.beside, SIDES)):
            path.unlink(missing_ok=True)


def _continue(opened: Log, restored: Restored) -> None:
    """Take up the open segment, with its side files as far as they belong to what is whole."""
    last = next(reversed(segments(opened.folder)), None)
    if last is None or last.number < restored.place.segment:
        return
    *before, (_, known, leaves) = map(_leaves, restored.hashed)
    for segment, first, lacking in before:
        file = Tail(segment.beside("leaves"), first * 32)
        file.put(b"".join(lacking))
        file.close()
    if last.sealed:
        opened.skip(last)
    else:
        opened.go_on(last, Tail(last.beside("leaves"), known * 32), leaves, _marks(last, opened.seq))


def _leaves(hashed: Hashed) -> Hashed:
    """With all hashes that the segment's file lacks."""
    segment, known, leaves = hashed
    path = segment.beside("leaves")
    if known * 32 <= (path.stat().st_size if path.exists() else 0):
        return hashed
    every = [leaf_hash(block.data) for block in Reading(segment)]
    return Hashed(segment, 0, every[: known + len(leaves)])


def _marks(segment: Segment, seq: int) -> Tail | None:
    """Without the rows of events that were never written."""
    path = segment.beside("marks")
    if not path.exists():
        return None
    rows = path.read_bytes()
    end = len(rows) // ROW.size * ROW.size
    while end and ROW.unpack_from(rows, end - ROW.size)[0] >= seq:
        end -= ROW.size
    return Tail(path, end)
