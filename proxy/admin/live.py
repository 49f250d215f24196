"""The live tail of an audit as server-sent events (HTML Living Standard, section 9.2), in the child of asking.py.

The logs are the queue: as long as the reader is slow, nothing is read. Then what has come meanwhile is, and the
newest `QUEUE` events of each log are sent behind a `gap` that counts the others. An event's id says how far each
log was sent, `0.4711-2.38` is log-0 up to seq 4711 and log-2 up to 38: whoever comes back goes on there.
"""

from __future__ import annotations

import heapq
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from proxy.audit.layout import LOG, logs, segments
from proxy.audit.pick import first
from proxy.audit.reading.crowds import short
from proxy.audit.reading.following import BEGINNING, ChangedError, Place, onwards
from proxy.audit.reading.question import Asked, kind_of

QUEUE = 5_000  # events of a log that are sent after a pause of the reader
PIECE = 1 << 16  # bytes sent at once, about
BEAT = 15.0  # seconds without an event until a comment shows that the tail is alive
AGAIN = b"retry: 2000\n"  # milliseconds until a browser comes back
POSITION = re.compile(r"\d+\.\d+(-\d+\.\d+)*")

Send = Callable[[bytes, int], None]
"""(text, events in it)"""


class Waiting(NamedTuple):
    """An event to be sent, as it goes out: one may have 65,536 findings, and 5,000 such would fill the memory."""

    t: int
    log: int
    seq: int
    kind: bytes
    data: bytes


def position(written: str) -> dict[int, int]:
    """Seq by log, of an id. ValueError if it is none."""
    if len(written) > 4096 or not POSITION.fullmatch(written):
        raise ValueError(written)
    return {int(log): int(seq) for log, _, seq in (one.partition(".") for one in written.split("-"))}


def tail(
    directory: Path, asked: Asked, behind: Mapping[int, int] | None, send: Send, pause: Callable[[], bool]
) -> None:
    """Send what comes, from now on or `behind` what was sent before, until `pause` says that nobody listens."""
    following = Following(directory, behind)
    send(AGAIN + b": following\n\n", 0)
    sent = time.monotonic()
    while True:
        for text, count in _pieces(following.news(asked)):
            send(text, count)
            sent = time.monotonic()
        if pause():
            return
        if time.monotonic() - sent > BEAT:
            send(b": nothing new\n\n", 0)
            sent = time.monotonic()


def _pieces(news: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    text, count = bytearray(), 0
    for one in news:
        text += one
        count += 1
        if len(text) >= PIECE:
            yield bytes(text), count
            text, count = bytearray(), 0
    if text:
        yield bytes(text), count


class Following:
    """Where each log was read, and up to which seq of it was sent."""

    def __init__(self, directory: Path, behind: Mapping[int, int] | None) -> None:
        self._directory = directory
        self._places: dict[int, Place] = {}
        self._sent: dict[int, int] = {}
        for number, log in self._logs():
            seq = None if behind is None else behind.get(number, -1)
            self._places[number] = _end(log) if seq is None else _behind(log, seq)
            self._sent[number] = self._places[number].seq if seq is None else seq

    def _logs(self) -> Iterator[tuple[int, Path]]:
        return ((int(match[1]), log) for log in logs(self._directory) if (match := LOG.fullmatch(log.name)))

    def news(self, asked: Asked) -> Iterator[bytes]:
        """What has come since the last time, by time, each log in its order."""
        found = {number: self._read(number, log, asked) for number, log in self._logs()}
        merged = heapq.merge(*(queue for queue, _ in found.values()), key=lambda one: one.t)
        for number, (_, lost) in found.items():
            if lost:
                yield self._gap(number, lost)
        for one in merged:
            self._sent[one.log] = one.seq
            yield b"id: %b\nevent: %b\ndata: %b\n\n" % (self._position().encode(), one.kind, one.data)

    def _read(self, number: int, log: Path, asked: Asked) -> tuple[deque[Waiting], int]:
        """The newest events that fit, and how many more did."""
        queue: deque[Waiting] = deque(maxlen=QUEUE)
        count = 0
        sent = self._sent.get(number, -1)
        try:
            for read in onwards(log, self._places.get(number, BEGINNING)):
                self._places[number] = read.place
                for event in read.events:
                    if event.seq > sent and asked.fits(event):
                        queue.append(Waiting(event.t, number, event.seq, kind_of(event).encode(), short(event)))
                        count += 1
        except ChangedError:  # cut off or replaced: what is there from now on
            self._places[number] = _end(log)
            self._sent[number] = self._places[number].seq
        except FileNotFoundError:  # a segment that was compressed or removed in this moment: next time
            pass
        return queue, count - len(queue)

    def _gap(self, number: int, lost: int) -> bytes:
        data = json.dumps({"log": number, "lost": lost})
        return f"event: gap\ndata: {data}\n\n".encode()

    def _position(self) -> str:
        return "-".join(f"{number}.{seq}" for number, seq in self._sent.items() if seq >= 0)


def _end(log: Path) -> Place:
    """Behind all that is there."""
    place = BEGINNING
    for segment in reversed(segments(log)):
        if (event := first(segment)) is not None:
            place = Place(segment.number, 0, event.seq, event.t, event.log)
            break
    for read in onwards(log, place):
        place = read.place
    return place


def _behind(log: Path, seq: int) -> Place:
    """At or before event `seq`: in the segment that has it, or at the beginning of what is left."""
    for segment in reversed(segments(log)):
        event = first(segment)
        if event is not None and event.seq <= seq:
            return Place(segment.number, 0, event.seq, event.t, event.log)
    return BEGINNING
