"""What verifying a log finds out, as values: heads, faults, damages, and the verdict they make together.

Events are counted up to a seq, which is excluded; blocks likewise. Times are Unix times in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Verdict = Literal["whole", "tampered", "damaged"]
Mend = Literal["", "tail", "leaves", "frontier", "leftover"]
EXIT: dict[Verdict, int] = {"whole": 0, "tampered": 4, "damaged": 5}

SAYS = {
    "changed": "was changed",
    "removed": "was removed",
    "inserted": "has something else in its place, which was inserted",
    "swapped": "changed places with another one",
    "cut off": "is missing, and everything after it: the log was cut off",
    "replaced": "is missing, and everything after it: an older copy was put in the place of the log",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that no crash leaves behind. `look` is a word of SAYS. The first bad event is in `first`..`last`,
    both included; None where it is not about an event."""

    look: str
    first: int | None
    last: int | None
    says: str


def event_fault(look: str, first: int, last: int) -> Fault:
    """One about an event, in words."""
    which = f"event {first}" if first >= last else f"an event from {first} to {last}"
    return Fault(look, first, max(first, last), f"{which} {SAYS[look]}")


class Anchored(NamedTuple):
    """A note that an anchor keeps: `by` names the anchor, `when` is Unix time in seconds, if the anchor knows it
    better than the note does. `wrong` says why the anchor itself does not stand by it."""

    note: str
    by: str
    when: int | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """The tree of `size` blocks with `seq` events has this `root`: what a checkpoint signs."""

    size: int
    seq: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head of a log and where it was kept; `when` is Unix time in seconds."""

    point: Point
    by: str
    when: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that a crash leaves behind. `mend` names what proof/repair.py does about it, at `path`."""

    says: str
    mend: Mend = ""
    path: Path | None = None


def verdict(faults: Sequence[Fault], damages: Sequence[Damage]) -> Verdict:
    """By the worst that was found."""
    return "tampered" if faults else "damaged" if damages else "whole"


@dataclass
class Report:
    """What was found out about one log: it has `blocks` with `events`; what comes before block `start` and event
    `first` was pruned; `begun` is the time of the first event (Unix, nanoseconds). `signed` and `anchored` are the
    newest heads that are right; `right`: if something is wrong, events up to there are still what was signed, if
    that can be told although no head ends there; `anchors` counts notes that anchors keep, right or not. `remarks`
    are sentences about what cannot be told."""

    name: str
    log: str = ""
    live: bool = False
    segments: int = 0
    blocks: int = 0
    begun: int | None = None
    start: int = 0
    first: int = 0
    events: int = 0
    signed: Head | None = None
    right: int | None = None
    anchored: Head | None = None
    anchors: int = 0
    faults: list[Fault] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """By the worst that was found."""
        return verdict(self.faults, self.damages)

    @property
    def unsigned(self) -> int:
        """Events that no signature covers."""
        return self.events - (self.signed.point.seq if self.signed else self.first)
