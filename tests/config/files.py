"""What tests of hushwire.yaml share: a folder with files that a config may name, and configs in it."""

from __future__ import annotations

from pathlib import Path

from proxy.config import Config, read

ENVIRON = {"TOKENS": "one, two\nthree", "TOKEN": "s3cret", "EMPTY": " ,", "UMLAUT": "gehe\u00edm"}
SMALLEST = "version: 1\nroutes:\n  - {name: all, upstream: 'ws://service.test:9000'}\n"


def fill(folder: Path) -> Path:
    """Put the files there."""
    (folder / "token.txt").write_text("from-a-file\n")
    (folder / "rules").mkdir()
    (folder / "rules" / "mine.yaml").write_text("version: 1\n")
    return folder


def config(folder: Path, text: str) -> Config:
    """What a hushwire.yaml in `folder` says."""
    file = folder / "hushwire.yaml"
    file.write_text(text)
    return read(file, ENVIRON)
