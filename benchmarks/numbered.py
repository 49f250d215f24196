"""Many conversations of numbered messages, in which nothing may be lost, reordered or treated by half.

Each message has a value for the first rule and one for the last; what comes back says which version of the rules
each of them met. The upstream is an echo. Both ends are raw frames on one event loop, so that they cost little.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import cast

from websockets.speedups import apply_mask

from benchmarks.cases import frame
from benchmarks.load import CLOSE_MASKED, GUID, KEY


@dataclass(slots=True)
class Outcome:
    """What happened to the messages. All but the first two and `versions` should be 0."""

    sent: int = 0
    answered: int = 0
    closed: int = 0  # connections that ended before they were told to
    wrong: int = 0  # another number than the next one: lost, doubled or reordered
    mixed: int = 0  # two versions of the rules in one message
    backwards: int = 0  # an older version after a newer one
    unchanged: int = 0  # no rule touched it
    versions: set[int] = field(default_factory=set)
    times: list[tuple[float, float]] = field(default_factory=list)
    """(when it was sent, seconds to the answer), by perf_counter."""

    @property
    def lost(self) -> int:
        """Messages without an answer, once all have had time to come."""
        return self.sent - self.answered

    def faults(self) -> dict[str, int]:
        """What should be 0."""
        names = ("closed", "lost", "wrong", "mixed", "backwards", "unchanged")
        return {name: getattr(self, name) for name in names}


class Echo(asyncio.Protocol):
    """An upstream connection that says what it hears."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            head, blank, rest = bytes(self.buffer).partition(b"\r\n\r\n")
            if not blank:
                return
            self.transport.write(_accepted(head))
            self.open, self.buffer = True, bytearray(rest)
        answers = bytearray()
        while (found := _frame(self.buffer)) is not None:
            first, payload = found
            answers += bytes((first, len(payload))) + payload
            if first & 15 == 8:
                self.transport.write(bytes(answers))
                self.transport.close()
                return
        if answers:
            self.transport.write(bytes(answers))


class Talker(asyncio.Protocol):
    """A client. Its messages are `NUMBER FIRST LAST`; the answers `NUMBER vN vN` with one N."""

    def __init__(self, outcome: Outcome, values: tuple[str, str]) -> None:
        self.outcome = outcome
        self.values = values
        self.buffer = bytearray()
        self.open = asyncio.get_running_loop().create_future()
        self.gone = asyncio.get_running_loop().create_future()
        self.leaving = False
        self.number = 0
        self.waiting: deque[tuple[int, float]] = deque()
        self.version = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open.done():
            head, blank, rest = bytes(self.buffer).partition(b"\r\n\r\n")
            if blank:
                self.buffer = bytearray(rest)
                self.open.set_result(head.startswith(b"HTTP/1.1 101"))
        else:
            while (found := _frame(self.buffer)) is not None:
                if found[0] & 15 == 1:
                    self._heard(found[1].decode())

    def ask(self) -> None:
        """Send the next message."""
        if self.transport.is_closing():
            return
        text = f"{self.number} {self.values[0]} {self.values[1]}"
        self.waiting.append((self.number, perf_counter()))
        self.number += 1
        self.outcome.sent += 1
        self.transport.write(frame(text.encode(), masked=True))

    def _heard(self, text: str) -> None:
        outcome = self.outcome
        number, first, last = text.split(" ")
        expected, sent = self.waiting.popleft() if self.waiting else (-1, perf_counter())
        outcome.answered += 1
        outcome.times.append((sent, perf_counter() - sent))
        outcome.wrong += int(number) != expected
        outcome.mixed += first != last
        if not first.startswith("v"):
            outcome.unchanged += 1
            return
        version = int(first[1:])
        outcome.backwards += version < self.version
        outcome.versions.add(version)
        self.version = version

    def leave(self) -> None:
        """Say goodbye."""
        self.leaving = True
        self.transport.write(CLOSE_MASKED)

    def connection_lost(self, exc: Exception | None) -> None:
        self.outcome.closed += not self.leaving
        if not self.open.done():
            self.open.set_result(False)
        self.gone.set_result(None)


class Crowd:
    """`count` talkers, `rate` messages a second among them, evenly."""

    def __init__(self, values: tuple[str, str]) -> None:
        self.outcome = Outcome()
        self.values = values
        self.talkers: list[Talker] = []

    async def open(self, port: int, count: int) -> None:
        """Connect all, 32 at a time. Raises ConnectionError if one is refused."""
        turn = asyncio.Semaphore(32)

        async def one() -> None:
            async with turn:
                loop = asyncio.get_running_loop()
                made = partial(Talker, self.outcome, self.values)
                _, talker = await loop.create_connection(made, "127.0.0.1", port)
                if not await talker.open:
                    raise ConnectionError("a client was refused")
                self.talkers.append(talker)

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one())

    async def talk(self, rate: float, until: asyncio.Event) -> None:
        """Ask at `rate`, whether or not answers come, until told; then wait up to 10 s for the answers."""
        start, asked = perf_counter(), 0
        while not until.is_set():
            due = int((perf_counter() - start) * rate)
            for number in range(asked, due):
                self.talkers[number % len(self.talkers)].ask()
            asked = due
            await asyncio.sleep(0.002)
        async with asyncio.timeout(10):
            while self.outcome.lost:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Leave, all together."""
        for talker in self.talkers:
            talker.leave()
        async with asyncio.timeout(10):
            await asyncio.gather(*(talker.gone for talker in self.talkers))


def _frame(buffer: bytearray) -> tuple[int, bytes] | None:
    """The first byte and the payload of the next frame, taken out of `buffer`; None if it is not there yet."""
    if len(buffer) < 2:
        return None
    size, masked = buffer[1] & 127, buffer[1] > 127
    if size > 125:
        raise ValueError("only short messages are exchanged here")
    start = 6 if masked else 2
    if len(buffer) < start + size:
        return None
    first, payload = buffer[0], bytes(buffer[start : start + size])
    if masked:
        payload = apply_mask(payload, bytes(buffer[2:6]))
    del buffer[: start + size]
    return first, payload


def _accepted(head: bytes) -> bytes:
    key = re.search(rb"(?i)\r\nsec-websocket-key:[ \t]*([^\r\n]+)", head)
    assert key is not None
    digest = base64.b64encode(hashlib.sha1(key[1].strip() + GUID).digest())
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return answer + b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"


async def echo_server() -> tuple[asyncio.Server, int]:
    """The upstream, and its port."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=1024)
    return server, server.sockets[0].getsockname()[1]
