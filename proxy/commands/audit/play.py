"""The client's side of a conversation, played once more against a service, and how its answers differ.

A message is sent when as much time has passed as then (divided by the speed), and when as many answers have come
as had come before it then; whoever is not answered waits `patience` once, and goes on. Answers are compared as
they are, told by their number and their sizes: nothing of them is printed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import zip_longest
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException
from websockets.typing import Subprotocol

from proxy.audit.events import Message, SessionOpen
from proxy.audit.reading.conversation import Spoken


class PlayError(Exception):
    """The service cannot be talked to; the text says why."""


class Answer(NamedTuple):
    """An answer, without what it says: its type, its size in bytes, and a digest."""

    op: str
    size: int
    digest: bytes

    @classmethod
    def of(cls, said: str | bytes, op: str) -> Answer:
        """Of a payload."""
        payload = said.encode() if isinstance(said, str) else said
        return cls(op, len(payload), sha256(payload).digest())


class Different(NamedTuple):
    """Answer `number` (from 1) of then, or of now where there was none then, is not the same."""

    number: int
    before: Answer | None
    now: Answer | None

    def __str__(self) -> str:
        if self.now is None:
            return f"answer {self.number} did not come"
        now = f"{self.now.op}, {self.now.size} bytes"
        if self.before is None:
            return f"a new answer came behind answer {self.number}: {now}"
        return f"answer {self.number} differs: {now}, then {self.before.op}, {self.before.size} bytes"


@dataclass(slots=True)
class Played:
    """What came of it."""

    events: int = 0
    sent: int = 0
    absent: int = 0  # messages that left then, and whose payload is not there
    expected: int = 0
    same: int = 0
    ended: str = ""
    different: list[Different] = field(default_factory=list)

    @property
    def alike(self) -> bool:
        """Whether the service answered as it did then."""
        return not self.different and not self.ended

    def as_object(self) -> dict[str, object]:
        """For `--json`."""
        different = [
            {
                "answer": one.number,
                "then": one.before and {"op": one.before.op, "bytes": one.before.size},
                "now": one.now and {"op": one.now.op, "bytes": one.now.size},
            }
            for one in self.different
        ]
        told: dict[str, object] = {"sent": self.sent, "absent": self.absent, "answers": self.expected}
        return told | {"same": self.same, "different": different, "ended": self.ended or None}


def play(
    conversation: Iterator[Spoken], url: str, speed: float, patience: float, tell: Callable[[int], None]
) -> Played:
    """Play it; `tell` gets the number of messages sent so far. Raises PlayError, and what reading raises."""
    return asyncio.run(_Playing(speed, patience, tell).run(conversation, url))


class _Playing:
    def __init__(self, speed: float, patience: float, tell: Callable[[int], None]) -> None:
        self.speed, self.patience, self.tell = speed, patience, tell
        self.played = Played()
        self.then: list[Answer] = []
        self.now: list[Answer] = []
        self.owed = 0  # answers that were waited for in vain
        self.deaf = False  # whether no more answers can come
        self.came = asyncio.Event()

    async def run(self, conversation: Iterator[Spoken], url: str) -> Played:
        first = next(conversation, None)
        if first is None:
            return self.played
        sub = first.event.sub if isinstance(first.event, SessionOpen) else None
        offered = [Subprotocol(sub)] if isinstance(sub, str) and sub != "other" else None
        try:
            async with connect(url, subprotocols=offered, proxy=None, max_size=None) as connection:
                await self._talk(connection, first, conversation)
        except InvalidURI:
            raise PlayError(
                "this is no address of a WebSocket service; it looks like ws://HOST:PORT/PATH"
            ) from None
        except TimeoutError:
            raise PlayError("the service did not answer the handshake in time") from None
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise PlayError(f"cannot connect ({why or type(error).__name__})") from None
        except WebSocketException as error:
            raise PlayError(f"the service did not accept the connection ({type(error).__name__})") from None
        return self._compared()

    async def _talk(self, connection: ClientConnection, first: Spoken, more: Iterator[Spoken]) -> None:
        listening = asyncio.create_task(self._listen(connection))
        try:
            await self._say(connection, first, more)
            await self._answered()
        except ConnectionClosed:
            self.played.ended = f"{connection.close_code or 'without a CLOSE'}"
        finally:
            listening.cancel()

    async def _say(self, connection: ClientConnection, first: Spoken, more: Iterator[Spoken]) -> None:
        began = time.monotonic()
        one: Spoken | None = first
        while one is not None:
            self.played.events += 1
            if isinstance(one.event, Message):
                self.played.absent += one.payload is None and one.event.verdict != "dropped"
                if one.payload is not None and one.event.dir == "down":
                    self.then.append(Answer.of(one.payload, one.event.op))
                elif one.payload is not None:
                    due = began + (one.event.mono - first.event.mono) / 1e9 / self.speed
                    await asyncio.sleep(due - time.monotonic())
                    await self._answered()
                    await connection.send(one.payload, text=one.event.op == "text")
                    self.played.sent += 1
                    self.tell(self.played.sent)
            one = next(more, None)

    async def _answered(self) -> None:
        """Wait until as many answers have come as had come then."""
        wanted = len(self.then) - self.owed
        try:
            async with asyncio.timeout(self.patience):
                while len(self.now) < wanted and not self.deaf:
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError:
            self.owed = len(self.then) - len(self.now)

    async def _listen(self, connection: ClientConnection) -> None:
        try:
            async for said in connection:
                self.now.append(Answer.of(said, "text" if isinstance(said, str) else "binary"))
                self.came.set()
        except ConnectionClosed:
            pass  # without a CLOSE; whoever sends hears of it
        finally:
            self.deaf = True
            self.came.set()

    def _compared(self) -> Played:
        self.played.expected = len(self.then)
        for how, first, last, start, end in SequenceMatcher(None, self.then, self.now, False).get_opcodes():
            if how == "equal":
                self.played.same += last - first
            else:
                self.played.different += _differences(first, self.then[first:last], self.now[start:end])
        return self.played


def _differences(first: int, then: list[Answer], now: list[Answer]) -> Iterator[Different]:
    """Of a stretch of answers that begins behind answer `first` of then."""
    for at, (before, answer) in enumerate(zip_longest(then, now), 1):
        yield Different(first + min(at, len(then)), before, answer)
