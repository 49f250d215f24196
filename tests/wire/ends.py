"""One side of a WebSocket on a blocking socket, for drills: it says any bytes and hears what arrives.

Every wait has a deadline and ends in a TimeoutError, so no drill can hang. Nothing here judges what arrives.
The service behind the proxy, and looks at its process, are in tests/wire/drill.py.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
from types import TracebackType

from tests.harness import Hushwire
from tests.wire.frames import CLOSE, MASK, Frame, build, parse

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATIENCE = 10.0  # seconds for anything that should happen at once; the machine may be busy
LINGER_RESET = struct.pack("ii", 1, 0)

Address = tuple[str, int]


class End:
    """One side of a WebSocket: `mask` is its key for frames, None for a server."""

    def __init__(self, sock: socket.socket, mask: bytes | None) -> None:
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.mask = sock, mask
        self.head = b""
        self.unread = bytearray()

    # -- handshakes ---------------------------------------------------------------------------------------

    def hears_head(self) -> bytes:
        """The HTTP head that comes first; empty if the other side ends before it is whole."""
        while b"\r\n\r\n" not in self.unread:
            data = self.sock.recv(65536)
            if not data:
                return b""
            self.unread += data
        size = self.unread.index(b"\r\n\r\n") + 4
        self.head = bytes(self.unread[:size])
        del self.unread[:size]
        return self.head

    def header(self, name: bytes) -> bytes:
        """The value of the header `name` (lower case) of the head that was heard."""
        for line in self.head.split(b"\r\n"):
            key, colon, value = line.partition(b":")
            if colon and key.lower() == name:
                return value.strip()
        return b""

    def accept(self, headers: bytes = b"") -> None:
        """As a server: answer the request that was heard with 101."""
        digest = base64.b64encode(hashlib.sha1(self.header(b"sec-websocket-key") + GUID).digest())
        self.raw(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + digest + b"\r\n" + headers + b"\r\n"
        )

    # -- speaking -----------------------------------------------------------------------------------------

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data)

    def frame(self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
        """A frame as this side spells it."""
        return build(opcode, payload, fin=fin, rsv=rsv, mask=self.mask)

    def say(self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> None:
        """Send one frame."""
        self.raw(self.frame(opcode, payload, fin=fin, rsv=rsv))

    def fin(self) -> None:
        """Send nothing more."""
        socket.socket.shutdown(self.sock, socket.SHUT_WR)  # TLS goes on: an SSLSocket's own would drop it

    def rst(self) -> None:
        """Abort."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self.sock.close()

    # -- listening ----------------------------------------------------------------------------------------

    def hears(self) -> Frame | None:
        """The next frame; None once the other side has sent FIN. Raises TimeoutError, ConnectionResetError."""
        while (found := parse(self.unread)) is None:
            data = self.sock.recv(1 << 18)
            if not data:
                return None
            self.unread += data
        del self.unread[: found[1]]
        return found[0]

    def hears_payload(self) -> bytes:
        """The payload of the next frame, which has to come."""
        frame = self.hears()
        assert frame is not None, "the connection ended where a frame was expected"
        return frame.payload

    def hears_all(self) -> list[Frame]:
        """Every frame until the other side ends TCP, with FIN or RST."""
        frames = []
        with contextlib.suppress(ConnectionResetError):
            while (frame := self.hears()) is not None:
                frames.append(frame)
        return frames

    def hears_out(self) -> list[Frame]:
        """The same, but a CLOSE is answered with itself and with FIN."""
        frames = []
        with contextlib.suppress(ConnectionError):
            while (frame := self.hears()) is not None:
                frames.append(frame)
                if frame.opcode == CLOSE:
                    self.say(CLOSE, frame.payload)
                    self.fin()
        return frames

    def hears_close(self) -> int | None:
        """Skip frames up to the CLOSE and return its code, 1005 for an empty one; None if TCP ended without."""
        with contextlib.suppress(ConnectionResetError):
            while (frame := self.hears()) is not None:
                if frame.opcode == CLOSE:
                    return int.from_bytes(frame.payload[:2]) if frame.payload else 1005
        return None

    def ends(self) -> bool:
        """Whether the other side ends TCP in time; whatever comes before is dropped."""
        try:
            self.hears_all()
        except TimeoutError:
            return False
        return True

    def __enter__(self) -> End:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.sock.close()


def dial(address: Address, receive_buffer: int = 0) -> End:
    """A TCP connection, from a client; a small `receive_buffer` (bytes) fills early."""
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(PATIENCE)
    sock.connect(address)
    return End(sock, MASK)


def request(path: str = "/", headers: bytes = b"") -> bytes:
    """An opening handshake."""
    return (
        b"GET " + path.encode() + b" HTTP/1.1\r\nHost: service.example\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: "
        + KEY
        + b"\r\nSec-WebSocket-Version: 13\r\n"
        + headers
        + b"\r\n"
    )


def opened(proxy: Hushwire, path: str = "/", headers: bytes = b"", receive_buffer: int = 0) -> End:
    """A client whose handshake was answered with 101."""
    end = dial((proxy.host, proxy.port), receive_buffer)
    end.raw(request(path, headers))
    head = end.hears_head()
    assert head.startswith(b"HTTP/1.1 101 "), head + bytes(end.unread)
    return end


def ask(address: Address, data: bytes) -> bytes:
    """Send `data` and return everything that is answered until TCP ends."""
    with dial(address) as end:
        with contextlib.suppress(ConnectionError):
            end.raw(data)
        answer = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while piece := end.sock.recv(65536):
                answer += piece
        return bytes(answer)


def refused(proxy: Hushwire, path: str = "/", headers: bytes = b"") -> tuple[int, str, bytes]:
    """Status, sentence and whole head of a handshake that has to be refused."""
    head, _, body = ask((proxy.host, proxy.port), request(path, headers)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), head
    return int(head.split()[1]), body.decode(), head
