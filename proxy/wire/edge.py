"""The listening end until frames flow: uvicorn's HTTP protocol, and the upgrade it hands to FastAPI.

EdgeHttp subclasses uvicorn's HttpToolsProtocol (pinned; tests/wire/test_pins.py) because uvicorn lower-cases
header names, loses bytes sent right behind the upgrade request, and has neither a header timeout nor a header
limit. Edge is the ASGI websocket of that request: FastAPI may deny it; accepting is done by the door.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from proxy.settings import Settings
from proxy.wire.crowd import unasked
from proxy.wire.headers import Header, Request
from proxy.wire.reset import GONE_BY_RESET

log = logging.getLogger("hushwire")

EARLY_LIMIT = 256 * 1024  # bytes a client may send before its handshake is answered
EXTENSION = "hushwire.edge"


def plain_response(status: int, sentence: str, headers: tuple[Header, ...] = ()) -> bytes:
    """A whole HTTP response with a sentence as its body, after which the connection closes."""
    body = sentence.encode() + b"\n"
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % header for header in headers]
    lines += [b"Content-Type: text/plain; charset=utf-8", b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class EdgeHttp(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with raw header names, bounded headers, and a way out for upgrades."""

    settings: Settings  # of the process; set on the subclass that `edge_http` makes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.raw_headers: list[Header] = []
        self.head_size: int | None = 0  # bytes of a request head so far; None once it is complete
        self.head_timer: asyncio.TimerHandle | None = None
        self.upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > unasked(self.settings.max_connections):
            self._reject(503, "Too many connections wait with a request that does not come; try again.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_done()
        self.head_size = 0
        timeout = self.settings.header_timeout
        if timeout:
            self.head_timer = self.loop.call_later(timeout, self._too_slow)

    def _head_done(self) -> None:
        self.head_size = None
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _too_slow(self) -> None:
        self._reject(408, f"No complete request head within {self.settings.header_timeout:g} s.")

    def _reject(self, status: int, sentence: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(plain_response(status, sentence))
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if self.head_size is not None:
            self.head_size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._reject(400, "Invalid HTTP request.")
            return
        if self.head_size is not None and self.head_size > self.settings.max_header:
            self._too_large()

    def _too_large(self) -> None:
        limit = self.settings.max_header
        self._reject(431, f"The request head is larger than {limit} bytes (--max-header).")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.raw_headers = []
        if self.head_size is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self.raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._head_done()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.raw_headers)
        if size > self.settings.max_header:  # it came whole, in one segment
            self._too_large()
            raise httptools.HttpParserError("the request head is too large")
        super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        return self._get_upgrade() == b"websocket"

    def handle_websocket_upgrade(self, early: bytes = b"") -> None:
        """Leave the transport to an Edge; `early` came in the same segment, behind the request."""
        self.connections.discard(self)
        request = Request(
            self.scope["method"].encode(),
            self.url,
            self.scope["http_version"],
            tuple(self.raw_headers),
            self.client[0] if self.client else "unknown",
            self.scheme == "https",
        )
        edge = Edge(self.loop, self.transport, request, early)
        self.transport.set_protocol(edge)
        edge.start(self.app, self.server_state, self.server, self.client)


def edge_http(settings: Settings) -> type[EdgeHttp]:
    """EdgeHttp for uvicorn's Config(http=...), which takes a class and no arguments."""
    return type("EdgeHttp", (EdgeHttp,), {"settings": settings})


class Edge(asyncio.Protocol):
    """One upgrade request waiting for its answer, as an ASGI websocket connection."""

    __slots__ = ("answered", "early", "gone", "loop", "request", "status", "task", "transport")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, request: Request, early: bytes
    ) -> None:
        self.loop = loop
        self.transport = transport
        self.request = request
        self.early = early
        self.answered = False
        self.gone = False
        self.status = 500
        self.task: asyncio.Task[None] | None = None

    def start(self, app: Any, state: ServerState, server: Any, client: Any) -> None:
        """Run the ASGI application (FastAPI) on this request."""
        raw_path, _, query = self.request.target.partition(b"?")
        route = raw_path if raw_path.startswith(b"/") else b"/"
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": self.request.version,
            "scheme": "wss" if self.request.secure else "ws",
            "server": server,
            "client": client,
            "root_path": "",
            # Only for routing. Line breaks stay escaped: Starlette's routes do not match across them.
            # Nor do they match a target that is no path; the door says what is wrong with it.
            "path": unquote(route.decode("latin-1")).replace("\n", "%0A").replace("\r", "%0D"),
            "raw_path": raw_path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in self.request.headers],
            "subprotocols": [
                token.strip().decode("latin-1")
                for value in self.request.values(b"sec-websocket-protocol")
                for token in value.split(b",")
            ],
            "state": {},
            "extensions": {"websocket.http.response": {}, EXTENSION: self},
        }
        self.task = self.loop.create_task(self._run(app, scope))
        state.tasks.add(self.task)
        self.task.add_done_callback(state.tasks.discard)

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        except asyncio.CancelledError:
            if not self.gone:
                raise
        except Exception as error:
            log.error("%s during a handshake; it was answered with 500", type(error).__name__)
        if not self.answered:
            self.deny(500, "The handshake could not be completed.")

    # -- ASGI ---------------------------------------------------------------------------------------------

    async def _receive(self) -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def _send(self, message: dict[str, Any]) -> None:
        """Denials by FastAPI itself: a dependency that raises, a route that is not there."""
        match message["type"]:
            case "websocket.close":
                self.deny(403, "Forbidden.")
            case "websocket.http.response.start":
                self.status = message["status"]
                head = [b"HTTP/1.1 %d %b" % (self.status, HTTPStatus(self.status).phrase.encode())]
                head += [b"%b: %b" % (name, value) for name, value in message.get("headers", [])]
                self.answered = True
                self.transport.write(b"\r\n".join([*head, b"Connection: close", b"", b""]))
            case "websocket.http.response.body":
                self.transport.write(message.get("body", b""))
                if not message.get("more_body", False):
                    self.transport.close()
            case kind:
                raise RuntimeError(f"the door answers this request, not {kind}")

    # -- answering ----------------------------------------------------------------------------------------

    def deny(self, status: int, sentence: str, headers: tuple[Header, ...] = ()) -> None:
        """Answer with `status` and a sentence of the proxy's own, and close."""
        self.answer_raw(plain_response(status, sentence, headers))

    def answer_raw(self, response: bytes) -> None:
        """Answer with the upstream's refusal as it came, and close."""
        self.answered = True
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Frames from a client that does not wait for the answer; they are kept for the leg."""
        self.early += data
        if len(self.early) > EARLY_LIMIT and not self.answered:
            self.deny(400, "Too much data before the handshake was answered.")

    def eof_received(self) -> None:
        """A client that hangs up before the answer: the transport closes, and `connection_lost` cleans up."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = self.answered = True
        if self.task is not None:  # ends the dial, so that no upstream socket stays behind
            self.task.cancel(GONE_BY_RESET if exc is not None else None)
