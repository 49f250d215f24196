"""Whatever is thrown at the data port: an answer if possible, an end in any case, and nobody else notices.

One healthy connection runs all the while, and a word that stands in everything must not get into the log.
"""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Iterator

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, echo, eventually, still_open, undisturbed
from tests.wire.ends import KEY, ask, dial, opened, request
from tests.wire.frames import BINARY, CLOSE, CONT, PING, TEXT, build

CANARY = b"CANARY-7f3ab1"
ROUNDS = 60


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(echo) as service:
        yield service


@pytest.fixture(scope="module")
def proxy(service: Service) -> Iterator[Hushwire]:
    options = ("--header-timeout", "2s", "--close-timeout", "1s", "--log-level", "debug")
    process = Hushwire(service.url, *options)
    try:
        with undisturbed(process):
            yield process
            assert eventually(lambda: still_open(process) == 1), "connections are left behind"
    finally:
        code = process.stop()
    log = "".join(process.log)
    assert code == 0
    assert CANARY.decode() not in log
    assert "Traceback" not in log


# -- what is no handshake ------------------------------------------------------------------------------------

LINE = b"GET /%b HTTP/1.1\r\nHost: a\r\n" % CANARY
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEYED = UPGRADE + b"Sec-WebSocket-Key: " + KEY + b"\r\n"

