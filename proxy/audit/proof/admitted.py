"""What events say is gone: a row may be zeroed only by an `erase` event that names it, segments may be gone only
by a `prune` event, and a hold ends only by a `hold` event. Any log may say it of any other, but nobody who cannot
sign may. Destroying a key explains no row: it is enough without, and which epoch a row is of, nothing signed says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.audit import events
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.layout import segments
from proxy.audit.storage import content

if TYPE_CHECKING:
    from proxy.audit.checkpoint import Verifier

ADMISSION = re.compile(rb'"kind":"(?:erase|prune|hold|start)"')  # no string in JSON can hold a bare quote

HOLD = b'"kind":"hold","hold":"hold-'  # the longer, the faster it is not found: in 5 % of the time of digesting


@dataclass(slots=True)
class Admitted:
    """What events of any log say is gone: rows (log, seq, index) and (log, block that it begins at); and the holds
    that were released."""

    rows: set[tuple[str, int, int]] = field(default_factory=set)
    pruned: set[tuple[str, int]] = field(default_factory=set)
    released: set[str] = field(default_factory=set)

    def add(self, event: object) -> None:
        """Take down what one event admits."""
        match event:
            case events.Erase():
                self.rows.update(event.rows)
            case events.Prune():
                self.pruned.add((event.pruned, event.size))
            case events.Hold(state="released"):
                self.released.add(event.hold)

    def take(self, lines: Iterable[bytes], end: int) -> None:
        """Take down what lines of one log say, in their order, as far as its checkpoint goes: before event `end`.
        What removes signs first, so nothing was removed by what was not signed. Nor by what the next writer found
        without a signature, and signed since (`adopted`)."""
        kept: list[events.Any] = []
        for line in lines:
            try:
                event = events.decode(line)
            except ValueError:  # whoever examines the log finds it out
                continue
            if event.seq >= end:
                break
            if isinstance(event, events.Start):
                kept = [one for one in kept if one.seq < event.seq - (event.adopted or 0)]
            else:
                kept.append(event)
        for event in kept:
            self.add(event)


Said = Callable[[Callable[[Admitted], bool]], bool]
"""Whether what the logs admit is what is asked for."""


def admitted(folders: Iterable[Path], verifier: Verifier) -> Admitted:
    """Read all logs for it, 0.2 us an event. Where one cannot be read it admits no more; that this is so, whoever
    examines that log finds out. Raises OSError."""
    from proxy.audit.checkpoint import CheckpointError  # noqa: PLC0415 - 20 ms, and who digests needs none

    found = Admitted()
    for folder in folders:
        try:
            end = verifier.open(content(folder / "checkpoint").decode(errors="replace")).seq
        except (FileNotFoundError, CheckpointError):
            continue
        found.take(_lines(folder), end)
    return found


def _lines(folder: Path) -> Iterator[bytes]:
    with suppress(SegmentError):
        for segment in segments(folder):
            for run in Reading(segment).runs():
                yield from admissions(run)


def admissions(run: bytes) -> Iterator[bytes]:
    """The lines in it that may admit something, or take it back."""
    for match in ADMISSION.finditer(run):
        yield run[run.rfind(b"\n", 0, match.start()) + 1 : run.find(b"\n", match.end())]
