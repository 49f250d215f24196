"""Vectorscan databases: compiled from triggers, or read from a cache. Only gate.py uses them."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hyperscan
from hyperscan._version import __version__ as version

from proxy.detect.triggers import spelt

log = logging.getLogger(__name__)

_FLAGS = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE


def database(
    regexes: Sequence[str], *, beyond_ascii: bool = False, anonymous: bool = False, cache: Path | None = None
) -> tuple[hyperscan.Database, set[int]]:
    """One database of `regexes`, whose places in the list are the ids; and those that it could not take.

    With `beyond_ascii` it scans UTF-8, else ASCII. `anonymous`: all have id 0, so that the engine may put them
    together, and scans a quarter faster. Compiling takes 0.1 to some seconds, reading < 1 ms.
    """
    good: dict[int, bytes] = {}
    for number, regex in enumerate(regexes):
        try:
            good[number] = spelt(regex, beyond_ascii).encode()
        except ValueError:
            continue
    flags = _FLAGS | (hyperscan.HS_FLAG_UTF8 if beyond_ascii else 0)
    digest = _digest(good, flags, anonymous)
    kept = cache / f"gate-{digest}.db" if cache else None
    found = _read(kept, digest) if kept else None
    if found is None:
        try:
            found = _compile(good, flags, anonymous)
        except hyperscan.error:
            good = {number: regex for number, regex in good.items() if _compiles(number, regex, flags)}
            found = _compile(good, flags, anonymous)
            kept = None  # named after all of them
        if kept:
            _write(kept, digest.encode() + hyperscan.dumpb(found))
    return found, set(range(len(regexes))) - set(good)


def _compile(regexes: dict[int, bytes], flags: int, anonymous: bool = False) -> hyperscan.Database:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    ids = [0] * len(regexes) if anonymous else list(regexes)
    made.compile(list(regexes.values()), ids, len(regexes), [flags] * len(regexes))
    return made


def _compiles(number: int, regex: bytes, flags: int) -> bool:
    try:
        _compile({number: regex}, flags)
    except hyperscan.error:
        return False
    return True


def _digest(regexes: dict[int, bytes], flags: int, anonymous: bool) -> str:
    made_by = f"{version} {hyperscan.HS_MODE_BLOCK} {flags} {anonymous} {platform.machine()}"
    return hashlib.sha256(repr((made_by, sorted(regexes.items()))).encode()).hexdigest()[:32]


def _read(path: Path, digest: str) -> hyperscan.Database | None:
    """What is kept at `path`; None if nothing is, or if it was damaged, or made of or for something else."""
    try:
        content = path.read_bytes()
        if content.startswith(digest.encode()):
            return hyperscan.loadb(content[len(digest) :], hyperscan.HS_MODE_BLOCK)  # checks a sum of its own
        raise ValueError
    except FileNotFoundError:
        return None
    except (OSError, ValueError, hyperscan.error) as error:
        log.warning("a kept gate is of no use and compiled anew: %s", type(error).__name__)
        return None


def _write(path: Path, content: bytes) -> None:
    """Keep `content` at `path`, whole or not at all: several processes may start at once."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        log.warning("the gate is compiled again at the next start: %s", error.strerror or type(error).__name__)
