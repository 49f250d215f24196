"""Erasure: rows of marks become zeros, bodies too, and the log says so without saying whose they were.

The order is: what is chosen is checked against holds, then the `erase` events are on the disk, then the rows are
zeroed. A crash in between leaves rows that an event names as erased and that are not gone yet: `verify` accepts
that, and doing it again completes it. The other order would leave rows that are gone without a trace, which is
what tampering looks like. Rows that no event commits to (residue of a crash) are zeroed without being named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from proxy.audit import bodies, events, marks
from proxy.audit.layout import Segment, logs, segments
from proxy.audit.marks import Row
from proxy.audit.people import held, order
from proxy.audit.people.hold import Hold, holds
from proxy.audit.people.subject import Found, Tell, occurrences, with_events
from proxy.audit.pick import present, unpacked
from proxy.audit.tend import turn

BODY = -1
"""In the rows of an event, the place of the body."""
AT_ONCE = 1000
"""Rows per event: 30 kB."""
Named = list[tuple[str, int, int]]
"""Rows as events name them: log, seq, index."""


class HeldError(Exception):
    """A legal hold covers what was to be erased; nothing was. `holds` are they."""

    def __init__(self, holds: Sequence[Hold]) -> None:
        super().__init__(", ".join(hold.id for hold in holds))
        self.holds = holds


@dataclass(slots=True)
class Chosen:
    """What is to be erased: rows of marks, and messages whose bodies are."""

    rows: list[Found] = field(default_factory=list)
    bodies: list[tuple[Segment, events.Treated]] = field(default_factory=list)

    @property
    def named(self) -> Named:
        """For the events."""
        rows = [(one.log, one.row.seq, one.row.place) for one in self.rows if one.event is not None]
        return rows + [(message.log, message.seq, BODY) for _, message in self.bodies]

    @property
    def messages(self) -> Iterator[events.Treated]:
        """All that are concerned."""
        yield from (one.event for one in self.rows if one.event is not None)
        yield from (message for _, message in self.bodies)


def of_subject(directory: Path, fingerprints: Iterable[bytes], tell: Tell) -> Chosen:
    """Every row of a value, and the bodies of its messages. In a turn; raises SegmentError, OSError."""
    chosen = Chosen(occurrences(directory, list(fingerprints), tell))
    for segment, group in groupby(chosen.rows, key=lambda one: one.segment):
        messages = {one.event.seq: one.event for one in group if one.event is not None}
        chosen.bodies += _kept(segment, messages.values())
    return chosen


def of_session(directory: Path, sid: str, tell: Tell) -> Chosen:
    """Every row and body of a connection. In a turn; raises SegmentError, OSError."""
    chosen = Chosen()
    parts = [segment for log in logs(directory) for segment in segments(log)]
    for done, segment in enumerate(parts):
        tell(done, len(parts))
        messages = {message.seq: message for message in _messages(segment, sid)}
        if messages:
            chosen.rows += with_events(segment, _rows_of(segment, messages))
            chosen.bodies += _kept(segment, messages.values())
    tell(len(parts), len(parts))
    return chosen


def erase(directory: Path, choose: Callable[[], Chosen], record: Callable[[Iterable[Named]], None]) -> Chosen:
    """Erase what `choose` says, in a turn of one's own. `record` writes events that name it, one for each part it
    is given, and returns when they are on the disk.

    Raises HeldError, HoldError, SegmentError, OSError and what `record` raises: then nothing was erased.
    """
    with turn(directory, alone=True):
        chosen = choose()
        held.check(directory)
        check_holds(directory, chosen)
        record(chunks(chosen.named))
        zero(chosen)
    return chosen


def check_holds(directory: Path, chosen: Chosen) -> None:
    """Raises HeldError, and HoldError if nobody can tell."""
    active = holds(directory)
    messages = list(chosen.messages) if active else []
    covering = [hold for hold in active if any(hold.covers(one.t, one.sid, one.route) for one in messages)]
    if covering:
        raise HeldError(covering)


def chunks(named: Named) -> Iterator[Named]:
    """Rows for one event each; one without rows says that a request was looked after, and nothing was there."""
    return (named[start : start + AT_ONCE] for start in range(0, len(named) or 1, AT_ONCE))


def zero(chosen: Chosen) -> None:
    """The last step, once events that name everything are on the disk. OSError: some of it was erased; again."""
    for segment, rows in groupby(chosen.rows, key=lambda one: one.segment):
        order.forget(segment)
        marks.erase(segment.beside("marks"), [one.number for one in rows])
    for segment, kept in groupby(chosen.bodies, key=lambda one: one[0]):
        bodies.erase(segment.beside("bodies"), {message.seq for _, message in kept})


def _kept(segment: Segment, messages: Iterable[events.Treated]) -> list[tuple[Segment, events.Treated]]:
    """Those of these messages whose body is there."""
    try:
        held = set(bodies.held(segment.beside("bodies")))
    except FileNotFoundError:
        return []
    return [(segment, message) for message in messages if message.seq in held]


def _rows_of(segment: Segment, messages: dict[int, events.Treated]) -> list[tuple[int, Row]]:
    try:
        every = enumerate(marks.rows(segment.beside("marks")))
        return [(number, row) for number, row in every if row.seq in messages and not row.gone]
    except FileNotFoundError:
        return []


def _messages(segment: Segment, sid: str) -> Iterator[events.Treated]:
    """Told by the bytes of the line first: decoding all would take ten times as long."""
    naming = b'"sid":"%s"' % sid.encode()
    with unpacked(present(segment)) as lines:
        for line in lines:
            if naming in line and line.endswith(b"\n"):
                event = events.decode(line)
                if isinstance(event, events.Treated) and event.sid == sid:
                    yield event
