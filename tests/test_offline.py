"""A whole proxy, from its first import to its last message: no address but loopback is ever asked for.

Every process it starts loads `sitecustomize`, which ends it at the first attempt (sys.addaudithook, so whatever
Python's socket module does is seen; libuv's own sockets are the listener's and the upstream's).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.harness import Hushwire

GUARD = """
import os, sys

def near(host):
    return host in (None, "", "localhost", b"localhost") or str(host).startswith(("127.", "::1", "/"))

def guard(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        far = isinstance(address, tuple) and not near(address[0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        far = not near(arguments[0])
    else:
        return
    if far:
        os.write(2, b"OFFLINE: " + event.encode() + b"\\\\n")
        os._exit(77)

sys.addaudithook(guard)
"""


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a Python that has no network but loopback."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(GUARD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(
    "call", ["create_connection(('192.0.2.1', 80), 0.1)", "getaddrinfo('example.invalid', 80)"]
)
def test_the_guard_guards(call: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import socket; socket.{call}"], check=False, capture_output=True
    )
    assert (done.returncode, done.stderr[:8]) == (77, b"OFFLINE:")


@pytest.mark.parametrize("options", [(), ("--ner", "rampart")], ids=["rules", "rampart"])
def test_a_proxy_starts_and_filters_without_the_network(guarded: Path, options: tuple[str, ...]) -> None:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async def through() -> object:
        async with serve(echo, "127.0.0.1", 0) as upstream:
            port = next(iter(upstream.sockets)).getsockname()[1]
            with await asyncio.to_thread(Hushwire, f"ws://127.0.0.1:{port}", *options) as proxy:
                async with connect(proxy.url, proxy=None) as client:
                    await client.send("Maria Kowalski of bob@example.com called +44 20 7946 0958")
                    answer = await asyncio.wait_for(client.recv(), 20)
                assert await asyncio.to_thread(proxy.stop) == 0, proxy.log
                assert not any("OFFLINE" in line for line in proxy.log)
                return answer

    answer = asyncio.run(through())
    assert isinstance(answer, str) and "<EMAIL_ADDRESS> called <PHONE_NUMBER>" in answer
    assert [*guarded.rglob("gate-*.db")]  # it was cold: what compiles is guarded too
