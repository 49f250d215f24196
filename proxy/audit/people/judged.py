"""Which fingerprints nobody can compare with a value: the key of their epoch is gone, or is another one by now.

A row of marks says of which epoch it is. Events say which key that epoch had, by a check value (epochs.py):
`start` of a proxy, and `key.rotate`. A key that is not there, or whose check value is another one, finds nothing,
and "does not occur" would be a wrong answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from proxy.audit.marks import ROW, Row, rows
from proxy.audit.people.epochs import LAST, Epoch
from proxy.audit.people.subject import Tell
from proxy.audit.people.telling import parts_of, telling

Checks = set[tuple[int, str]]
"""(epoch, check value of a key that it had)."""


def unjudged(directory: Path, epochs: Iterable[Epoch], tell: Tell) -> dict[int, int]:
    """How many fingerprints there are, by epoch, of epochs whose key is not among `epochs` or is not the one that
    the log knows. One that was destroyed is told elsewhere. In a turn (audit/tend.py); raises OSError."""
    keys = {epoch.number: epoch.check for epoch in epochs}
    doubtful = _used(directory) - keys.keys()
    for number, check in checks(directory, tell):
        if keys.get(number, "") not in (None, check):
            doubtful.add(number)
    if not doubtful:
        return {}
    counted = Counter(
        row.epoch
        for _, part in parts_of(directory)
        if (path := part.beside("marks")).is_file()
        for row in rows(path)
        if row.epoch in doubtful and not row.gone
    )
    return dict(sorted(counted.items()))


def newest(directory: Path) -> int:
    """The highest number of an epoch that has rows, 0 if there are none: it must not be used for another key.
    Raises OSError."""
    return max((number for number in _used(directory) if number < LAST), default=0) if directory.is_dir() else 0


def _used(directory: Path) -> set[int]:
    """The epochs of the first and the last rows of all segments: in a log, numbers only rise."""
    return {row.epoch for _, part in parts_of(directory) for row in _edges(part.beside("marks"))}


def _edges(path: Path) -> Iterator[Row]:
    if not path.is_file():
        return
    with suppress(FileNotFoundError), path.open("rb") as file:  # retention may have removed it since
        whole = file.seek(0, 2) // ROW.size
        for number in {0, whole - 1} if whole else ():
            file.seek(number * ROW.size)
            if len(raw := file.read(ROW.size)) == ROW.size:
                yield Row(*ROW.unpack(raw))


def checks(directory: Path, tell: Tell) -> Checks:
    """Of all keys that events speak of. In a turn; raises OSError."""
    said = telling(directory, ("start", "key.rotate"), tell)
    return {(one["epoch"], one["check"]) for one in said if "epoch" in one and "check" in one}
