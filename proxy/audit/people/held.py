"""Whether the holds of holds.json are those that the log speaks of: that file is signed by nobody.

A hold is in the file before an event says that it was placed, and in force until after one says that it was
released; released ones stay in the file. So a crash never leaves what is told here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from proxy.audit.people.hold import Hold, HoldError, every
from proxy.audit.people.subject import Tell
from proxy.audit.people.telling import telling

NAME = re.compile(r"hold-[0-9]{1,9}")


def amiss(kept: Mapping[str, Hold], name: str, covers: str | None, released: Callable[[str], bool]) -> str | None:
    """What became of a hold that was placed, if that is not right; `kept` are those of the file. `released` says
    whether an event ended it, and is asked only if that would explain it."""
    hold = kept.get(name)
    if hold is None:
        says = "is gone from holds.json"
    elif hold.released is not None:
        says = "is released in holds.json, and no event says so"
    elif covers not in (None, hold.scope):
        says = "covers something else in holds.json"
    else:
        return None
    return None if released(name) else says


def lost(directory: Path, tell: Tell = lambda _done, _of: None) -> Iterator[str]:
    """The same for the whole log, as sentences. Signatures are not looked at. In a turn (audit/tend.py); raises
    HoldError, OSError."""
    said = telling(directory, ("hold",), tell)
    kept = {hold.id: hold for hold in every(directory)}
    ended = {one["hold"] for one in said if one["state"] == "released"}
    placed = {(one["hold"], one.get("covers")) for one in said if one["state"] == "placed"}
    for name, covers in sorted(placed, key=str):
        if NAME.fullmatch(name) and (says := amiss(kept, name, covers, ended.__contains__)):
            yield f"{name} was placed and {says}"


def check(directory: Path, tell: Tell = lambda _done, _of: None) -> None:
    """Before something is erased for good. In a turn; raises HoldError if a hold was lost, OSError."""
    if says := ", ".join(lost(directory, tell)):
        raise HoldError(f"{says}: restore {directory / 'holds.json'}, or place it again")
