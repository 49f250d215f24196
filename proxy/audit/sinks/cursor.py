"""How far each sink got: `ship-NAME.json` in the audit directory, written by whoever ships, read by everybody.

`ship-NAME.wanted` beside it says that a proxy is configured to ship there: retention then waits for that sink.
It is removed by hand only (`hushwire audit ship --forget NAME`), because a sink that was forgotten in a settings
file is no reason to lose events.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from proxy.audit.checkpoint import Checkpoint, CheckpointError
from proxy.audit.layout import logs
from proxy.audit.sinks.follow import Reached
from proxy.audit.sinks.place import Place
from proxy.audit.tree import Frontier

State = Literal["new", "even", "behind", "failing"]


class CursorError(Exception):
    """A cursor cannot be used; the text says which, why and what to do."""


class Shipped(msgspec.Struct, forbid_unknown_fields=True):
    """What one sink has of one log: events below `seq` in blocks below `size`, whose tree has `peaks` (hex).

    `t` is the time of the last of them (Unix, nanoseconds); `missed` were removed by retention before they were
    shipped.
    """

    seq: int
    size: int
    peaks: list[str]
    t: int = 0
    missed: int = 0

    def reached(self) -> Reached:
        """Raises ValueError if these are not the peaks of such a tree."""
        return Reached(self.seq, Frontier(self.size, map(bytes.fromhex, self.peaks)))


class Cursor(msgspec.Struct, forbid_unknown_fields=True):
    """A sink's progress, by the ids of logs. Times are Unix time in seconds: `since` when the state was entered,
    `even` when everything was there last, `saved` when this was written. `damaged` says by the folder of a log why
    that one is not shipped any more."""

    where: str
    logs: dict[str, Shipped] = msgspec.field(default_factory=dict)
    state: State = "new"
    problem: str = ""
    damaged: dict[str, str] = msgspec.field(default_factory=dict)
    since: float = 0.0
    even: float = 0.0
    saved: float = 0.0
    v: Literal[1] = 1


class Lag(NamedTuple):
    """How far a sink is behind what could be shipped. `seconds` is how long something has been waiting at most."""

    name: str
    where: str
    state: State
    problem: str
    wanted: bool
    shipped: int
    events: int
    seconds: float
    missed: int
    since: float


def enlist(directory: Path, places: list[Place]) -> list[str]:
    """Have retention wait for these sinks from now on. Returns the names of others that it waits for, too."""
    for place in places:
        (directory / f"ship-{place.name}.wanted").touch(mode=0o600)
        if not exists(directory, place.name):
            save(directory, place.name, Cursor(place.where, since=time.time(), even=time.time()))
    mine = {place.name for place in places}
    return sorted(name for name in _wanted(directory) if name not in mine)


def forget(directory: Path, name: str) -> None:
    """Wait for that sink no more, and forget how far it got; while nobody ships there (`alone`)."""
    for kind in ("wanted", "json", "lock"):
        (directory / f"ship-{name}.{kind}").unlink(missing_ok=True)


def shipped(directory: Path, log: str) -> int | None:
    """For retention: events of `log` below this are at every sink that is waited for; None if none is.

    Raises CursorError, and then nothing may be pruned.
    """
    reached = [
        cursor.logs[log].seq if log in cursor.logs else 0
        for name in _wanted(directory)
        for cursor in (load(directory, name),)
    ]
    return min(reached, default=None)


def lags(directory: Path) -> list[Lag]:
    """By sink, wanted ones first: for metrics and people. Does not need the shipper, which may be hanging.

    Raises CursorError.
    """
    covered = dict(_covered(directory))
    names = sorted(_named(directory, "json"))
    wanted = _wanted(directory)
    found = [_lag(name, load(directory, name), covered, name in wanted) for name in names]
    return sorted(found, key=lambda lag: not lag.wanted)


def _lag(name: str, cursor: Cursor, covered: dict[str, int], wanted: bool) -> Lag:
    known = cursor.logs
    events = sum(max(0, seq - (known[log].seq if log in known else 0)) for log, seq in covered.items())
    last = max([cursor.even, *(log.t / 1e9 for log in known.values())])
    problems = [cursor.problem, *(f"{folder}: {why}" for folder, why in cursor.damaged.items())]
    return Lag(
        name=name,
        where=cursor.where,
        state=cursor.state,
        problem="; ".join(filter(None, problems)),
        wanted=wanted,
        shipped=sum(log.seq - log.missed for log in known.values()),
        events=events,
        seconds=max(0.0, time.time() - last) if events and last else 0.0,
        missed=sum(log.missed for log in known.values()),
        since=cursor.since,
    )


def _covered(directory: Path) -> Iterator[tuple[str, int]]:
    """(log, events that its checkpoint covers). Not verified: whoever ships does that."""
    for folder in logs(directory):
        with contextlib.suppress(FileNotFoundError, CheckpointError):  # there is none yet, or verify says so
            text = (folder / "checkpoint").read_text(errors="replace").partition("\n\n")[0]
            checkpoint = Checkpoint.parse(text + "\n")
            yield checkpoint.log, checkpoint.seq


def _wanted(directory: Path) -> set[str]:
    return _named(directory, "wanted")


def _named(directory: Path, kind: str) -> set[str]:
    """The sinks that have such a file."""
    return {file.stem.removeprefix("ship-") for file in directory.glob(f"ship-*.{kind}")}


def _file(directory: Path, name: str) -> Path:
    return directory / f"ship-{name}.json"


def exists(directory: Path, name: str) -> bool:
    """Whether that sink has got anywhere yet."""
    return _file(directory, name).exists()


def load(directory: Path, name: str) -> Cursor:
    """The cursor of that sink. Raises CursorError, also if there is none."""
    file = _file(directory, name)
    try:
        cursor = msgspec.json.decode(file.read_bytes(), type=Cursor)
        for log in cursor.logs.values():
            log.reached()
    except OSError as error:
        raise CursorError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        cure = f"hushwire audit ship --forget {name}, and ship everything again: what is there is not doubled"
        raise CursorError(f"{file} is damaged; {cure}") from None
    return cursor


def save(directory: Path, name: str, cursor: Cursor) -> None:
    """Replace the file at once, and for good: retention deletes by it. Raises OSError."""
    cursor.saved = time.time()
    descriptor, draft = tempfile.mkstemp(prefix=f".ship-{name}-", dir=directory)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(cursor))
            file.flush()
            os.fsync(descriptor)
        Path(draft).replace(_file(directory, name))
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def alone(directory: Path, name: str) -> Iterator[None]:
    """While nobody else ships to that sink. Raises CursorError if somebody does."""
    with (directory / f"ship-{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CursorError("another process is shipping there already: a proxy, or another hushwire") from None
        yield
