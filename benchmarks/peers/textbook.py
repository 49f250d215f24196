"""The proxy everybody writes first: @app.websocket, websockets.connect, two tasks."""

from __future__ import annotations

import asyncio

import websockets
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.peers.serve import serve, upstream_port

app = FastAPI()


@app.websocket("/{path:path}")
async def relay(client: WebSocket, path: str) -> None:
    """Connect upstream, accept, and copy messages until one side is done."""
    async with websockets.connect(f"ws://127.0.0.1:{upstream_port()}/{path}", proxy=None) as upstream:
        await client.accept()
        tasks = {asyncio.create_task(outward(client, upstream)), asyncio.create_task(inward(client, upstream))}
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


async def outward(client: WebSocket, upstream: websockets.ClientConnection) -> None:
    """Client to upstream."""
    try:
        while True:
            message = await client.receive()
            if message["type"] == "websocket.disconnect":
                await upstream.close(message.get("code") or 1000)
                return
            text = message.get("text")
            await upstream.send(text if text is not None else message["bytes"])
    except (WebSocketDisconnect, websockets.ConnectionClosed):
        return


async def inward(client: WebSocket, upstream: websockets.ClientConnection) -> None:
    """Upstream to client."""
    try:
        async for message in upstream:
            await (client.send_text(message) if isinstance(message, str) else client.send_bytes(message))
        await client.close(upstream.close_code or 1000)
    except (WebSocketDisconnect, websockets.ConnectionClosed):
        return


if __name__ == "__main__":
    serve(app)
