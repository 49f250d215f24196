"""Finished segments are compressed (gzip, which every machine can read): 12 times smaller, side files stay as are.

Whenever this is interrupted, the segment is there: plain until the compressed one is on the disk and proven to be
the same. Done in a thread of its own: zlib lets others run meanwhile.
"""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

from proxy.audit.layout import Segment, segments
from proxy.audit.storage import PRIVATE_FILE, sync_directory

CHUNK = 1 << 20


class SealError(Exception):
    """What was compressed is not what stands in the segment, which stays plain."""


def finished(folder: Path, number: int) -> list[Segment]:
    """The segments before `number` that are not compressed."""
    return [segment for segment in segments(folder) if segment.number < number and not segment.sealed]


def seal(segment: Segment) -> Segment:
    """Compress one: 64 MiB in about a second. Raises OSError and SealError."""
    plain = segment.path
    sealed = plain.with_name(f"{plain.name}.gz")
    draft = plain.with_name(f".{sealed.name}.{os.getpid()}.new")
    for left in plain.parent.glob(f".{sealed.name}.*.new"):
        left.unlink()
    try:
        _compress(plain, draft)
        if not _same(plain, draft):
            raise SealError
        draft.rename(sealed)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(plain.parent)  # the new name, before the old one goes
    plain.unlink()
    return Segment(segment.number, sealed)


def _compress(plain: Path, draft: Path) -> None:
    """The time in gzip's header would tell nothing, and the name is the file's."""
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(file, "wb") as raw:
        with plain.open("rb") as read, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            shutil.copyfileobj(read, packed, CHUNK)
        raw.flush()
        os.fsync(file)


def _same(plain: Path, draft: Path) -> bool:
    with plain.open("rb") as before, gzip.open(draft) as after:
        while chunk := before.read(CHUNK):
            if after.read(CHUNK) != chunk:
                return False
        return not after.read(1)
