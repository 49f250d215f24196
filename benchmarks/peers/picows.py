"""A plain relay on picows, a WebSocket library in C: what a compiled frame path costs without any filter."""

from __future__ import annotations

import asyncio

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_connect, ws_create_server

from benchmarks.peers.serve import announce, bind, upstream_port

MAX_FRAME = 16 * 1024 * 1024


class Inward(WSListener):
    """The upstream side: frames go to the client."""

    def __init__(self, client: WSTransport) -> None:
        super().__init__()
        self.client = client

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self.client.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            self.client.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.client.disconnect()


class Outward(WSListener):
    """The client side: frames go to the upstream, and wait while it is being dialled."""

    def __init__(self) -> None:
        super().__init__()
        self.upstream: WSTransport | None = None
        self.early: list[tuple[WSMsgType, bytes, bool]] = []
        self.lost = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        task = asyncio.get_running_loop().create_task(self.dial(transport))
        dialling.add(task)
        task.add_done_callback(dialling.discard)

    async def dial(self, client: WSTransport) -> None:
        self.upstream, _ = await ws_connect(
            lambda: Inward(client), UPSTREAM, enable_auto_pong=False, max_frame_size=MAX_FRAME
        )
        for kind, payload, fin in self.early:
            self.upstream.send(kind, payload, fin)
        self.early.clear()
        if self.lost:
            self.upstream.disconnect()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self.upstream is None:
            self.early.append((frame.msg_type, frame.get_payload_as_bytes(), frame.fin))
        else:
            self.upstream.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.lost = True
        if self.upstream is not None:
            self.upstream.disconnect()


def accept(request: WSUpgradeRequest) -> WSListener:
    """Every request is welcome."""
    return Outward()


async def main() -> None:
    sock = bind()
    server = await ws_create_server(accept, sock=sock, enable_auto_pong=False, max_frame_size=MAX_FRAME)
    announce(sock.getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    UPSTREAM = f"ws://127.0.0.1:{upstream_port()}/"
    dialling: set[asyncio.Task[None]] = set()
    uvloop.run(main())
