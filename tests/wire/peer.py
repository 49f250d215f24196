"""A conversation between a raw client and a raw upstream, played in one thread over real sockets.

A script says in order who sends what and who must have seen what before it goes on, so time is never
measured: that a CLOSE arrived before the other side closed TCP is told by the order of the script. What
each side received is written down (`Seen`) and later compared. Nothing here judges: a wait that runs out
becomes an event like any other.
"""

from __future__ import annotations

import base64
import hashlib
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from tests.wire.frames import CLOSE, MASK, Frame, build, close, parse

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HOST = "service.example"
FIN, RST, LATER = "FIN", "RST", "(later)"

Event = Frame | str
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side received. `head` is the raw HTTP head, `body` what followed a head that is no 101,
    `rest` the bytes of a frame that never became whole. `events`: frames, FIN, RST, "missing ..."."""

    head: bytes = b""
    body: bytes = b""
    events: tuple[Event, ...] = ()
    rest: bytes = b""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What both sides of one conversation received."""

    client: Seen
    upstream: Seen


class Peer:
    """One end: a socket, what it still has to send, and everything it received."""

    def __init__(self, talk: Talk, sock: socket.socket, mask: bytes | None) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.talk, self.sock, self.mask = talk, sock, mask
        self.head = b""
        self.body = b""
        self.events: list[Event] = []
        self.ended = False  # nothing more can be received
        self.told = 0  # frames the script has waited for
        self._in = bytearray()
        self._out = bytearray()

    # -- what a script says -------------------------------------------------------------------------

    def wire(
        self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, width: int | None = None
    ) -> bytes:
        """A frame as this side sends it: masked by the client, bare from the upstream."""
        return build(opcode, payload, fin=fin, rsv=rsv, mask=self.mask, width=width)

    def send(self, data: bytes) -> None:
        """Send `data`, as one segment if the kernel can; both sides keep reading meanwhile."""
        self._out += data
        self.write()
        self.talk.pump(lambda: not self._out)

    def say(self, opcode: int, payload: bytes = b"", *, fin: bool = True) -> None:
        """Send one frame."""
        self.send(self.wire(opcode, payload, fin=fin))

    def fin(self) -> None:
        """Half-close: this side sends nothing more, but reads on."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the other side has already reset the connection; that is in the events
            self.read()

    def rst(self) -> None:
        """Abort: the other side sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.ended = True
        self.sock.close()

    def hears(self, frames: int = 1) -> None:
        """Wait for that many frames more than the script has waited for so far."""
        self.told += frames
        self._wait(lambda: len(self._frames()) >= self.told, f"frame {self.told}")

    def hears_more(self) -> None:
        """Wait for anything beyond the frames waited for so far, even a part of a frame."""
        self._wait(lambda: len(self._frames()) > self.told or bool(self._in), "anything more")

    def hears_close(self) -> None:
        """Wait for a CLOSE frame."""
        self._wait(lambda: any(f.opcode == CLOSE for f in self._frames()), "CLOSE")

    def hears_head(self) -> None:
        """Wait for the whole head of the handshake."""
        self._wait(lambda: bool(self.head), "head")

    def hears_body(self, size: int) -> None:
        """Wait for `size` bytes after a head that is no 101."""
        self._wait(lambda: len(self.body) >= size, "body")

    def hears_end(self) -> None:
        """Wait for FIN or RST."""
        self._wait(lambda: self.ended, "end", even_ended=True)

    def waits(self, seconds: float) -> None:
        """Let time pass, then mark the place: what came before the mark did not wait for later steps."""
        self.talk.pump(lambda: False, seconds)
        self.events.append(LATER)

    # -- what happens -------------------------------------------------------------------------------

    @property
    def seen(self) -> Seen:
        """Everything received up to now."""
        return Seen(self.head, self.body, tuple(self.events), bytes(self._in))

    def _frames(self) -> list[Frame]:
        return [event for event in self.events if isinstance(event, Frame)]

    def _wait(self, done: Callable[[], bool], what: str, even_ended: bool = False) -> None:
        self.talk.pump(lambda: done() or (self.ended and not even_ended))
        if not done():
            self.events.append(f"missing {what}")
            self.talk.limit = min(self.talk.limit, 0.3)  # it already differs: do not wait long for the rest

    @property
    def pending(self) -> bool:
        """Whether there is something left to send."""
        return bool(self._out)

    def write(self) -> None:
        """Send what the socket takes now."""
        try:
            while self._out:
                del self._out[: self.sock.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:  # ECONNRESET or EPIPE: whatever was received before is still readable
            self._out.clear()
            self.read(reset=True)

    def read(self, reset: bool = False) -> None:
        """Take what has arrived; `reset`: sending already told that the connection was reset."""
        while not self.ended:
            try:
                data = self.sock.recv(1 << 18)
            except BlockingIOError:
                break
            except OSError:
                self._end(RST)
            else:
                self._take(data) if data else self._end(RST if reset else FIN)

    def _end(self, how: str) -> None:
        self.ended = True
        self.events.append(how)

    def _take(self, data: bytes) -> None:
        self._in += data
        if not self.head:
            head, blank, rest = self._in.partition(b"\r\n\r\n")
            if not blank:
                return
            self.head, self._in = bytes(head + blank), bytearray(rest)
        if self.mask and not self.head.startswith(b"HTTP/1.1 101"):
            self.body += self._in
            self._in.clear()
        while (found := parse(self._in)) is not None:
            self.events.append(found[0])
            del self._in[: found[1]]


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
