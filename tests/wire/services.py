"""Services for the drills of limits: what each does is in the path that is asked for.

With which code a connection was closed is written down in `CLOSES` by those that listen for it.
"""

from __future__ import annotations

import threading

from tests.wire.drill import Behave, echo, eventually
from tests.wire.ends import End
from tests.wire.frames import CLOSE, TEXT, close

LIMIT = 64 * 1024  # --max-message of the proxy in tests/wire/test_limits.py
OFFER = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
AGREED = (
    b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
)
NEVER = threading.Event()
CLOSES: list[int | None] = []


def silent(end: End) -> None:
    """Take the request, and wait for its end without a word."""
    while end.sock.recv(65536):
        pass


def deaf(end: End) -> None:
    """Accept, and read nothing ever after."""
    end.accept()
    NEVER.wait(30)


def flood(end: End) -> None:
    """Accept, and speak without end."""
    end.accept()
    while True:
        end.say(TEXT, b"x" * 1000)


def mute(end: End) -> None:
    """Accept and read, but never answer, not even a CLOSE."""
    end.accept()
    silent(end)


def says(answer: bytes) -> Behave:
    """Answer the handshake with this, and end."""

    def behave(end: End) -> None:
        end.raw(answer)

    return behave


def accepts(headers: bytes) -> Behave:
    """Accept with more headers."""

    def behave(end: End) -> None:
        end.accept(headers)
        silent(end)

    return behave


def deflating(end: End) -> None:
    """Accept compression, and answer with CLOSE to CLOSE."""
    end.accept(AGREED)
    if end.hears_close() is not None:
        end.say(CLOSE, close(1000))


def listening(end: End) -> None:
    """Accept and write down with which code it was closed."""
    end.accept(AGREED if b"permessage-deflate" in end.head else b"")
    frames = end.hears_all()
    codes = [int.from_bytes(frame.payload[:2]) for frame in frames if frame.opcode == CLOSE]
    CLOSES.append(codes[0] if len(frames) == len(codes) == 1 else None)


def oversize(end: End) -> None:
    end.accept()
    end.say(TEXT, b"x" * (LIMIT + 1))
    CLOSES.append(end.hears_close())


def farewell(end: End) -> None:
    end.accept()
    end.raw(b"".join(end.frame(TEXT, b"x" * 50_000) for _ in range(20)) + end.frame(CLOSE, close(1000)))
    end.fin()
    silent(end)


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
SERVICES: dict[bytes, Behave] = {
    b"/echo": echo,
    b"/silent": silent,
    b"/deaf": deaf,
    b"/flood": flood,
    b"/mute": mute,
    b"/deflate": deflating,
    b"/garbage": says(b"\x00\x16\x03 nothing of HTTP\r\n\r\n"),
    b"/200": says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    b"/no-key": says(SWITCHING + b"\r\n"),
    b"/wrong-key": says(SWITCHING + b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"),
    b"/endless": says(b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * 2_000_000),
    b"/extension": accepts(b"Sec-WebSocket-Extensions: x-unheard-of\r\n"),
    b"/hangs-up": says(b""),
    b"/listening": listening,
    b"/oversize": oversize,
    b"/farewell": farewell,
}


def by_path(end: End) -> None:
    """Behave as the path of the request says."""
    SERVICES.get(end.head.split()[1], echo)(end)


def both_hear(client: End, sender: int, peer: int) -> None:
    """The client, who sent, is told the one code and the service the other."""
    assert client.hears_close() == sender
    assert eventually(lambda: bool(CLOSES))
    assert CLOSES.pop() == peer
