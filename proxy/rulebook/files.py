"""Files as they were when rules were made of them: each is read once, and what was read is written down.

A candidate's contents stand in for files that do not say so yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

NOTHING: Mapping[Path, bytes] = {}


class File(NamedTuple):
    """A file as it was when it was read."""

    path: Path
    sha256: str


class Unreadable(Exception):  # noqa: N818 - told to the user as a fault
    """A file that cannot be read; `code` is that of the fault, `line` its place (0: unknown), the text why."""

    def __init__(self, code: str, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.code, self.line = code, line


class Files:
    """The files of one policy, in the order in which they were asked for. `instead` is by absolute path."""

    def __init__(self, instead: Mapping[Path, bytes] = NOTHING) -> None:
        self._instead = instead
        self.asked: dict[Path, str | None] = {}
        """The SHA-256 of every file that was asked for, by absolute path; None: it could not be read."""
        self._read: dict[Path, tuple[Path, bytes]] = {}

    def text(self, path: Path) -> str:
        """What `path` says. Raises Unreadable."""
        whole = path.absolute()
        if whole not in self._read:
            self.asked[whole] = None
            self._read[whole] = (path, self._content(path))
            self.asked[whole] = sha256(self._read[whole][1]).hexdigest()
        content = self._read[whole][1]
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise Unreadable("E002", f"not UTF-8 at byte {error.start}", line) from None

    def lines(self, path: Path) -> list[str]:
        """The values that a list says, one a line; empty for lines without, which are comments (#) or empty.

        Raises Unreadable.
        """
        stripped = map(str.strip, self.text(path).split("\n"))
        return ["" if line.startswith("#") else line for line in stripped]

    def _content(self, path: Path) -> bytes:
        if path.absolute() in self._instead:
            return self._instead[path.absolute()]
        try:
            return path.read_bytes()
        except OSError as error:
            raise Unreadable("E001", f"cannot be read: {error.strerror}") from None
        except ValueError:  # a zero byte in its name
            raise Unreadable("E001", "cannot be read: this is no path") from None

    @property
    def read(self) -> tuple[File, ...]:
        """All of them."""
        return tuple(File(path, self.asked[whole] or "") for whole, (path, _) in self._read.items())

    @property
    def contents(self) -> Mapping[Path, bytes]:
        """What they said, by absolute path."""
        return {whole: content for whole, (_, content) in self._read.items()}
