"""Listening sockets, and uvicorn as their servant: its signals, its own WebSockets and its headers are off.

uvicorn trusts X-Forwarded-For from 127.0.0.1 and adds Date and Server headers by default; here nothing is
believed or added that proxy/wire/headers.py does not decide.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxy.settings import Address
from proxy.wire.crowd import FEW

BACKLOG = 2048


def bind(address: Address) -> socket.socket:
    """A listening socket on the first address that `address` resolves to. Raises OSError."""
    info = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.create_server(info[4][:2], family=info[0], backlog=BACKLOG)
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> Address:
    """Where a socket listens, with the port that the system chose."""
    host, port = sock.getsockname()[:2]
    return Address(host, port)


class SideDoor(HttpToolsProtocol):
    """uvicorn's HTTP protocol, for a few at a time: one descriptor each is reserved."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > FEW:
            transport.abort()


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to proxy/process.py."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not here: one process may run two of these."""
        yield

    def stop_accepting(self) -> None:
        """Close the listening sockets; connections go on."""
        for server in self.servers:
            server.close()


def listener(
    app: Any,
    http: type[HttpToolsProtocol] = SideDoor,
    cert: Path | None = None,
    key: Path | None = None,
    client_ca: Path | None = None,
) -> Listener:
    """A server for `app`, ready for `start`. Raises OSError or ssl.SSLError for a bad certificate.

    With `client_ca` nobody gets through the TLS handshake without a certificate that it has signed.
    """
    config = uvicorn.Config(
        app,
        http=http,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,
        ssl_certfile=cert,
        ssl_keyfile=key,
        ssl_ca_certs=None if client_ca is None else str(client_ca),
        ssl_cert_reqs=ssl.CERT_NONE if client_ca is None else ssl.CERT_REQUIRED,
    )
    config.load()
    return Listener(config)


async def start(server: Listener, sock: socket.socket) -> asyncio.Task[None]:
    """Serve on `sock` in a task; returns once connections are accepted."""
    task = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        if task.done():
            await task
            raise RuntimeError("the listener ended before it had started")
        await asyncio.sleep(0.001)
    return task
