"""JSON messages, in text or in binary ones: `/ws/json` or `/ws/json?mode=binary`.

What cannot be read closes the connection with the code that says why (RFC 6455 section 7.4.1): 1003 for
the wrong kind of message, 1007 for a payload that is not JSON. Compare safe_json.py, which answers instead.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import FastAPI, Query, WebSocket, status

from examples.texts import GONE

Mode = Literal["text", "binary"]
KEYS: dict[Mode, str] = {"text": "text", "binary": "bytes"}  # where ASGI puts the payload

app = FastAPI(title="JSON")


async def answer(websocket: WebSocket, mode: Mode, payload: str | bytes | None, number: int) -> bool:
    """Send one reply, or close; whether the conversation goes on."""
    if payload is None:
        await websocket.close(status.WS_1003_UNSUPPORTED_DATA, f"send {mode} messages")
        return False
    try:
        original = json.loads(payload)
        reply = {"type": "response", "number": number, "original_message": original}
        await websocket.send_json(reply, mode=mode)
    except (ValueError, RecursionError):  # not JSON, a lone surrogate, nested too deep
        await websocket.close(status.WS_1007_INVALID_FRAME_PAYLOAD_DATA, "not JSON")
        return False
    return True


@app.websocket("/ws/json")
async def converse(websocket: WebSocket, mode: Annotated[Mode, Query()] = "text") -> None:
    """Wrap every document in a reply that counts them."""
    await websocket.accept()
    number = 0
    with suppress(*GONE):
        while (event := await websocket.receive())["type"] == "websocket.receive":
            number += 1
            if not await answer(websocket, mode, event.get(KEYS[mode]), number):
                return
