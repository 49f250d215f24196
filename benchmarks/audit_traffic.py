"""Conversations in which every message says which event it must have in the audit log: for drills.

A message cannot name its session, which only the proxy knows. So each connection has a size and a length of found
value of its own: they stand in its events (`in` and `len`), next to the message's number. What arrived at either
end, redacted, is written down here; `unlogged` holds it against the log.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, cast

from proxy.audit import events
from proxy.audit.layout import logs, segments
from tests.wire.frames import CLOSE, MASK, TEXT, build, close, parse

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
SIZES, LENGTHS = 800, 40  # how many of each there are
IDENTITIES = SIZES * LENGTHS
LARGE = 7  # every so many connections send messages that are looked at in a worker thread
CLEAN = 4  # every so many messages hold nothing to find
BURST = 6  # messages in one write
SAID = re.compile(rb"m(\d+)-(\d+) ")


class Arrived(NamedTuple):
    """A message with a finding that reached its destination."""

    size: int
    found: int
    way: str
    number: int


def identity(connection: int) -> tuple[int, int]:
    """(bytes of a message, characters of its e-mail address) of a connection."""
    size = 150 + connection % SIZES
    return size + (2000 if connection % LARGE == 0 else 0), 20 + connection // SIZES


def message(connection: int, number: int) -> bytes:
    """What a connection says as its message `number`, either way; with an address, unless it is a clean one."""
    size, found = identity(connection)
    start = b"m%d-%d " % (connection, number)
    end = b" clean" if number % CLEAN == 0 else b" " + b"canary".ljust(found - 12, b"y") + b"@example.com"
    return start + (b"word " * (size // 5))[: size - len(start) - len(end)] + end


class Record:
    """What arrived where."""

    def __init__(self) -> None:
        self.arrived: set[Arrived] = set()
        self.leaked = 0
        self.count = 0
        self.closes: Counter[int] = Counter()

    def take(self, payload: bytes, way: str) -> tuple[int, int]:
        """Write down a message; returns its connection and number."""
        said = SAID.match(payload)
        if said is None:
            raise ValueError("a message arrived that nobody has sent")
        connection, number = int(said[1]), int(said[2])
        self.count += 1
        self.leaked += b"@example.com" in payload
        if number % CLEAN:
            self.arrived.add(Arrived(*identity(connection), way, number))
        return connection, number


class End(asyncio.Protocol):
    """One end of a connection, from its HTTP head on."""

    mask: bytes | None = None
    way = ""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.buffer = bytearray()
        self.open = False
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            head, blank, rest = bytes(self.buffer).partition(b"\r\n\r\n")
            if not blank:
                return
            self.open, self.buffer = True, bytearray(rest)
            self.on_head(head)
        while (found := parse(self.buffer)) is not None:
            frame, size = found
            del self.buffer[:size]
            if frame.opcode == TEXT:
                self.on_message(*self.record.take(frame.payload, self.way))
            elif frame.opcode == CLOSE:
                self.record.closes[int.from_bytes(frame.payload[:2])] += 1
                self.transport.write(build(CLOSE, frame.payload, mask=self.mask))
                self.transport.close()

    def on_head(self, head: bytes) -> None:
        """The handshake of the other end."""

    def on_message(self, connection: int, number: int) -> None:
        """A message has arrived."""


class Upstream(End):
    """Answers each message with its own of the same number."""

    way = "up"

    def on_head(self, head: bytes) -> None:
        key = re.search(rb"(?i)\r\nsec-websocket-key:[ \t]*(\S+)", head)
        assert key is not None
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(hashlib.sha1(key[1] + GUID).digest()) + b"\r\n\r\n"
        )

    def on_message(self, connection: int, number: int) -> None:
        self.transport.write(build(TEXT, message(connection, number)))


class Client(End):
    """Says a burst, and the next one when half of it was answered, until it is cut off or told to stop."""

    mask, way = MASK, "down"

    def __init__(self, record: Record, connection: int, wanted: Callable[[], bool]) -> None:
        super().__init__(record)
        self.connection, self.wanted = connection, wanted
        self.said = self.heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def on_head(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 101"):
            self.transport.close()
            return
        self.burst()

    def burst(self) -> None:
        """Say more."""
        numbers = range(self.said + 1, self.said + BURST + 1)
        self.said += BURST
        said = (build(TEXT, message(self.connection, number), mask=MASK) for number in numbers)
        self.transport.write(b"".join(said))

    def on_message(self, connection: int, number: int) -> None:
        self.heard += 1
        if not self.wanted():
            if self.heard == self.said:
                self.transport.write(build(CLOSE, close(1000), mask=MASK))
        elif self.said - self.heard < BURST // 2:
            self.burst()


class Traffic:
    """An upstream, and as many clients as asked for, which connect again wherever they were cut off."""

    def __init__(self) -> None:
        self.record = Record()
        self.upstream_port = 0
        self.port = 0
        self.connections = 0
        self.running = False
        self.tasks: list[asyncio.Task[None]] = []
        self.server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen as the upstream."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Upstream(self.record), "127.0.0.1", 0, backlog=256)
        self.upstream_port = self.server.sockets[0].getsockname()[1]

    def start(self, port: int, clients: int) -> None:
        """Talk to the proxy at `port`."""
        self.port, self.running = port, True
        self.tasks = [asyncio.create_task(self._talk()) for _ in range(clients)]

    def _client(self) -> Client:
        """Made once TCP is there: whoever is not let in uses up no identity."""
        self.connections += 1
        return Client(self.record, self.connections % IDENTITIES, lambda: self.running)

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        while self.running:
            with contextlib.suppress(OSError):
                _, client = await loop.create_connection(self._client, "127.0.0.1", self.port)
                await client.gone
            await asyncio.sleep(0.005)

    async def stop(self, seconds: float = 5.0) -> None:
        """Have everything answered that was said, and say goodbye; what does not end in time is cut off."""
        self.running = False
        if self.tasks:
            _, late = await asyncio.wait(self.tasks, timeout=seconds)
            for task in late:
                task.cancel()
        self.tasks = []

    async def close(self) -> None:
        """Listen no more."""
        await self.stop(0)
        if self.server is not None:
            self.server.close()


def lines(audit: Path) -> Iterable[bytes]:
    """Every whole line of every log."""
    import gzip

    for log in logs(audit):
        for segment in segments(log):
            data = segment.path.read_bytes()
            yield from (gzip.decompress(data) if segment.sealed else data).splitlines(keepends=True)


class Logged(NamedTuple):
    """What the log says, for `unlogged`."""

    events: int
    torn: int
    gaps: int
    lost: int
    messages: set[Arrived]


def logged(audit: Path) -> Logged:
    """Every message with one finding that the log holds."""
    found, count, torn, gaps, lost = set(), 0, 0, 0, 0
    for line in lines(audit):
        if not line.endswith(b"\n"):
            continue  # what a crash tore
        event = events.decode(line)
        count += 1
        match event:
            case events.Message(f=[one], verdict="rewritten"):
                found.add(Arrived(event.in_, one.len, event.dir, event.n))
            case events.Start(repaired=int()):
                torn += 1
            case events.Gap():
                gaps += 1
            case events.Refuse(lost=int(held)):
                lost += held
    return Logged(count, torn, gaps, lost, found)


def unlogged(record: Record, log: Logged) -> set[Arrived]:
    """What arrived without an event: must be empty."""
    return record.arrived - log.messages
