"""The process that digests segments for crew.py: a task on its standard input, an answer on its standard output,
until there is no more input. Imports little, for it is started while somebody waits: 0.1 s.

Both are MessagePack, with their lengths before them. What cannot be read is an answer too. Whoever asks decides
what becomes of it, and ends it.
"""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any, TypeVar

import msgspec

from proxy.audit.proof.digest import Digest, Task, digest

LENGTH = Struct("<I")
T = TypeVar("T")


@dataclass
class Answer:
    """What came out of a task; or `failed`, the number of an error of the system and the file it is about."""

    digest: Digest | None = None
    failed: tuple[int, str] | None = None


def encoded(what: Task | Answer) -> bytes:
    """As it goes through a pipe."""
    body = msgspec.msgpack.encode(what, enc_hook=_path_as_bytes)
    return LENGTH.pack(len(body)) + body


def decoded(body: bytes, kind: type[T]) -> T:
    """Behind its length."""
    return msgspec.msgpack.decode(body, type=kind, dec_hook=_path_of_bytes)


def _path_as_bytes(path: Any) -> bytes:
    return os.fsencode(path)  # which may be no UTF-8


def _path_of_bytes(_: type, written: bytes) -> Path:
    return Path(os.fsdecode(written))


def answered(task: Task) -> Answer:
    """What came out, or why nothing did."""
    try:
        return Answer(digest(task))
    except OSError as error:
        if error.errno is None:
            raise
        return Answer(failed=(error.errno, os.fsdecode(error.filename or task.segment.path)))


def main() -> None:
    """Until there is no more to do."""
    gc.disable()  # there are no cycles; an eighth of the time of a log with fingerprints
    with os.fdopen(0, "rb") as tasks, os.fdopen(1, "wb") as answers:
        while head := tasks.read(LENGTH.size):
            task = decoded(tasks.read(*LENGTH.unpack(head)), Task)
            try:
                answers.write(encoded(answered(task)))
                answers.flush()
            except BrokenPipeError:
                os._exit(0)  # nobody waits for it any more


if __name__ == "__main__":
    main()
