"""How far the side files of a segment reach: an event counts only if the rows it commits to are there.

Rows are written before their event, and a kill leaves both. A power cut may take the rows and leave the event:
then the log ends before it, because whoever signs it would sign for a fingerprint that nobody can find.
"""

from __future__ import annotations

from msgspec import UNSET

from proxy.audit import bodies, events, marks
from proxy.audit.layout import Segment

LAST = 1 << 63


class Sides:
    """The rows of a segment's events from `seq` on. Raises OSError."""

    def __init__(self, segment: Segment, seq: int) -> None:
        kept, left = segment.beside("marks"), segment.beside("bodies")
        self._marks = (
            {(row.seq, row.place) for row in marks.rows(kept) if row.seq >= seq} if kept.exists() else set()
        )
        self._bodies = {row.seq for row in bodies.read(left, range(seq, LAST))} if left.exists() else set()

    def whole(self, lines: list[bytes]) -> int:
        """With how many of these events the log can go on. Raises ValueError for a line that is no event."""
        return next((at for at, line in enumerate(lines) if not self._has(events.decode(line))), len(lines))

    def _has(self, event: events.Event) -> bool:
        if isinstance(event, events.Message) and event.body is not UNSET and event.seq not in self._bodies:
            return False
        found = enumerate(events.findings(event))
        return all(finding.c is UNSET or (event.seq, at) in self._marks for at, finding in found)
