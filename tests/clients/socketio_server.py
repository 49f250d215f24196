"""A Socket.IO service on python-socketio, WebSocket transport only, under uvicorn; it remembers what reached it.

Events of a client on `/chat`: `say` is answered by an acknowledgement and by `said`; `file` gets its bytes back;
`tell` makes the service emit `news`, which holds an e-mail address. `seen()` gives the next connection that ended.
"""

from __future__ import annotations

import queue
from typing import Any

import socketio  # type: ignore[import-untyped]

from tests.clients.script import DEADLINE
from tests.clients.servers import Asgi
from tests.clients.upstream import MAIL

HEARTBEAT = 0.2  # seconds between the server's pings, so that a short conversation meets some


class SocketIo(Asgi):
    """The service. Its records are lists of [event, data]: connect with the auth, all events, and disconnect."""

    name = "python-socketio"

    def __init__(self) -> None:
        self.conversations: dict[str, list[list[Any]]] = {}
        self.ended: queue.Queue[list[list[Any]]] = queue.Queue()
        server = socketio.AsyncServer(
            async_mode="asgi", transports=["websocket"], ping_interval=HEARTBEAT, ping_timeout=DEADLINE
        )
        for event in ("connect", "disconnect", "say", "file", "tell"):
            server.on(event, getattr(self, f"on_{event}"), namespace="/chat")
        self.server = server
        super().__init__(socketio.ASGIApp(server))

    def heard(self) -> list[list[Any]]:
        """What reached the service on the next conversation that ended; waits for it to end."""
        return self.ended.get(timeout=DEADLINE)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        self.conversations[sid] = [["connect", auth]]

    async def on_disconnect(self, sid: str, reason: str) -> None:
        self.ended.put([*self.conversations.pop(sid), ["disconnect"]])  # the reason is a race, directly too

    async def on_say(self, sid: str, data: Any) -> dict[str, Any]:
        self.conversations[sid].append(["say", data])
        await self.server.emit("said", data, to=sid, namespace="/chat")
        return {"ok": True, "you": data}

    async def on_file(self, sid: str, name: str, content: bytes) -> list[Any]:
        self.conversations[sid].append(["file", name, content.hex()])
        return [name, content]

    async def on_tell(self, sid: str) -> None:
        self.conversations[sid].append(["tell"])
        await self.server.emit("news", {"text": MAIL, "count": 1}, to=sid, namespace="/chat")
