"""Plants the values of tests/canary.py with a proxy, wherever somebody may put one: for the sweeps."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from urllib.parse import quote

from tests.canary import PLANTED, SECRETS, saying
from tests.harness import Hushwire
from tests.wire.drill import Service
from tests.wire.ends import End, ask, opened, request
from tests.wire.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, close

EMAIL, PHONE, CARD, SECRET = (PLANTED[name] for name in ("email", "phone", "card", "secret"))
DEFLATE = (
    b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
)


class Upstream(Service):
    """Says every planted value to whoever connects, and answers whatever it hears with the same."""

    def __init__(self) -> None:
        super().__init__(speak)


def speak(end: End) -> None:
    """As a service that knows too much."""
    end.accept(f"X-Planted: {EMAIL}\r\nSet-Cookie: who={quote(EMAIL)}\r\n".encode())
    for name in PLANTED:
        end.say(TEXT, saying(name).encode())
    end.say(PING, EMAIL.encode())
    with contextlib.suppress(OSError):
        while (frame := end.hears()) is not None and frame.opcode != CLOSE:
            if frame.opcode != PONG:
                end.say(PONG if frame.opcode == PING else frame.opcode, frame.payload, fin=frame.fin)
        end.say(CLOSE, close(4000, f"bye {EMAIL}"))


def texts(proxy: Hushwire) -> None:
    """One conversation in which rules find all that there is: nothing else is in it."""
    with opened(proxy) as end:
        heard = 0
        for name in PLANTED:
            if name not in SECRETS:
                end.say(TEXT, saying(name).encode())
                end.say(TEXT, saying(name, "and more " * 300).encode())  # looked at in a worker
        while heard < len(PLANTED):  # what the service says by itself, secrets too
            frame = end.hears()
            assert frame is not None
            heard += frame.opcode == TEXT
        end.say(CLOSE, close(1000))
        end.hears_out()


def everywhere(proxy: Hushwire) -> None:
    """Every other place, connection by connection: what comes back is not looked at."""
    for planted in (_odd_messages, _cut_up, _goodbye, _handshakes, _broken):
        with contextlib.suppress(OSError, AssertionError):  # refused and cut off, often: that is what is planted
            planted(proxy)


def _odd_messages(proxy: Hushwire) -> None:
    with opened(proxy) as end:
        end.say(BINARY, b"\x00\xff" + EMAIL.encode() + b"\x00" + CARD.encode())
        end.say(TEXT, json.dumps({EMAIL: 1, "nested": json.dumps({"mail": EMAIL})}).encode())
        end.say(TEXT, json.dumps({"text": "".join(f"\\u{ord(letter):04x}" for letter in EMAIL)}).encode())
        end.say(TEXT, saying("password").encode())
        end.say(TEXT, saying("secret").encode())
        end.say(PING, PHONE.encode())
        end.say(PONG, EMAIL.encode())
        end.say(CLOSE, close(1000))
        end.hears_out()
    with opened(proxy, headers=DEFLATE) as end:
        press = zlib.compressobj(6, zlib.DEFLATED, -15)
        said = press.compress(saying("email").encode()) + press.flush(zlib.Z_SYNC_FLUSH)
        end.say(TEXT, said[:-4], rsv=4)
        end.say(CLOSE, close(1000))
        end.hears_out()


def _cut_up(proxy: Hushwire) -> None:
    with opened(proxy) as end:
        for piece, opcode, fin in ((EMAIL[:9], TEXT, False), (EMAIL[9:20], CONT, False), (EMAIL[20:], CONT, True)):
            end.say(opcode, piece.encode(), fin=fin)
            end.say(PING, EMAIL.encode())
        whole = end.frame(TEXT, saying("card").encode())
        for byte in whole:
            end.raw(bytes([byte]))
        end.say(TEXT, EMAIL.encode(), fin=False)  # it never ends
        end.fin()
        end.hears_out()


def _goodbye(proxy: Hushwire) -> None:
    for reason in (EMAIL, f"{PHONE} {CARD}"):
        with opened(proxy) as end:
            end.say(CLOSE, close(4001, reason))
            end.hears_out()
    with opened(proxy) as end:
        end.say(TEXT, saying("email").encode())
        end.rst()


def _handshakes(proxy: Hushwire) -> None:
    headers = f"Authorization: Bearer {SECRET}\r\nCookie: mail={quote(EMAIL)}\r\nX-Mail: {EMAIL}\r\n"
    headers += f"Origin: https://{EMAIL.rpartition('@')[2]}/{quote(EMAIL)}\r\nUser-Agent: {EMAIL}\r\n"
    headers += f"X-Forwarded-For: {PLANTED['ip']}\r\nForwarded: for={PLANTED['ip']}\r\n"
    headers += "Sec-WebSocket-Protocol: chat, quillon.canary-planted-alpha.example\r\n"
    with opened(
        proxy, f"/{quote(EMAIL)}/{quote(PHONE)}?token={SECRET}&mail={quote(EMAIL)}", headers.encode()
    ) as end:
        end.say(CLOSE, close(1000))
        end.hears_out()


def _broken(proxy: Hushwire) -> None:
    """Whatever ends in a refusal and its line in the log."""
    for said in _violations():
        with contextlib.suppress(OSError), opened(proxy) as end:
            end.raw(said + end.frame(CLOSE, close(1000)))
            end.hears_out()
    address = (proxy.host, proxy.port)
    for raw in (
        f"GET /{EMAIL} HTTP/1.1\r\nHost: {EMAIL}\r\n\r\n".encode(),
        f"{EMAIL} / HTTP/1.1\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\n{EMAIL}\r\n\r\n".encode(),
        f"POST /{quote(EMAIL)} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(EMAIL)}\r\n\r\n{EMAIL}".encode(),
        request(f"/{quote(EMAIL)}", f"X-Long: {EMAIL * 3000}\r\n".encode()),
        EMAIL.encode() * 10,
    ):
        with contextlib.suppress(OSError):
            ask(address, raw)


def _violations() -> Iterator[bytes]:
    from tests.wire.frames import MASK, build

    text = saying("email").encode()
    yield build(TEXT, b"\xff\xfe" + text, mask=MASK)  # not UTF-8
    yield build(TEXT, text, mask=None)  # not masked
    yield build(TEXT, text, mask=MASK, rsv=2)
    yield build(3, text, mask=MASK)
    yield build(CONT, text, mask=MASK)
    yield build(PING, text * 10, mask=MASK)
    yield build(CLOSE, b"\x03" + text[:1], mask=MASK) + build(TEXT, text, mask=MASK)
    yield build(CLOSE, b"\x03\xe8\xff" + text, mask=MASK)
    yield build(TEXT, text * 400, mask=MASK)  # too big, in the mode of that name
    yield build(TEXT, b'{"a":' * 5000 + text, mask=MASK)
