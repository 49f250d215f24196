"""Vectorscan databases: compiled from triggers, or read from a cache. Only gate_vectorscan.py uses them.

How regexes become a database is compiling.py's matter.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hyperscan
from hyperscan._version import __version__ as version

from proxy.detect import compiling
from proxy.detect.gate import GateError
from proxy.detect.triggers import spelt

log = logging.getLogger("hushwire")

SMALL = 2000  # characters of regexes that are compiled before another process would have begun
LIMIT = 300.0  # seconds for one database, which takes 1 to 3 of a free core

_FLAGS = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE

Found = tuple[hyperscan.Database, set[int]]
"""A database, and the regexes (as places in their list) that are not in it: no engine takes them."""


class Wanted:
    """One database of `regexes`, whose places in the list are the ids.

    With `beyond_ascii` it scans UTF-8, else ASCII. `only` some places, if given, are in it. `anonymous`: all have
    id 0, so that the engine may put them together, and scans a quarter faster.
    """

    def __init__(
        self,
        regexes: Sequence[str],
        *,
        only: Sequence[int] | None = None,
        beyond_ascii: bool = False,
        anonymous: bool = False,
    ) -> None:
        self.numbers = range(len(regexes)) if only is None else only
        self.regexes: dict[int, str] = {}
        for number in self.numbers:
            with contextlib.suppress(ValueError):  # cannot be spelt for this engine: told as not taken
                self.regexes[number] = spelt(regexes[number], beyond_ascii)
        self.flags = _FLAGS | (hyperscan.HS_FLAG_UTF8 if beyond_ascii else 0)
        self.anonymous = anonymous
        made_by = f"{version} {hyperscan.HS_MODE_BLOCK} {self.flags} {anonymous} {platform.machine()}"
        written = repr((made_by, sorted(self.regexes.items())))
        self.digest = hashlib.sha256(written.encode()).hexdigest()[:32]

    def obtain(self, cache: Path | None) -> Found:
        """From `cache`, or else compiled. Raises GateError."""
        return self.read(cache) or self.compile(cache)

    def read(self, cache: Path | None) -> Found | None:
        """From `cache`: < 1 ms. None if it is not there, or was damaged, or made for something else."""
        if cache is None:
            return None
        try:
            with self._path(cache).open("rb") as file:
                if file.read(len(self.digest)) != self.digest.encode():
                    raise ValueError
                # checks a sum of its own
                return hyperscan.loadb(file.read(), hyperscan.HS_MODE_BLOCK), set(self.numbers) - set(self.regexes)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, hyperscan.error) as error:
            log.warning("a kept gate is of no use and compiled anew: %s", type(error).__name__)
            return None

    def compile(self, cache: Path | None) -> Found:
        """Anew, and into `cache`: up to some seconds. Raises GateError."""
        if self.small:
            database, taken = compiling.compiled(self.regexes, self.flags, self.anonymous)
            content = hyperscan.dumpb(database)
        else:
            content, taken = _elsewhere(self.regexes, self.flags, self.anonymous)
            database = hyperscan.loadb(content, hyperscan.HS_MODE_BLOCK)
        if cache and len(taken) == len(self.regexes):  # the name stands for all of them
            _write(self._path(cache), self.digest.encode() + content)
        return database, set(self.numbers) - taken

    @property
    def effort(self) -> int:
        """About how long it takes to compile, in characters of regexes; UTF-8 takes half as long again."""
        characters = sum(map(len, self.regexes.values()))
        return characters * 3 // 2 if self.flags & hyperscan.HS_FLAG_UTF8 else characters

    @property
    def small(self) -> bool:
        """Whether it is compiled in this process."""
        return self.effort <= SMALL

    def _path(self, cache: Path) -> Path:
        return cache / f"gate-{self.digest}.db"


def databases(wanted: Sequence[Wanted], cache: Path | None = None) -> list[Found]:
    """All of them, in order. What is not kept in the directory `cache` is compiled, as many at a time as there are
    cores, while other processes that start wait for it. Raises GateError."""
    found = [one.read(cache) for one in wanted]
    if all(found):
        return [one for one in found if one]
    if not all(one.small for one in wanted):
        log.info("compiling the rules: some seconds, once")
    with _alone(cache) as usable, ThreadPoolExecutor(_cores()) as pool:
        longest_first = sorted(wanted, key=lambda one: one.effort, reverse=True)
        made = {one: pool.submit(one.obtain, usable) for one in longest_first}
        return [made[one].result() for one in wanted]


def _elsewhere(regexes: Mapping[int, str], flags: int, anonymous: bool) -> tuple[bytes, set[int]]:
    """What `compiling.compiled` returns, serialized, from a process of its own. Raises GateError."""
    job = json.dumps([list(regexes.items()), flags, anonymous]).encode()
    # -P: none of our modules is meant when that process imports one of the standard library
    command = [sys.executable, "-P", str(compiling.__file__)]
    try:
        done = subprocess.run(command, input=job, capture_output=True, timeout=LIMIT, check=False)  # noqa: S603
    except OSError as error:
        raise GateError(f"no process could be started to compile the rules: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise GateError(f"compiling the rules took more than {LIMIT:g} seconds: it needs a free core") from None
    if done.returncode < 0:
        signalled = f"signal {-done.returncode}; it needs 100 MB of memory for some seconds"
        raise GateError(f"the process that compiled the rules was ended by {signalled}")
    taken, _, content = done.stdout.partition(b"\n")
    if done.returncode or not content:
        # its last line would be an exception whose text may quote a rule
        raise GateError(
            f"the process that compiled the rules failed (exit code {done.returncode}): {' '.join(command)}"
        )
    return content, set(json.loads(taken))


@contextlib.contextmanager
def _alone(cache: Path | None) -> Iterator[Path | None]:
    """Compile alone: whoever comes second finds in `cache` what the first has made. A lock ends with its owner.

    Without a directory, or with one that cannot be used (None then), everybody compiles.
    """
    with contextlib.ExitStack() as stack:
        if cache is not None:
            try:
                cache.mkdir(mode=0o700, parents=True, exist_ok=True)
                fcntl.flock(stack.enter_context((cache / "lock").open("wb")), fcntl.LOCK_EX)
            except OSError as error:
                log.warning(
                    "the gate is compiled again at the next start: %s", error.strerror or type(error).__name__
                )
                cache = None
        yield cache


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write(path: Path, content: bytes) -> None:
    """Keep `content` at `path`, whole or not at all: other processes may read at any time."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        log.warning("the gate is compiled again at the next start: %s", error.strerror or type(error).__name__)
