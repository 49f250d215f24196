"""The dialling end: the upgrade request goes upstream, and the answer is read with websockets' sans-I/O client.

The client's own Sec-WebSocket-Key is used, so the upstream's 101 (accept key, subprotocol, cookies, header case
and order) and its refusals can be passed on byte for byte.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidStatus
from websockets.extensions import Extension
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from proxy.settings import Settings, Upstream
from proxy.wire.deflate import DeflateParams, answer
from proxy.wire.reset import GONE_BY_RESET, reset

VERSION_1_0, VERSION_1_1 = b"HTTP/1.0 ", b"HTTP/1.1 "
SILENT = "The upstream closed the connection without answering the handshake."
MAX_ANSWER = 1024 * 1024  # bytes of a refusal, head and body


class BadAnswer(Exception):  # noqa: N818 - named after what the upstream sent
    """The upstream answered, but not as RFC 6455 section 4.2.2 asks. The text is for the client."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The upstream agreed: the head of its 101 to pass on, and what came right behind it."""

    head: bytes
    rest: bytes
    deflate: DeflateParams | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The upstream refused: its whole response as it came."""

    response: bytes


class Handshake(ClientProtocol):
    """The client side of an opening handshake whose negotiation is judged by the client in front of the proxy."""

    def __init__(self, key: str) -> None:
        super().__init__(parse_uri("ws://upstream/"), max_size=None)
        self.key = key

    def process_extensions(self, headers: Headers) -> list[Extension]:  # noqa: ARG002 - see deflate.answer
        return []

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:  # noqa: ARG002
        return None


class Dial(asyncio.Protocol):
    """One upgrade request on its way upstream.

    `opened` is called in the very turn of the loop in which the 101 arrives, so that no byte and no end of
    the connection can fall between the handshake and the leg; everything else ends in the future `over`.
    """

    __slots__ = ("_loop", "buffer", "handshake", "opened", "over", "request", "transport")

    def __init__(self, request: bytes, key: str, opened: Callable[[asyncio.Transport, Opened], None]) -> None:
        self.request = request
        self.handshake = Handshake(key)
        self.opened = opened
        self.buffer = b""
        self._loop = asyncio.get_running_loop()
        self.over: asyncio.Future[Refused | None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from asyncio's
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.over.done():
            return
        fed, self.buffer = len(self.buffer), self.buffer + data
        if len(self.buffer) > MAX_ANSWER:
            self._fail(BadAnswer("The upstream's answer is larger than 1 MiB."))
            return
        if fed < len(VERSION_1_0):
            if len(self.buffer) < len(VERSION_1_0):
                return
            data = self.buffer
            if data.startswith(VERSION_1_0):  # refusals of small servers; websockets reads none but HTTP/1.1
                data = VERSION_1_1 + data[len(VERSION_1_0) :]
        self.handshake.receive_data(data)
        self._progress()

    def eof_received(self) -> None:
        if not self.over.done():
            self.handshake.receive_eof()  # a refusal without a length ends here
            self._progress()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.over.done():
            self._fail(BadAnswer(SILENT))

    def _fail(self, error: BaseException) -> None:
        if not self.over.done():
            self.over.set_exception(error)
        self.transport.abort()

    def _progress(self) -> None:
        error = self.handshake.handshake_exc
        if isinstance(error, InvalidStatus):
            self._refused(error.response)
        elif error is not None:
            self._fail(BadAnswer(_what_is_wrong(error)))
        elif any(isinstance(event, Response) for event in self.handshake.events_received()):
            self._opened()

    def _refused(self, response: Response) -> None:
        if response.status_code < 200:  # 103 Early Hints and the like; the answer comes behind it
            rest = self.buffer[self.buffer.index(b"\r\n\r\n") + 4 :]
            self.buffer, self.handshake = b"", Handshake(self.handshake.key)
            if rest:
                self.data_received(rest)
            return
        if 200 <= response.status_code < 300:
            self._fail(BadAnswer(f"The upstream answered {response.status_code} to a WebSocket handshake."))
            return
        self.over.set_result(Refused(self.buffer))
        self.transport.close()

    def _opened(self) -> None:
        end = self.buffer.index(b"\r\n\r\n") + 4
        try:
            head, deflate = pass_on(self.buffer[:end])
        except ValueError as error:
            self._fail(BadAnswer(f"The handshake failed: {error}."))
            return
        self.over.set_result(None)
        self.opened(self.transport, Opened(head, self.buffer[end:], deflate))


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error.__cause__, EOFError):
        return SILENT
    if isinstance(error, InvalidHeader):
        return f"The upstream's 101 has a wrong or missing {error.name} header."
    return "The upstream's answer is not a response in HTTP/1.1."


def pass_on(head: bytes) -> tuple[bytes, DeflateParams | None]:
    """The 101 for the client: as it came, but for the parameters that permessage-deflate needs here.

    Raises ValueError if the upstream agreed to an extension that was not offered.
    """
    lines = head[:-4].split(b"\r\n")
    is_extension = [line.partition(b":")[0].strip().lower() == b"sec-websocket-extensions" for line in lines]
    values = [line.partition(b":")[2].strip() for line, hit in zip(lines, is_extension, strict=True) if hit]
    agreed = answer(values) if values else None
    if agreed is None:
        return head, None
    spelling, params = agreed
    first = is_extension.index(True)
    name = lines[first].partition(b":")[0]
    kept = [line for index, line in enumerate(lines) if not is_extension[index] or index == first]
    kept[first] = name + b": " + spelling.encode("latin-1")
    return b"\r\n".join(kept) + b"\r\n\r\n", params


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """How wss:// upstreams are verified: the system's authorities, or those of `upstream_ca`."""
    if not settings.upstream.secure:
        return None
    context = ssl.create_default_context(cafile=settings.upstream_ca)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def dial(
    upstream: Upstream,
    tls: ssl.SSLContext | None,
    request: bytes,
    key: str,
    opened: Callable[[asyncio.Transport, Opened], None],
) -> Refused | None:
    """Connect, send the request and wait for the answer; None once `opened` was called.

    Raises OSError (unreachable, TLS), BadAnswer. Cancelling it ends the upstream connection, with RST if the
    message of the cancellation is `GONE_BY_RESET`.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(
        lambda: Dial(request, key, opened), upstream.host, upstream.port, ssl=tls
    )
    try:
        return await protocol.over
    except asyncio.CancelledError as cancelled:
        if not protocol.over.done() or protocol.over.cancelled():
            if GONE_BY_RESET in cancelled.args:
                reset(transport)
            transport.abort()
        raise
