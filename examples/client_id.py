"""A number in the path. What is not a number never becomes a connection: the handshake is refused with 403.

(FastAPI closes before accepting when a parameter is invalid; ASGI makes a bare 403 of that.)
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import FastAPI, Path, WebSocket

from examples.texts import GONE, texts

app = FastAPI(title="Client id")


@app.websocket("/ws/{client_id}")
async def converse(websocket: WebSocket, client_id: Annotated[int, Path(ge=0)]) -> None:
    """Answer under the number of the client."""
    await websocket.accept()
    with suppress(*GONE):
        async for text in texts(websocket):
            await websocket.send_text(f"Client {client_id}: {text}")
