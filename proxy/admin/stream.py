"""A live tail as a response: it ends with its client, with its source, or when the client takes nothing for long.

Nothing is queued here. While the client does not read, the next piece is not asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from fastapi.responses import Response

from proxy.admin.asking import AskError, Piece

STALL = 60.0  # seconds a client may take nothing of what is there for it
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would gather them
}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class EventStream(Response):
    """`first` and what follows from `pieces`; `done` gets the number of events when it is over."""

    def __init__(
        self, first: Piece, pieces: AsyncGenerator[Piece], done: Callable[[int], None], stall: float = STALL
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._first, self._pieces, self._done, self._stall = first, pieces, done, stall
        self._sent = 0

    async def __call__(self, _scope: Message, receive: Receive, send: Send) -> None:
        """Until one of them ends it."""
        sending, leaving = asyncio.create_task(self._send(send)), asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            await asyncio.wait((sending,))
            await self._pieces.aclose()
            self._done(self._sent)
        if not sending.cancelled() and isinstance(sending.exception(), TimeoutError):
            await leaving  # nothing can be said to whoever does not listen; the kernel gives up some time
        leaving.cancel()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._put(send, self._first)
        with suppress(AskError):  # the source has ended, or the proxy is shutting down: the client comes back
            async for piece in self._pieces:
                await self._put(send, piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _put(self, send: Send, piece: Piece) -> None:
        async with asyncio.timeout(self._stall):
            await send({"type": "http.response.body", "body": piece.body, "more_body": True})
        self._sent += piece.events


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
