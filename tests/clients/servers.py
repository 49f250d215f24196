"""The upstreams in Python, FastAPI on uvicorn and the server of `websockets`, each in a thread of the tests.

What they say is in upstream.py; here is how each library is made to say it. A connection may come as soon as the
service was entered: the socket listens before the server runs.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from abc import abstractmethod
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import uvicorn
import websockets.exceptions
from fastapi import FastAPI, HTTPException, WebSocket
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.clients.script import DEADLINE
from tests.clients.upstream import REFUSAL, Ended, Seen, Upstream, serve_line


class Looped(Upstream):
    """An asyncio server in a thread of the test process."""

    def __init__(self, tls: tuple[Path, Path] | None = None) -> None:
        super().__init__()
        self.tls = tls

    @abstractmethod
    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop`."""

    async def _main(self, listener: socket.socket) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self.serve(listener, self._stop)

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0))  # connections queue here until the server accepts
        self.url = f"{'wss' if self.tls else 'ws'}://127.0.0.1:{listener.getsockname()[1]}"
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(listener)))
        self._thread.start()
        assert self._started.wait(DEADLINE)
        return self

    def __exit__(self, *raised: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), f"{self.name} did not stop"


class Asgi(Looped):
    """Any ASGI application under uvicorn."""

    name = "asgi"
    can_ping = False  # ASGI has no event for it

    def __init__(self, app: Any, tls: tuple[Path, Path] | None = None, deflate: bool = True) -> None:
        super().__init__(tls)
        certificate, key = tls or (None, None)
        self.config = uvicorn.Config(
            app,
            log_level="critical",  # uvicorn calls a refusal an error
            ws_per_message_deflate=deflate,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            timeout_graceful_shutdown=2,
        )

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        server = uvicorn.Server(self.config)
        task = asyncio.create_task(server.serve([listener]))
        await stop.wait()
        server.should_exit = True
        await task


class AsgiLine:
    """`Line` over FastAPI's WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket

    async def receive(self) -> str | bytes:
        event = await self.websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise Ended(event["code"], event["reason"] or "")
        data: str | bytes = event["text"] if event.get("text") is not None else event["bytes"]
        return data

    async def send(self, data: str | bytes) -> None:
        await (self.websocket.send_text(data) if isinstance(data, str) else self.websocket.send_bytes(data))

    async def close(self, code: int, reason: str) -> None:
        await self.websocket.close(code, reason)

    async def ping(self) -> None:
        raise AssertionError("ASGI has no event for a ping")


class FastApi(Asgi):
    """The service that most people run: FastAPI on uvicorn."""

    name = "fastapi"

    def __init__(self, tls: tuple[Path, Path] | None = None, deflate: bool = True) -> None:
        app = FastAPI()
        app.add_api_websocket_route("/private", self._refuse)
        app.add_api_websocket_route("/{path:path}", self._talk)
        super().__init__(app, tls, deflate)

    async def _refuse(self, websocket: WebSocket) -> None:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, REFUSAL, {"WWW-Authenticate": "Bearer"})

    async def _talk(self, websocket: WebSocket) -> None:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in websocket.scope["headers"]]
        seen = Seen(websocket.scope["raw_path"].decode() + f"?{websocket.url.query}", headers)
        await websocket.accept("chat.v1" if "chat.v1" in websocket.scope["subprotocols"] else None)
        await serve_line(AsgiLine(websocket), seen)
        self.records.put(seen)


class WebsocketsLine:
    """`Line` over a connection of `websockets`."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def receive(self) -> str | bytes:
        try:
            return await self.connection.recv()
        except websockets.exceptions.ConnectionClosed as error:
            close = error.rcvd
            raise Ended(close.code if close else None, close.reason if close else "") from None

    async def send(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def close(self, code: int, reason: str) -> None:
        await self.connection.close(code, reason)

    async def ping(self) -> None:
        await (await self.connection.ping("from the upstream"))


class Websockets(Looped):
    """The server of the `websockets` library."""

    name = "websockets"

    def __init__(self, deflate: bool = True) -> None:
        super().__init__()
        self.compression = "deflate" if deflate else None

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        async with serve(
            self._talk,
            sock=listener,
            subprotocols=[Subprotocol("chat.v1")],
            select_subprotocol=lambda _, offered: Subprotocol("chat.v1") if "chat.v1" in offered else None,
            compression=self.compression,
            process_request=self._refuse,
            max_size=None,
        ):
            await stop.wait()

    def _refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        if not request.path.startswith("/private"):
            return None
        response = connection.respond(HTTPStatus.UNAUTHORIZED, REFUSAL)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        seen = Seen(connection.request.path, list(connection.request.headers.raw_items()))
        await serve_line(WebsocketsLine(connection), seen)
        self.records.put(seen)
