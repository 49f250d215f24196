"""A byte pipe: what Python on uvloop must pay to carry bytes both ways without looking at them."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from typing import cast

import uvloop

from benchmarks.peers.serve import announce, bind, upstream_port


class End(asyncio.Protocol):
    """One end; what it reads is written to the other."""

    __slots__ = ("early", "other", "transport", "write")

    def __init__(self, other: End | None = None) -> None:
        self.other = other
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []  # read before the other end was there
        self.write: Callable[[bytes], object] = self.early.append

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.other is None:
            task = asyncio.create_task(self.dial())
            dialling.add(task)
            task.add_done_callback(dialling.discard)
        else:
            assert self.other.transport is not None
            self.write = self.other.transport.write

    async def dial(self) -> None:
        assert self.transport is not None
        loop = asyncio.get_running_loop()
        try:
            transport, self.other = await loop.create_connection(lambda: End(self), "127.0.0.1", UPSTREAM)
        except OSError:
            self.transport.abort()
            return
        transport.writelines(self.early)
        self.early.clear()
        self.write = transport.write
        if self.transport.is_closing():
            transport.close()

    def data_received(self, data: bytes) -> None:
        self.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


async def main() -> None:
    sock = bind()
    server = await asyncio.get_running_loop().create_server(End, sock=sock, backlog=1024)
    announce(sock.getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    UPSTREAM = upstream_port()
    dialling: set[asyncio.Task[None]] = set()
    libc = ctypes.CDLL(None)
    for option, value in ((-3, 32 << 20), (-1, 256 << 20), (-2, 4 << 20)):  # mmap and trim threshold, top pad
        libc.mallopt(option, value)
    uvloop.run(main())
