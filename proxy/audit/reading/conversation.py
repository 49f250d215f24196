"""What was said on connections, as it left: the events of messages joined with the payloads that `bodies` keeps.

Both stand in the order of `seq`, so one pass over each is enough, and no more than one payload is in memory.
Payloads are handed to whoever asked for them (replay, diff) and to nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from proxy.audit import events
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.bodies import Kept
from proxy.audit.layout import Segment, logs, segments

Said = events.Message | events.Refuse | events.SessionOpen | events.SessionClose
"""What belongs to a connection."""
SAID = b'"sid":"'


class Spoken(NamedTuple):
    """One event of a connection. `payload` is what left, if it was kept and is not erased."""

    event: Said
    payload: bytes | None = None


def spoken(
    directory: Path,
    wanted: Callable[[Said], bool] = lambda _event: True,
    sid: str | None = None,
    tell: Callable[[int], None] = lambda _read: None,
) -> Iterator[Spoken]:
    """Everything `wanted` in an audit directory, of one session or of all: by log, in the order of the log.

    `tell` gets the size of each segment file that was read. Raises SegmentError, OSError.
    """
    naming = SAID if sid is None else SAID + sid.encode() + b'"'
    for log in logs(directory):
        for segment in segments(log):
            volume, kept = segment.path.stat().st_size, _kept(segment)
            try:
                for event in _events(segment, naming):
                    if wanted(event):
                        yield Spoken(event, None if kept is None else _payload(kept, event))
            finally:
                if kept is not None:
                    kept.close()
            tell(volume)


def size(directory: Path) -> int:
    """How many bytes `spoken` tells of in all. Raises OSError."""
    return sum(segment.path.stat().st_size for log in logs(directory) for segment in segments(log))


def _kept(segment: Segment) -> Kept | None:
    try:
        return Kept(segment.beside("bodies"))
    except FileNotFoundError:  # of a segment at another level
        return None


def _payload(kept: Kept, event: Said) -> bytes | None:
    if isinstance(event, events.Message) and isinstance(event.body, str):
        return kept.find(event.seq, event.body)
    return None


def _events(segment: Segment, naming: bytes) -> Iterator[Said]:
    reading = Reading(segment)
    for run in reading.runs():
        if naming not in run:  # most of a log is about other sessions
            continue
        for line in run.splitlines():
            if naming in line:
                event = _decoded(line, segment)
                if isinstance(event, Said):
                    yield event


def _decoded(line: bytes, segment: Segment) -> events.Any:
    try:
        event: events.Any = events.decode(line)
    except ValueError:
        place = f"{segment.path.parent.name}/{segment.path.name}"
        raise SegmentError(f"{place} has a line that is no event") from None
    return event
