"""Anchors: places outside of the log where its signed checkpoints are kept too, so that nobody can make it anew.

    file:DIR    one file per log that only grows, `3f9ac21b.notes`: put DIR on another volume (in here)
    git:DIR     one file per log with the newest checkpoint; older ones are the history (anchors_git.py)
    tsa:URL     time stamps of an authority, RFC 3161; kept beside the logs (anchors_tsa.py)

An anchor is as good as the distance to whoever can write the log. Putting may block: never call it on the loop.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Protocol

from proxy.audit.checkpoint import ORIGIN
from proxy.audit.verdict import Anchored

KINDS = "file:DIR, git:DIR or tsa:URL"
SUFFIX = ".notes"
BEGIN = re.compile(rf"^(?={ORIGIN})", re.MULTILINE)


class AnchorError(Exception):
    """A checkpoint cannot be put there, or read from there. The text says where, why and what to do; `says` is as
    much of it as may be logged, without what others `said` (git, a hook of it, a server)."""

    def __init__(self, says: str, said: str = "") -> None:
        self.says = says
        printable = "".join(letter if letter.isprintable() else "?" for letter in said)
        super().__init__(f"{says}: {printable}" if said else says)


class Anchor(Protocol):
    """One place where checkpoints are kept."""

    name: str
    """How it was written: `file:/mnt/other`."""

    def put(self, note: str, log: str) -> None:
        """Keep the signed checkpoint `note` of a log, unless it is the newest there. Raises AnchorError."""

    def ready(self) -> None:
        """Make what is missing there, and see whether something can be kept, as far as this machine can tell.
        Raises AnchorError."""

    def notes(self, log: str) -> Sequence[Anchored]:
        """What is kept of a log, oldest first. Raises AnchorError."""

    def logs(self) -> Iterator[str]:
        """The ids of the logs of which something is kept. Raises AnchorError."""


def anchor(where: str, directory: Path, roots: Path | None = None) -> Anchor:
    """The anchor that `where` names, for the audit in `directory`; `roots` are the certificates (PEM) that a time
    stamp must lead to. Touches nothing yet. Raises AnchorError if it is spelt wrong or cannot be used."""
    kind, _, rest = where.partition(":")
    if kind == "file" and rest:
        return FileAnchor(Path(rest))
    if kind == "git" and rest:
        from proxy.audit.proof.anchors_git import GitAnchor  # noqa: PLC0415 - only who uses it needs git

        return GitAnchor(Path(rest))
    if kind == "tsa" and rest:
        from proxy.audit.proof.anchors_tsa import TsaAnchor  # noqa: PLC0415 - an extra

        return TsaAnchor(rest, directory, roots)
    raise AnchorError(f"'{where}' is no anchor; write {KINDS}")


class FileAnchor:
    """A directory with a file per log, notes one after the other."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.name = directory, f"file:{directory}"

    def put(self, note: str, log: str) -> None:
        """Append it. A note that a crash has cut stays, and is ended by a line feed."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path(log), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                _append(file, note.encode())
            finally:
                os.close(file)
        except OSError as error:
            raise self._failed("cannot be kept", error) from None

    def ready(self) -> None:
        """A file can be made in the directory."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.directory) as file:
                file.write(b".")
        except OSError as error:
            raise self._failed("cannot be kept", error) from None

    def notes(self, log: str) -> Sequence[Anchored]:
        """As they stand in the file."""
        try:
            text = self._path(log).read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed("cannot be read", error) from None
        return [Anchored(note, self.name) for note in split(text)]

    def logs(self) -> Iterator[str]:
        """By the names of the files."""
        try:
            names = sorted(path.name for path in self.directory.iterdir())
        except OSError as error:
            raise self._failed("cannot be read", error) from None
        yield from (name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def _path(self, log: str) -> Path:
        return self.directory / f"{log}{SUFFIX}"

    def _failed(self, what: str, error: OSError) -> AnchorError:
        return AnchorError(
            f"anchor {self.name}: checkpoints {what} there ({error.strerror}); is the volume mounted, and may this"
            " user use it?"
        )


def split(text: str) -> list[str]:
    """The notes in a file of notes; one that is not whole too."""
    return [note for note in BEGIN.split(text) if note]


def _append(file: int, note: bytes) -> None:
    size = os.fstat(file).st_size
    end = os.pread(file, len(note) + 1, max(0, size - len(note) - 1))
    if end.endswith(note):
        return
    rest = note if not end or end.endswith(b"\n") else b"\n" + note
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)
