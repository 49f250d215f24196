"""Run an example with a real uvicorn in a thread, and keep what it saw of every connection.

The watching happens between uvicorn and the application, so the examples themselves know nothing of it.
"""

from __future__ import annotations

import importlib
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE = 10.0  # seconds for anything that must happen; reached only when a test fails


@dataclass
class Visit:
    """One connection as the application saw it: the request, and the events it received."""

    path: str
    query: str
    subprotocols: list[str]
    headers: list[tuple[str, str]]
    events: list[tuple[object, ...]] = field(default_factory=list)
    failure: str | None = None
    over: threading.Event = field(default_factory=threading.Event)


def event_row(event: Any) -> tuple[object, ...] | None:
    """What is to be remembered of an ASGI event; `websocket.connect` says nothing."""
    if event["type"] == "websocket.disconnect":
        return "disconnect", event["code"], event.get("reason")
    if event["type"] == "websocket.receive":
        return ("text", event["text"]) if event.get("text") is not None else ("binary", event["bytes"])
    return None


class Watch:
    """ASGI middleware that writes a Visit for every WebSocket connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.visits: list[Visit] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("ascii")
        visit = Visit(path, query, scope["subprotocols"], headers)
        self.visits.append(visit)

        async def watched() -> Any:
            event = await receive()
            if (row := event_row(event)) is not None:
                visit.events.append(row)
            return event

        try:
            return await self.app(scope, watched, send)
        except BaseException as error:
            visit.failure = type(error).__name__
            raise
        finally:
            visit.over.set()


class Service:
    """`examples.NAME` on an ephemeral port, as uvicorn runs it by default; a context manager."""

    def __init__(self, name: str) -> None:
        self.watch = Watch(importlib.import_module(f"examples.{name}").app)
        config = uvicorn.Config(self.watch, host="127.0.0.1", port=0, log_config=None, access_log=False)
        assert config.ws == "auto"
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, name=f"examples.{name}")

    def __enter__(self) -> Service:
        self.thread.start()
        deadline = time.monotonic() + PATIENCE
        while not self.server.started:
            assert self.thread.is_alive() and time.monotonic() < deadline, "the example did not start"
            time.sleep(0.01)
        self.port: int = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "the example did not stop"

    def visits_since(self, start: int) -> list[Visit]:
        """The visits from number `start` on, once all of them are over."""
        visits = self.watch.visits[start:]
        for visit in visits:
            assert visit.over.wait(PATIENCE), f"the service still has a connection to {visit.path}"
        return visits
