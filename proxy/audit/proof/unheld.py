"""Whether the holds that signed events speak of are in holds.json, which is not signed itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import UNSET

from proxy.audit import events
from proxy.audit.people.held import NAME, amiss
from proxy.audit.people.hold import FILE, HoldError, every
from proxy.audit.proof.admitted import HOLD, Admitted
from proxy.audit.proof.examine import Examined
from proxy.audit.verdict import Fault


def unheld(directory: Path, found: Sequence[Examined], read: Callable[[], Admitted]) -> Iterator[Fault]:
    """What is wrong with holds that were placed; `read` reads all logs for what ended them, and is called only
    where that would explain it. A log that was pruned may have said so: then it is not told. Raises OSError."""
    placed = [event for one in found for event in _placed(one)]
    if not placed:
        return
    try:
        kept = {hold.id: hold for hold in every(directory)}
    except HoldError:
        yield Fault("changed", None, None, f"{FILE} cannot be read, and {placed[0].hold} was placed")
        return
    starts = [one.report.begun for one in found if one.report.start]
    for event in placed:
        covers = None if event.covers is UNSET else event.covers
        said_since = any(begun is None or begun > event.t for begun in starts)
        if says := amiss(kept, event.hold, covers, lambda name: name in read().released):
            if said_since and event.hold in kept:
                continue
            which = f"{event.hold}, placed by event {event.seq} of log {event.log}"
            yield Fault("changed" if event.hold in kept else "removed", None, None, f"{which}, {says}")


def _placed(one: Examined) -> Iterator[events.Hold]:
    """By what is signed; what is wrong with the log itself is told elsewhere."""
    for line in one.admissions:
        if HOLD in line:
            with suppress(ValueError):  # as above
                event = events.decode(line)
                placed = isinstance(event, events.Hold) and event.state == "placed" and event.seq < one.signed
                if placed and NAME.fullmatch(event.hold):
                    yield event
