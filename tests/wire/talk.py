"""A conversation between a raw client and a raw upstream, played in one thread over real sockets.

A script says in order who sends what and who must have heard what before it goes on, so time is never
measured: that a CLOSE arrived before the other side closed TCP is told by the order of the script.
"""

from __future__ import annotations

import base64
import hashlib
import select
import socket
import time
from collections.abc import Callable
from types import TracebackType

from tests.wire.frames import CLOSE, MASK, close
from tests.wire.peer import Peer, Seen, Transcript

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HOST = "service.example"

Address = tuple[str, int]


class Talk:
    """One connection from a client to `front` (the upstream itself, or what stands before it)."""

    def __init__(self, listener: socket.socket, front: Address, name: str, limit: float) -> None:
        self.listener, self.path, self.limit = listener, f"/s/{name}".encode(), limit
        self.peers: list[Peer] = []
        self.client = Peer(self, socket.create_connection(front, 5.0), MASK)
        self.peers.append(self.client)
        self._upstream: Peer | None = None

    def pump(self, done: Callable[[], bool], limit: float | None = None) -> None:
        """Serve both sockets until `done()`, for at most `limit` seconds."""
        deadline = time.monotonic() + (self.limit if limit is None else limit)
        while not done() and (left := deadline - time.monotonic()) > 0:
            readers = {peer.sock: peer for peer in self.peers if not peer.ended}
            writers = {peer.sock: peer for peer in self.peers if peer.pending}
            ready, free, _ = select.select(readers, writers, (), left)
            for sock in ready:
                readers[sock].read()
            for sock in free:
                writers[sock].write()

    # -- the handshake ------------------------------------------------------------------------------

    @property
    def upstream(self) -> Peer:
        """The upstream's end; accepted, with the whole request head, when a script first speaks of it."""
        if self._upstream is None:
            self._upstream = self._accept()
        return self._upstream

    def _accept(self) -> Peer:
        deadline = time.monotonic() + self.limit
        while select.select((self.listener,), (), (), max(0.0, deadline - time.monotonic()))[0]:
            peer = Peer(self, self.listener.accept()[0], None)
            self.peers.append(peer)
            peer.hears_head()
            if peer.head.startswith(b"GET " + self.path):
                return peer
            self.peers.remove(peer)  # a late connection of an earlier conversation
            peer.sock.close()
        raise NoUpstreamError

    def request(self, suffix: bytes = b"", headers: bytes = b"") -> bytes:
        """An opening handshake (RFC 6455 section 4.1) for this conversation's path."""
        return (
            b"GET " + self.path + suffix + b" HTTP/1.1\r\n"
            b"Host: " + HOST.encode() + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: " + KEY.encode() + b"\r\nSec-WebSocket-Version: 13\r\n" + headers + b"\r\n"
        )

    def accept_key(self) -> bytes:
        """Sec-WebSocket-Accept for the key that reached the upstream (section 4.2.2)."""
        lines = self.upstream.head.decode("latin-1").split("\r\n")
        keys = [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-key:")]
        digest = hashlib.sha1("".join([*keys[:1], GUID]).encode()).digest()
        return base64.b64encode(digest)

    def answer(self, headers: bytes = b"") -> bytes:
        """A 101 for the request the upstream received."""
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + self.accept_key() + b"\r\n" + headers + b"\r\n"
        )

    def open(self, suffix: bytes = b"", request: bytes = b"", answer: bytes = b"") -> None:
        """A whole opening handshake, with more headers on either side."""
        self.client.send(self.request(suffix, request))
        self.upstream.send(self.answer(answer))
        self.client.hears_head()

    # -- ways to end --------------------------------------------------------------------------------

    def bye(self, first: bytes | None = None, reply: bytes | None = None, by_client: bool = False) -> None:
        """A closing handshake with these CLOSE payloads (default 1000); then the upstream closes TCP first."""
        opener, other = (self.client, self.upstream) if by_client else (self.upstream, self.client)
        first = close(1000, "done") if first is None else first
        opener.say(CLOSE, first)
        other.hears_close()
        other.say(CLOSE, first if reply is None else reply)
        opener.hears_close()
        self.ends(self.upstream)

    def ends(self, first: Peer) -> None:
        """`first` closes TCP, the other side sees it and follows."""
        second = self.client if first is self.upstream else self.upstream
        first.fin()
        second.hears_end()
        second.fin()
        first.hears_end()

    def hangs_up(self) -> None:
        """Both sides close TCP at once."""
        self.client.fin()
        self.upstream.fin()
        self.client.hears_end()
        self.upstream.hears_end()

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        for peer in self.peers:
            peer.sock.close()

    @property
    def transcript(self) -> Transcript:
        """What both sides received up to now."""
        nobody = Seen(events=("missing request",))
        return Transcript(self.client.seen, self._upstream.seen if self._upstream else nobody)


class NoUpstreamError(Exception):
    """The request of this conversation never reached the upstream."""


def record(
    play: Callable[[Talk], None], listener: socket.socket, front: Address, name: str, limit: float = 5.0
) -> Transcript:
    """Play one conversation through `front` and return what both sides received."""
    with Talk(listener, front, name, limit) as talk:
        try:
            play(talk)
        except NoUpstreamError:
            talk.client.hears_end()
        return talk.transcript
