"""What the Python peers share: bind, say so, and run an ASGI application as uvicorn runs it at its fastest."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any


def bind() -> socket.socket:
    """A socket on a free port of 127.0.0.1."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


def announce(port: int) -> None:
    """The line the benchmark waits for."""
    print(json.dumps({"event": "ready", "listen": f"127.0.0.1:{port}", "pid": os.getpid()}), flush=True)


def upstream_port() -> int:
    """The first argument of every peer."""
    return int(sys.argv[1])


def serve(app: Any) -> None:
    """Run `app` until SIGTERM: uvloop, httptools, websockets-sansio, no access log; nothing else is set."""
    import uvicorn

    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="websockets-sansio", log_level="error", access_log=False
    )
    sock = bind()
    announce(sock.getsockname()[1])
    uvicorn.Server(config).run(sockets=[sock])
