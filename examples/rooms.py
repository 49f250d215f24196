"""Rooms: both parameters come in the query and are required: `/ws?room=lobby&user_id=7`.

A message reaches everyone in the same room and nobody else. A missing or invalid parameter refuses the
handshake with 403 (FastAPI closes before accepting).
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Annotated

from fastapi import FastAPI, Query, WebSocket

from examples.texts import GONE, texts

Room = Annotated[str, Query(min_length=1, max_length=40, description="Chat room name")]
UserId = Annotated[int, Query(ge=1, description="User ID")]

app = FastAPI(title="Rooms")
present: defaultdict[str, list[WebSocket]] = defaultdict(list)


async def say(room: str, text: str) -> None:
    """Send `text` to everyone in `room`; who is gone misses it."""
    for websocket in present[room].copy():
        with suppress(*GONE):
            await websocket.send_text(text)


@app.websocket("/ws")
async def enter(websocket: WebSocket, room: Room, user_id: UserId) -> None:
    """Welcome the user, then pass on what is said."""
    await websocket.accept()
    present[room].append(websocket)
    try:
        with suppress(*GONE):
            await websocket.send_text(f"Welcome to room {room}, user {user_id}!")
        async for text in texts(websocket):
            await say(room, f"[{room}] User {user_id}: {text}")
    finally:
        present[room].remove(websocket)
        if not present[room]:
            del present[room]
