"""fastapi-reverse-proxy as its README shows it."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket
from fastapi_reverse_proxy import proxy_pass_websocket  # type: ignore[import-untyped]

from benchmarks.peers.serve import serve, upstream_port

app = FastAPI()


@app.websocket("/{path:path}")
async def relay(client: WebSocket, path: str) -> None:
    """Hand over at once."""
    await proxy_pass_websocket(client, f"ws://127.0.0.1:{upstream_port()}", f"/{path}")


if __name__ == "__main__":
    serve(app)
