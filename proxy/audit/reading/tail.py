"""The newest events of all logs, and those that come: read from the segments, without the index.

Events of several logs are put in the order of their times as far as they are read at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from proxy.audit import events
from proxy.audit.blocks import SegmentError
from proxy.audit.layout import logs, segments
from proxy.audit.reading.following import BEGINNING, ChangedError, Place, Read, onwards, whole
from proxy.audit.reading.question import Asked, Question


class Tail:
    """Follows the logs of a directory, also those that begin later, for whoever asks `question`."""

    def __init__(self, directory: Path, question: Question) -> None:
        self.directory, self.asked = directory, Asked(question)
        self.places: dict[Path, Place] = {}

    def last(self, count: int) -> list[events.Any]:
        """The newest `count` that fit, oldest first; afterwards one is at the end of every log.

        Segments are read from the newest back, as many as that takes. Raises OSError.
        """
        found: list[events.Any] = []
        for log in logs(self.directory):
            found += self._last_of(log, count)
        found.sort(key=lambda event: event.t)
        return found[-count:] if count else []

    def _last_of(self, log: Path, count: int) -> list[events.Any]:
        self.places[log] = BEGINNING
        kept: list[events.Any] = []
        for number, segment in enumerate(reversed(segments(log))):
            if number and len(kept) >= count:
                break
            fitting: deque[events.Any] = deque(maxlen=count)
            with suppress(SegmentError):  # verify says what happened to it
                for read in whole(segment):
                    fitting.extend(event for event in read.events if self.asked.fits(event))
                    self.places[log] = max(self.places[log], read.place)
            kept = [*fitting, *kept]
        return kept[-count:] if count else []

    def new(self) -> list[events.Any]:
        """What fits of everything that came since, oldest first. Raises OSError."""
        found: list[events.Any] = []
        for log in logs(self.directory):
            found += [event for event in self._new_of(log) if self.asked.fits(event)]
        return sorted(found, key=lambda event: event.t)

    def _new_of(self, log: Path) -> list[events.Any]:
        before = self.places.get(log, BEGINNING)
        try:
            return self._taken(log, onwards(log, before))
        except ChangedError:  # cut off by a crash, or replaced: what its newest segment has that was not told yet
            newest = segments(log)[-1:]
            self.places[log] = BEGINNING
            taken = [event for segment in newest for event in self._taken(log, whole(segment))]
            return [event for event in taken if event.log != before.log or event.seq > before.seq]

    def _taken(self, log: Path, reads: Iterable[Read]) -> list[events.Any]:
        found: list[events.Any] = []
        for read in reads:
            found += read.events
            self.places[log] = read.place
        return found
