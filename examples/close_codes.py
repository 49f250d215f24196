"""Who ends a connection can say why: close codes and reasons (RFC 6455 section 7.4).

`close` ends with 1000, `error` with 1011, `close 4001 gone fishing` with a code and reason of the client's
choosing. 3000 to 3999 are registered codes, 4000 to 4999 are private; a reason has at most 123 bytes.
"""

from __future__ import annotations

from contextlib import suppress

from fastapi import FastAPI, WebSocket, status

from examples.texts import GONE, texts

app = FastAPI(title="Close codes")

Ending = tuple[int, str]

ENDINGS: dict[str, Ending] = {
    "close": (status.WS_1000_NORMAL_CLOSURE, "Client requested close"),
    "error": (status.WS_1011_INTERNAL_ERROR, "Server error occurred"),
}


def ending(text: str) -> Ending | None:
    """The code and reason that `text` asks for, or None if it asks for none that may be sent."""
    if text in ENDINGS:
        return ENDINGS[text]
    verb, _, rest = text.partition(" ")
    code, _, reason = rest.partition(" ")
    allowed = code.isascii() and code.isdigit() and len(code) == 4 and 3000 <= int(code) <= 4999
    return (int(code), reason) if verb == "close" and allowed and len(reason.encode()) <= 123 else None


@app.websocket("/ws/custom-close")
async def converse(websocket: WebSocket) -> None:
    """Echo until one side has had enough."""
    await websocket.accept()
    with suppress(*GONE):
        async for text in texts(websocket):
            if (end := ending(text)) is not None:
                await websocket.close(*end)
                return
            await websocket.send_text(f"Received: {text}")
