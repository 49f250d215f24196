"""Socket.IO clients, all holding the same conversation over the WebSocket transport on the namespace /chat.

They connect with a token; say each of the words, and wait for the acknowledgement and for `said`; send a file and
get it back; `tell`, and wait for `news`; stay while some heartbeats pass; say "still here"; disconnect. The report
is a list of [what, data]; bytes are hex.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable
from typing import Any

import socketio  # type: ignore[import-untyped]

from tests.clients.node import run_node
from tests.clients.script import DEADLINE, Event
from tests.clients.socketio_server import HEARTBEAT

Converse = Callable[[str, list[Any], bytes], list[Event]]
TOKEN = "t0ken"
STAY = 2.5 * HEARTBEAT


def python_sync(url: str, words: list[Any], file: bytes) -> list[Event]:
    """python-socketio's blocking client, on websocket-client."""
    client = socketio.Client(reconnection=False)
    said: queue.Queue[Any] = queue.Queue()
    news: queue.Queue[Any] = queue.Queue()
    client.on("said", said.put, namespace="/chat")
    client.on("news", news.put, namespace="/chat")
    client.connect(
        url, transports=["websocket"], namespaces=["/chat"], auth={"token": TOKEN}, wait_timeout=DEADLINE
    )
    report: list[Event] = [["connected"]]
    try:
        for word in words:
            report.append(["ack", client.call("say", word, namespace="/chat", timeout=DEADLINE)])
            report.append(["said", said.get(timeout=DEADLINE)])
        name, content = client.call("file", ("a.bin", file), namespace="/chat", timeout=DEADLINE)
        report.append(["file", name, content.hex()])
        client.emit("tell", namespace="/chat")
        report.append(["news", news.get(timeout=DEADLINE)])
        time.sleep(STAY)
        report.append(["ack", client.call("say", "still here", namespace="/chat", timeout=DEADLINE)])
    finally:
        client.disconnect()
    return report


def python_async(url: str, words: list[Any], file: bytes) -> list[Event]:
    """python-socketio's asyncio client, on aiohttp."""
    return asyncio.run(asyncio.wait_for(_python_async(url, words, file), DEADLINE))


async def _python_async(url: str, words: list[Any], file: bytes) -> list[Event]:
    client = socketio.AsyncClient(reconnection=False)
    said: asyncio.Queue[Any] = asyncio.Queue()
    news: asyncio.Queue[Any] = asyncio.Queue()
    client.on("said", said.put_nowait, namespace="/chat")
    client.on("news", news.put_nowait, namespace="/chat")
    await client.connect(url, transports=["websocket"], namespaces=["/chat"], auth={"token": TOKEN})
    report: list[Event] = [["connected"]]
    try:
        for word in words:
            report.append(["ack", await client.call("say", word, namespace="/chat")])
            report.append(["said", await said.get()])
        name, content = await client.call("file", ("a.bin", file), namespace="/chat")
        report.append(["file", name, content.hex()])
        await client.emit("tell", namespace="/chat")
        report.append(["news", await news.get()])
        await asyncio.sleep(STAY)
        report.append(["ack", await client.call("say", "still here", namespace="/chat")])
    finally:
        await client.disconnect()
    return report


def npm(url: str, words: list[Any], file: bytes) -> list[Event]:
    """The npm package `socket.io-client`."""
    message = {
        "url": url,
        "token": TOKEN,
        "words": words,
        "file": file.hex(),
        "stay": STAY * 1000,
        "deadline": DEADLINE * 1000,
    }
    report: list[Event] = run_node("socketio_client.mjs", message)
    return report
