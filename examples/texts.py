"""What most of the services share: reading texts from a client that may send anything, or just vanish.

Starlette's `iter_text` fails with KeyError on a binary message, and after a send that failed it cannot
be asked for the goodbye any more; both would end the connection without a CLOSE.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import WebSocket, status
from starlette.websockets import WebSocketDisconnect, WebSocketDisconnected

GONE = (WebSocketDisconnect, WebSocketDisconnected)
"""What a send raises, the first and the next time, when the client has left meanwhile."""


async def texts(websocket: WebSocket) -> AsyncIterator[str]:
    """Every text until the client leaves; a binary message ends the connection with 1003."""
    while (event := await websocket.receive())["type"] == "websocket.receive":
        text = event.get("text")
        if text is None:
            await websocket.close(status.WS_1003_UNSUPPORTED_DATA, "text only")
            return
        yield text
