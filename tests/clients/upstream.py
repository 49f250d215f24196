"""Real services to put the proxy in front of; each echoes, obeys a few commands, and remembers what reached it.

    /tell            sends MAIL, which holds an e-mail address      /burst N        sends N messages
    /close CODE WHY  closes with that code and reason               /ping    pings, and tells of the pong

Anything else comes back as it came. A path that begins with /private is refused with 401, a body and a header.
A service that offers subprotocols takes `chat.v1`. `seen()` gives the next connection that ended.
"""

from __future__ import annotations

import queue
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from tests.clients.script import DEADLINE, Event, message

MAIL = "write to bob@example.com today"
REFUSAL = "no token, no conversation"
Headers = list[tuple[str, str]]


@dataclass
class Seen:
    """One connection as the upstream saw it: what a test compares and nothing else."""

    path: str
    headers: Headers
    messages: list[Event] = field(default_factory=list)
    closed: tuple[int | None, str] | None = None

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Upstream(AbstractContextManager["Upstream"]):
    """A service with an address that ends when the test that entered it ends."""

    name: str
    can_ping = True

    def __init__(self) -> None:
        self.records: queue.Queue[Seen] = queue.Queue()
        self.url = ""

    def seen(self) -> Seen:
        """What reached the service on the next connection that ended; waits for it to end."""
        return self.records.get(timeout=DEADLINE)

    def forget(self) -> None:
        """Drop what a failed test did not take."""
        while not self.records.empty():
            self.records.get_nowait()


class Line(Protocol):
    """The server's end of one connection, the same for FastAPI and websockets."""

    async def receive(self) -> str | bytes: ...
    async def send(self, data: str | bytes) -> None: ...
    async def close(self, code: int, reason: str) -> None: ...
    async def ping(self) -> None: ...


class Ended(Exception):  # noqa: N818 - a conversation that ends is no error
    """Raised by `Line.receive` with the code and the reason that arrived."""


async def serve_line(line: Line, seen: Seen) -> None:
    """Hold one conversation to its end, and write down what came."""
    try:
        while True:
            data = await line.receive()
            seen.messages.append(message(data))
            await _answer(line, data)
    except Ended as ended:
        seen.closed = ended.args[0], ended.args[1]


async def _answer(line: Line, data: str | bytes) -> None:
    words = data.split(" ", 2) if isinstance(data, str) else []
    match words:
        case ["/tell"]:
            await line.send(MAIL)
        case ["/burst", count]:
            for index in range(int(count)):
                await line.send(f"number {index}")
        case ["/close", code, reason]:
            await line.close(int(code), reason)
        case ["/ping"]:
            await line.ping()
            await line.send("the pong came")
        case _:
            await line.send(data)
