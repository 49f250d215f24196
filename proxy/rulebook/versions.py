"""Versions of rules that were in force: an old record can still be explained, and an old version be put back.

Content-addressed, in one directory, which others may not read (rule files can hold lists of names):

    files/SHA256               what a file said
    versions/DIGEST-KEY.json   which policy that was, when it went live, its files; KEY stands for the rule file

Everything is written whole or not at all, so several processes may write at once. What is kept is bounded.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from proxy.rulebook.disk import write_whole
from proxy.rulebook.files import File

log = logging.getLogger("hushwire")

KEEP = 100  # versions of one rule file
KEEP_ALL = 1000  # versions in all
YOUNG = 3600.0  # seconds that an unused file is left alone: somebody may be about to write who uses it


class VersionError(Exception):
    """There is no such version, or it cannot be put back any more. The text says why."""


@dataclass(frozen=True, slots=True)
class Version:
    """A policy by its digest, where and when it went live last (Unix time), and its files, the main one first."""

    digest: str
    name: str
    routes: tuple[str, ...]
    time: float
    files: tuple[File, ...]

    @property
    def main(self) -> Path:
        """The rule file."""
        return self.files[0].path

    def as_json(self) -> dict[str, object]:
        """The manifest, and what lists of versions show."""
        files = [{"path": str(file.path), "sha256": file.sha256} for file in self.files]
        return {
            "digest": self.digest,
            "name": self.name,
            "routes": [*self.routes],
            "time": self.time,
            "files": files,
        }


class Versions:
    """The versions in `folder`, which is made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._versions = folder / "versions"

    def keep(self, version: Version, contents: Mapping[Path, bytes]) -> None:
        """Keep `version`, and the `contents` of its files. Raises OSError."""
        for folder in (self._files, self._versions):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.parent.chmod(0o700)
        for path, expected in version.files:
            kept = self._files / expected
            if kept.exists():
                os.utime(kept)
            else:
                write_whole(kept, contents[path], mode=0o600)
        text = json.dumps(version.as_json(), indent=1).encode()
        write_whole(self._versions / f"{version.digest}-{_key(version.main)}.json", text, mode=0o600)
        self._prune()

    def all(self, main: Path | None = None) -> list[Version]:
        """What is kept (of the rule file `main`), the newest first."""
        pattern = f"*-{_key(main)}.json" if main is not None else "*.json"
        found = filter(None, map(_read, self._versions.glob(pattern)))
        return sorted(found, key=lambda version: -version.time)

    def find(self, digest: str, main: Path) -> Version:
        """The version of `main` whose digest begins with `digest`. Raises VersionError."""
        found = [version for version in self.all(main) if version.digest.startswith(digest.lower())]
        if len(found) == 1:
            return found[0]
        if not found:
            raise VersionError(f"no version of {main} is kept whose digest begins with that")
        raise VersionError(f"{len(found)} versions begin with that; write more of the digest")

    def contents(self, version: Version) -> dict[Path, bytes]:
        """What each file of `version` said. Raises VersionError."""
        return {file.path: self._content(file) for file in version.files}

    def _content(self, file: File) -> bytes:
        try:
            content = (self._files / file.sha256).read_bytes()
        except OSError as error:
            raise VersionError(f"what {file.path} said then cannot be read: {error.strerror}") from None
        if sha256(content).hexdigest() != file.sha256:
            raise VersionError(f"what {file.path} said then is damaged")
        return content

    def _prune(self) -> None:
        """Forget the oldest versions, and files that nobody mentions any more."""
        kept: list[Version] = []
        count: dict[Path, int] = {}
        for version in self.all():
            count[version.main] = count.get(version.main, 0) + 1
            if count[version.main] <= KEEP and len(kept) < KEEP_ALL:
                kept.append(version)
            else:
                (self._versions / f"{version.digest}-{_key(version.main)}.json").unlink(missing_ok=True)
        mentioned = {file.sha256 for version in kept for file in version.files}
        for path in _older(self._files.iterdir(), time.time() - YOUNG):
            if path.name not in mentioned:
                path.unlink(missing_ok=True)


def state_directory() -> Path:
    """Where versions are kept by default (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path("~/.local/state").expanduser()) / "hushwire" / "rules"


def _key(main: Path) -> str:
    return sha256(os.fsencode(main)).hexdigest()[:16]


def _read(path: Path) -> Version | None:
    try:
        data = json.loads(path.read_bytes())
        files = tuple(File(Path(file["path"]), file["sha256"]) for file in data["files"])
        return Version(data["digest"], data["name"], tuple(data["routes"]), data["time"], files)
    except FileNotFoundError:
        return None  # another process forgot it just now
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("a kept version of rules cannot be read: %s", type(error).__name__)
        return None


def _older(paths: Iterable[Path], when: float) -> Iterator[Path]:
    for path in paths:
        try:
            if path.stat().st_mtime < when:
                yield path
        except FileNotFoundError:
            continue  # another process was faster
