"""The load: an upstream that answers and clients that ask, raw sockets on one event loop.

Both ends are built to cost little, or they would be what is measured: frames are made beforehand, and what
arrives is only counted. The first message of every connection is read whole, so that a measurement can
check what came through. Nothing here knows which proxy stands between.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import deque
from time import perf_counter_ns

from websockets.speedups import apply_mask

from benchmarks.cases import MASK, Case, deflate, frame, message
from benchmarks.stream import End

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
DEFLATE = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"
CLOSE = b"\x88\x02\x03\xe8"
CLOSE_MASKED = b"\x88\x82" + MASK + apply_mask(CLOSE[2:], MASK)


class BrokenPeerError(Exception):
    """The proxy did not do what was asked; the text says what, and never quotes a payload."""


class Service:
    """What every connection of the upstream shares; set anew for each measurement."""

    def __init__(self) -> None:
        self.firsts: set[bytes] = set()
        self.server: asyncio.Server | None = None
        self.port = 0
        self.prepare(Case(1, 100, 1))

    def prepare(self, case: Case) -> None:
        """Answer with the message of `case` from now on."""
        self.firsts.clear()
        self.deflate = case.deflate
        self.plain = frame(message(case), masked=False)
        self.pressed = frame(deflate(message(case)), masked=False, deflated=True) if case.deflate else b""

    async def open(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: ServiceEnd(self), "127.0.0.1", 0, backlog=1024)
        self.port = self.server.sockets[0].getsockname()[1]


class ServiceEnd(End):
    """Answers every message with the message of the case (so both directions carry the same)."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service

    def on_head(self, head: bytes) -> None:
        key = re.search(rb"(?i)\r\nsec-websocket-key:[ \t]*([^\r\n]+)", head)
        if key is None:
            self.transport.abort()
            return
        accept = base64.b64encode(hashlib.sha1(key[1].strip() + GUID).digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        answer += b"Sec-WebSocket-Accept: " + accept
        pressed = self.service.deflate and b"permessage-deflate" in head.lower()
        if pressed:
            answer += b"\r\nSec-WebSocket-Extensions: " + DEFLATE
        self.reply = self.service.pressed if pressed else self.service.plain
        self.transport.write(answer + b"\r\n\r\n")

    def on_first(self, payload: bytes) -> None:
        self.service.firsts.add(payload)

    def on_messages(self, count: int) -> None:
        self.transport.write(self.reply if count == 1 else self.reply * count)

    def on_close(self) -> None:
        self.transport.write(CLOSE)
        self.transport.close()


class Talker(End):
    """One client. `open` it, `exchange` once, then let a Crowd start it; `close` says goodbye."""

    def __init__(self, case: Case, crowd: Crowd | None = None) -> None:
        super().__init__()
        self.case = case
        self.crowd = crowd
        self.sent: deque[int] = deque()
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[bytes] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        lines = [
            b"GET / HTTP/1.1",
            b"Host: 127.0.0.1",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Key: " + KEY,
            b"Sec-WebSocket-Version: 13",
        ]
        if self.case.deflate:
            lines.append(b"Sec-WebSocket-Extensions: " + DEFLATE)
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")

    def on_head(self, head: bytes) -> None:
        status = head.split(b" ", 2)[1].decode("latin-1")
        if self.opened.done():
            return
        if status != "101":
            self.opened.set_exception(BrokenPeerError(f"answered the upgrade with {status}"))
        elif self.case.deflate and b"permessage-deflate" not in head.lower():
            self.opened.set_exception(BrokenPeerError("did not agree to permessage-deflate"))
        else:
            self.opened.set_result(None)

    def on_first(self, payload: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(payload)

    def on_messages(self, count: int) -> None:
        if self.crowd is not None:
            self.crowd.on_messages(self, count)

    def on_close(self) -> None:
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in (self.opened, self.answered):
            if not waiting.done():
                waiting.set_exception(BrokenPeerError("closed the connection"))
                waiting.exception()  # marked as seen: nobody may be waiting any more
        if not self.gone.done():
            self.gone.set_result(None)


async def connect(port: int, case: Case, crowd: Crowd | None = None) -> Talker:
    """An open WebSocket through the proxy at `port`; BrokenPeerError or OSError if there is none."""
    loop = asyncio.get_running_loop()
    _, talker = await loop.create_connection(lambda: Talker(case, crowd), "127.0.0.1", port)
    await talker.opened
    return talker


class Crowd:
    """All clients of one measurement, and what they have counted."""

    def __init__(self, port: int, case: Case) -> None:
        self.port = port
        self.case = case
        body = message(case)
        one = frame(deflate(body), masked=True, deflated=True) if case.deflate else frame(body, masked=True)
        self.frames = [one * count for count in range(case.window + 1)]
        self.talkers: list[Talker] = []
        self.running = False
        self.quiet = asyncio.Event()  # every window is empty
        self.total = 0
        self.times: list[int] = []  # round trips, nanoseconds

    async def open(self, count: int) -> None:
        """Connect `count` clients, 16 at a time, and have each exchange one message."""
        turn = asyncio.Semaphore(16)

        async def one() -> None:
            async with turn:
                talker = await connect(self.port, self.case, self)
                self.talkers.append(talker)
                talker.transport.write(self.frames[1])
                await talker.answered

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one())

    def start(self) -> None:
        """Fill every window; from then on each answer asks again."""
        self.running = True
        for talker in self.talkers:
            talker.sent.extend([perf_counter_ns()] * self.case.window)
            talker.transport.write(self.frames[self.case.window])

    def on_messages(self, talker: Talker, count: int) -> None:
        sent = talker.sent
        if not sent:
            return  # the answer to `exchange`
        now = perf_counter_ns()
        self.total += count
        for _ in range(count):
            self.times.append(now - sent.popleft())
        if self.running:
            sent.extend([now] * count)
            talker.transport.write(self.frames[count])
        elif not any(other.sent for other in self.talkers):
            self.quiet.set()

    async def close(self) -> None:
        """Ask no more, say goodbye, and leave no connection behind."""
        self.running = False
        if any(talker.sent for talker in self.talkers):
            await self.quiet.wait()
        for talker in self.talkers:
            talker.transport.write(CLOSE_MASKED)
        await asyncio.gather(*(talker.gone for talker in self.talkers))

    def abort(self) -> None:
        """Drop every connection at once; for the way out of a failure."""
        self.running = False
        for talker in self.talkers:
            talker.transport.abort()
