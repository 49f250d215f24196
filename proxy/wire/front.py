"""The ASGI app of the data port: every path is a WebSocket of some upstream, and nothing else."""

from __future__ import annotations

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, Response

from proxy.wire.door import pass_through
from proxy.wire.edge import EXTENSION
from proxy.wire.routes import Routes

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def front(routes: Routes) -> FastAPI:
    """The app that hands each handshake to the door."""
    app = FastAPI(title="Hushwire", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.websocket("/{path:path}")
    async def door(websocket: WebSocket) -> None:
        await pass_through(websocket.scope["extensions"][EXTENSION], routes)

    async def plain_http(_request: Request) -> Response:
        sentence = "This port speaks WebSocket only (RFC 6455): connect with ws:// and an Upgrade header.\n"
        # Closed, because the body of such a request is not waited for: one that never ends would stay for ever.
        return PlainTextResponse(sentence, 426, {"Upgrade": "websocket", "Connection": "Upgrade, close"})

    app.add_route("/{path:path}", plain_http, METHODS, include_in_schema=False)
    return app
