"""Questions about the audit, put to a process of their own: neither the loop nor the detector's worker waits for a
disk, for SQLite or for a log of a gigabyte.

One process answers searches, one after the other; it is started when somebody asks and ends when nobody does.
Each live tail has one to itself: its log is its queue, and who reads slowly is waited for there. A process is
started in a thread and by vfork, because to fork a proxy of 400 MB on its loop held everybody up for 18 ms,
measured, and this does for 0.3 to 4.

The child is proxy/admin/answering.py. It is asked by a line of JSON and answers in pieces: a head, then bytes that
go out as they are, so nothing of size is decoded here.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

HEAD = Struct("<IHI")  # length, HTTP status, events
LARGEST = 64 << 20  # bytes of a piece; the child keeps to far less
LIMIT = 10.0  # seconds for an answer, waiting for those before included
WAITING = 8  # questions at once
STREAMS = 8  # live tails at once
IDLE = 60.0  # seconds until the process that nobody asks is let go
MODULE = "proxy.admin.answering"
HANDED_ON = ("PATH", "HOME", "TZ", "LANG", "LC_ALL", "XDG_STATE_HOME")  # no secrets

SLOW = f"no answer within {LIMIT:.0f} seconds; ask for less (a shorter time, a session), or hushwire audit"
BUSY = "too many questions at once; ask again in a few seconds"
CROWDED = f"there are {STREAMS} live tails already; end one of them first"
BROKEN = "the process that reads the audit has ended; ask again, and see the proxy's log if that does not help"


class AskError(Exception):
    """There is no answer; `status` is what to say in HTTP."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Piece(NamedTuple):
    """An answer, or a part of a live tail: bytes to hand on, and how many events are in them."""

    status: int
    events: int
    body: bytes


class Audit:
    """The audit in `directory`, to be asked on one loop."""

    def __init__(self, directory: Path, limit: float = LIMIT, idle: float = IDLE) -> None:
        self.directory, self.limit, self.idle = directory, limit, idle
        self._child: Child | None = None
        self._alone = asyncio.Lock()
        self._waiting = self._streams = 0
        self._letting_go: asyncio.TimerHandle | None = None
        self._children: list[Child] = []  # that run, and those that nobody has waited for

    async def ask(self, question: Mapping[str, Any]) -> Piece:
        """The answer to one question. Raises AskError."""
        if self._waiting >= WAITING:
            raise AskError(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
        self._waiting += 1
        try:
            async with asyncio.timeout(self.limit), self._alone:
                return await self._answer(question)
        except TimeoutError:
            raise AskError(HTTPStatus.GATEWAY_TIMEOUT, SLOW) from None
        finally:
            self._waiting -= 1

    async def _answer(self, question: Mapping[str, Any]) -> Piece:
        if self._letting_go is not None:
            self._letting_go.cancel()
        child, self._child = self._child, None
        if child is None or child.ended:
            child = await self._start()
        try:
            child.tell(question)
            piece = await child.piece()
        except BaseException:  # cancelled, too: who was not heard out cannot be asked again
            child.kill()
            raise
        self._child = child
        self._letting_go = asyncio.get_running_loop().call_later(self.idle, self._let_go)
        return piece

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.finish()

    async def stream(self, question: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        """Pieces of a live tail, until the caller closes this. Raises AskError."""
        if self._streams >= STREAMS:
            raise AskError(HTTPStatus.SERVICE_UNAVAILABLE, CROWDED)
        self._streams += 1
        child = None
        try:
            child = await self._start()
            child.tell(question)
            while True:
                yield await child.piece()
        finally:
            self._streams -= 1
            if child is not None:
                child.kill()

    async def _start(self) -> Child:
        self._children = [child for child in self._children if not child.ended]
        child = await Child.start(self.directory)
        self._children.append(child)
        return child

    async def close(self) -> None:
        """End every process. Streams end too, with an AskError."""
        if self._letting_go is not None:
            self._letting_go.cancel()
        for child in self._children:
            child.kill()
        await asyncio.gather(*(asyncio.to_thread(child.wait) for child in self._children))
        self._children.clear()


class Child:
    """A process that reads the audit, and the socket to it."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer

    @classmethod
    async def start(cls, directory: Path) -> Child:
        """Raises AskError."""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            process = await asyncio.to_thread(_started, directory, theirs)
        except BaseException as error:
            writer.transport.abort()  # which is the end of input of a child that starts nevertheless
            if isinstance(error, OSError):
                raise AskError(HTTPStatus.SERVICE_UNAVAILABLE, BROKEN) from None
            raise
        return cls(process, reader, writer)

    def tell(self, question: Mapping[str, Any]) -> None:
        """Ask it; a question is short."""
        self._writer.write(json.dumps(question).encode() + b"\n")

    async def piece(self) -> Piece:
        """What it answers next. Raises AskError."""
        try:
            length, status, events = HEAD.unpack(await self._reader.readexactly(HEAD.size))
            if length <= LARGEST:
                return Piece(status, events, await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        raise AskError(HTTPStatus.SERVICE_UNAVAILABLE, BROKEN)

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def finish(self) -> None:
        """Nothing more is asked: it ends when it has done what is useful to others, such as the index."""
        self._writer.close()

    def kill(self) -> None:
        """End it now."""
        self._writer.transport.abort()
        self._process.kill()

    def wait(self) -> None:
        """Until a killed process is gone. Not on the loop."""
        self._process.wait()


def _started(directory: Path, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """In a thread. It imports what may be imported here, and nothing of the folder the proxy was started in."""
    environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    with theirs:
        return subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-P", "-m", MODULE, str(directory.absolute())],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            env=environment,
            start_new_session=True,  # Ctrl-C in a terminal is meant for the proxy, which ends it
        )
