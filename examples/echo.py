"""Echo: the smallest service there is. Text comes back with a prefix, binary as it came."""

from __future__ import annotations

from contextlib import suppress

from fastapi import FastAPI, WebSocket

from examples.texts import GONE

app = FastAPI(title="Echo")


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    """Answer every message until the client leaves."""
    await websocket.accept()
    with suppress(*GONE):
        while (event := await websocket.receive())["type"] == "websocket.receive":
            if (text := event.get("text")) is not None:
                await websocket.send_text(f"Message text was: {text}")
            else:
                await websocket.send_bytes(event["bytes"])