REQUESTS: dict[str, tuple[int, bytes]] = {
    "plain GET": (426, LINE + b"\r\n"),
    "HEAD": (426, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "POST with a body": (426, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n" + CANARY),
    "no such method": (400, b"FROB / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CONNECT": (400, b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "h2c upgrade": (
        426,
        LINE + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\n\r\n",
    ),
    "HTTP/2 with prior knowledge": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + CANARY),
    "HTTP/1.0 upgrade": (400, b"GET / HTTP/1.0\r\nHost: a\r\n" + KEYED + b"\r\n"),
    "upgrade by POST": (400, b"POST / HTTP/1.1\r\nHost: a\r\n" + KEYED + b"\r\n"),
    "upgrade with a body": (400, LINE + KEYED + b"Content-Length: 13\r\n\r\n" + CANARY),
    "upgrade by POST with a body": (
        400,
        b"POST / HTTP/1.1\r\nHost: a\r\n" + KEYED + b"Content-Length: 13\r\n\r\n" + CANARY,
    ),
    "chunked upgrade": (
        400,
        LINE + KEYED + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + CANARY + b"\r\n0\r\n\r\n",
    ),
    "no key": (400, LINE + UPGRADE + b"\r\n"),
    "two keys": (400, LINE + KEYED + b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n"),
    "absolute form": (400, b"GET http://elsewhere.example/ HTTP/1.1\r\nHost: a\r\n" + KEYED + b"\r\n"),
    "asterisk form": (400, b"GET * HTTP/1.1\r\nHost: a\r\n" + KEYED + b"\r\n"),
    "a header without a name": (400, LINE + b": " + CANARY + b"\r\n\r\n"),
    "a line break within a header": (400, LINE + b"X: a\nSmuggled\r\n\r\n"),
    "lengths that contradict": (400, b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    "TLS": (400, bytes.fromhex("16030100c8010000c40303") + CANARY * 15),
}


@pytest.mark.parametrize(("status", "data"), REQUESTS.values(), ids=REQUESTS.keys())
def test_what_is_no_handshake_is_answered_with_a_sentence(
    proxy: Hushwire, service: Service, status: int, data: bytes
) -> None:
    before = len(service.ends)
    head, _, body = ask((proxy.host, proxy.port), data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert data.startswith(b"HEAD") or body.rstrip().endswith((b".", b"header."))
    assert CANARY not in body
    assert len(service.ends) == before, "it reached the service"


def test_a_hundred_requests_at_once_are_one_answer(proxy: Hushwire) -> None:
    answer = ask((proxy.host, proxy.port), (LINE + b"\r\n") * 100)
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_handshake_behind_another_request_is_not_served(proxy: Hushwire) -> None:
    """Two answers on one connection could be taken for each other."""
    answer = ask((proxy.host, proxy.port), LINE + b"\r\n" + request())
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"HTTP/1.1 101" not in answer


# -- noise ---------------------------------------------------------------------------------------------------


def thrown(proxy: Hushwire, data: bytes, handshake: bool) -> None:
    """Throw `data` at the port, or at a relayed connection, and see it end."""
    with opened(proxy) if handshake else dial((proxy.host, proxy.port)) as client:
        with contextlib.suppress(ConnectionError, OSError):
            client.raw(data)
            client.fin()
        assert client.ends()


@pytest.mark.parametrize("handshake", [False, True], ids=["before the handshake", "after it"])
def test_noise_ends_and_nothing_else_happens(proxy: Hushwire, handshake: bool) -> None:
    source = random.Random(20)
    for _ in range(ROUNDS):
        noise = source.randbytes(source.choice((1, 2, 7, 60, 500, 5000)))
        thrown(proxy, noise + CANARY, handshake)


def test_damaged_handshakes_end_and_nothing_else_happens(proxy: Hushwire) -> None:
    source = random.Random(21)
    whole = request("/" + CANARY.decode(), b"X-Canary: " + CANARY + b"\r\n")
    for _ in range(ROUNDS):
        damaged = bytearray(whole)
        for _ in range(source.randint(1, 3)):
            damaged[source.randrange(len(damaged))] = source.randrange(256)
        thrown(proxy, bytes(damaged[: source.randint(1, len(damaged))]), False)


def test_damaged_frames_end_and_nothing_else_happens(proxy: Hushwire) -> None:
    source = random.Random(22)
    for _ in range(ROUNDS):
        opcode, size = source.choice((CONT, TEXT, BINARY, PING, CLOSE)), source.choice((0, 5, 126, 3000))
        frame = build(opcode, CANARY * (size // 13 + 1), fin=source.random() < 0.8, mask=source.randbytes(4))
        damaged = bytearray(frame * 3)
        for _ in range(source.randint(1, 4)):
            damaged[source.randrange(min(40, len(damaged)))] = source.randrange(256)
        thrown(proxy, bytes(damaged), True)


# -- frames that break the protocol --------------------------------------------------------------------------

M = bytes(4)
FAULTS = {
    "not masked": build(TEXT, CANARY),
    "opcode 3": build(3, CANARY, mask=M),
    "opcode 11": build(11, CANARY, mask=M),
    "RSV1 without compression": build(TEXT, CANARY, rsv=4, mask=M),
    "RSV2": build(TEXT, CANARY, rsv=2, mask=M),
    "RSV3": build(BINARY, CANARY, rsv=1, mask=M),
    "ping in fragments": build(PING, CANARY, fin=False, mask=M),
    "ping of 126 bytes": build(PING, CANARY * 10, mask=M),
    "continuation of nothing": build(CONT, CANARY, mask=M),
    "message within a message": build(TEXT, CANARY, fin=False, mask=M) + build(TEXT, CANARY, mask=M),
    "CLOSE of one byte": build(CLOSE, b"\x03", mask=M),
    "wasteful length": build(TEXT, CANARY, width=8, mask=M),
    "negative length": struct.pack("!BBQ", 0x81, 0xFF, 1 << 63) + M,
}


@pytest.mark.parametrize("data", FAULTS.values(), ids=FAULTS.keys())
def test_a_frame_that_breaks_the_protocol_is_1002(proxy: Hushwire, data: bytes) -> None:
    with opened(proxy) as client:
        client.raw(client.frame(TEXT, b"good") + data)
        frames = client.hears_all()
    assert [frame.payload[:2] for frame in frames if frame.opcode == CLOSE] == [(1002).to_bytes(2)]
    assert CANARY not in b"".join(frame.payload for frame in frames)


def test_text_that_is_not_utf8_is_1007(proxy: Hushwire) -> None:
    with opened(proxy) as client:
        client.say(TEXT, b"\xff" + CANARY)
        assert client.hears_close() == 1007


# -- lies about who calls ------------------------------------------------------------------------------------


def test_a_forged_x_forwarded_for_is_replaced(proxy: Hushwire, service: Service) -> None:
    forged = b"X-Forwarded-For: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\nX-Forwarded-Host: evil\r\n"
    with opened(proxy, headers=forged):
        told = service.last()
        assert told.header(b"x-forwarded-for") == b"127.0.0.1"
        assert told.header(b"forwarded").startswith(b"for=127.0.0.1;")
        assert told.header(b"x-forwarded-host") == b"service.example"
        assert b"9.9.9.9" not in told.head
