"""Every limit of the running proxy: what one too many gets to hear, what it costs, and that room is made again."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
import zlib
from collections.abc import Iterator

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Behave, Service, descriptors, echo, eventually, memory, metrics, serves, still_open
from tests.wire.ends import End, ask, dial, opened, refused, request
from tests.wire.frames import BINARY, CLOSE, CONT, PING, TEXT, close

LIMIT = 64 * 1024
ROOM = 6
STRICT = (
    *("--max-message", "64KiB", "--max-header", "4KiB", "--header-timeout", "1s", "--connect-timeout", "1s"),
    *("--max-connections", str(ROOM), "--write-stall", "1s", "--close-timeout", "1s", "--binary", "deny"),
)
OFFER = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
AGREED = (
    b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
)
NEVER = threading.Event()


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
}


def by_path(end: End) -> None:
    """Behave as the path of the request says."""
    SERVICES.get(end.head.split()[1], echo)(end)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(by_path, receive_buffer=65536) as service:
        yield service


@pytest.fixture(scope="module")
def proxy(service: Service) -> Iterator[Hushwire]:
    with Hushwire(service.url, *STRICT) as process:
        yield process


@pytest.fixture(autouse=True)
def leaves_nothing_behind(proxy: Hushwire, service: Service) -> Iterator[None]:
    yield
    assert eventually(lambda: still_open(proxy) == 0), "the proxy still holds connections"
    assert serves(proxy)


def count(proxy: Hushwire, name: str) -> float:
    """A counter that may not have been born yet."""
    return metrics(proxy).get(name, 0.0)


def refusals(proxy: Hushwire, cause: str) -> float:
    return count(proxy, f'hushwire_refusals_total{{cause="{cause}"}}')


# -- the size of a message -----------------------------------------------------------------------------------


def both_hear(client: End, sender: int, peer: int) -> None:
    """The client, who sent, is told the one code and the service the other."""
    assert client.hears_close() == sender
    assert eventually(lambda: bool(CLOSES))
    assert CLOSES.pop() == peer


CLOSES: list[int | None] = []


def listening(end: End) -> None:
    """Accept and write down with which code it was closed."""
    end.accept(AGREED if b"permessage-deflate" in end.head else b"")
    frames = end.hears_all()
    codes = [int.from_bytes(frame.payload[:2]) for frame in frames if frame.opcode == CLOSE]
    CLOSES.append(codes[0] if len(frames) == len(codes) == 1 else None)


SERVICES[b"/listening"] = listening


def test_a_message_of_exactly_the_limit_is_forwarded(proxy: Hushwire) -> None:
    with opened(proxy, "/echo") as client:
        client.say(TEXT, b"x" * LIMIT)
        assert len(client.hears_payload()) == LIMIT


def test_one_byte_over_the_limit_is_1009_for_the_sender_and_1001_for_its_peer(
    proxy: Hushwire, service: Service
) -> None:
    with opened(proxy, "/listening") as client:
        client.say(TEXT, b"x" * (LIMIT + 1))
        both_hear(client, 1009, 1001)


def test_fragments_are_added_up(proxy: Hushwire, service: Service) -> None:
    with opened(proxy, "/listening") as client:
        client.say(TEXT, b"x" * 40_000, fin=False)
        client.say(CONT, b"x" * 40_000, fin=False)
        both_hear(client, 1009, 1001)


def test_a_length_that_is_only_announced_is_refused_at_once(proxy: Hushwire, service: Service) -> None:
    with opened(proxy, "/listening") as client:
        client.raw(struct.pack("!BBQ", 0x81, 0xFF, 1 << 40))
        both_hear(client, 1009, 1001)


def test_the_service_is_held_to_the_same_limit(proxy: Hushwire) -> None:
    with opened(proxy, "/oversize") as client:
        assert client.hears_close() == 1001
    assert eventually(lambda: bool(CLOSES))
    assert CLOSES.pop() == 1009


def oversize(end: End) -> None:
    end.accept()
    end.say(TEXT, b"x" * (LIMIT + 1))
    CLOSES.append(end.hears_close())


SERVICES[b"/oversize"] = oversize


def test_a_bomb_is_not_inflated_beyond_the_limit(proxy: Hushwire, service: Service) -> None:
    squeezer = zlib.compressobj(9, wbits=-15)
    bomb = squeezer.compress(bytes(60 << 20)) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < LIMIT
    with opened(proxy, "/listening", OFFER) as client:
        before = memory(proxy)
        client.say(TEXT, bomb[:-4], rsv=4)
        both_hear(client, 1009, 1001)
        assert memory(proxy) - before < 8 << 20


def test_a_message_of_countless_deflate_streams_does_not_stop_the_loop(proxy: Hushwire) -> None:
    """Each empty block with BFINAL ends a stream in two bytes; to read them one by one costs quadratic time."""
    with opened(proxy, "/deflate", OFFER) as client, opened(proxy, "/echo") as other:
        client.say(TEXT, b"\x03\x00" * (LIMIT // 2), rsv=4)
        since = time.monotonic()
        other.say(TEXT, b"hello")
        assert other.hears_payload() == b"hello"
        assert time.monotonic() - since < 0.25
        assert client.hears_close() == 1002


def test_countless_empty_fragments_do_not_fill_the_memory(proxy: Hushwire, service: Service) -> None:
    """They never add up to a message that is too big, but each has to be kept until the message is whole."""
    with opened(proxy, "/listening") as client:
        client.say(TEXT, b"a", fin=False)
        before = memory(proxy)
        with contextlib.suppress(ConnectionError):  # refused while they are still being sent
            for _ in range(100):
                client.raw(client.frame(CONT, fin=False) * 10_000)
        both_hear(client, 1009, 1001)
        assert memory(proxy) - before < 16 << 20


# -- binary messages -----------------------------------------------------------------------------------------


def test_a_binary_message_is_1003_where_they_are_denied(proxy: Hushwire, service: Service) -> None:
    with opened(proxy, "/listening") as client:
        client.say(BINARY, b"\x00\x01")
        both_hear(client, 1003, 1001)


# -- the number of connections -------------------------------------------------------------------------------


def test_one_connection_too_many_is_503_with_retry_after_and_room_is_made_again(proxy: Hushwire) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(opened(proxy, "/echo")) for _ in range(ROOM)]
        status, sentence, head = refused(proxy, "/echo")
        assert status == 503
        assert "--max-connections" in sentence
        assert b"\r\nRetry-After: " in head
        clients[0].rst()
        assert eventually(lambda: still_open(proxy) == ROOM - 1)
        stack.enter_context(opened(proxy, "/echo"))


def test_a_handshake_that_waits_for_the_service_counts_too(proxy: Hushwire) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(ROOM):
            client = stack.enter_context(dial((proxy.host, proxy.port)))
            client.raw(request("/silent"))
        assert eventually(lambda: refused(proxy, "/echo")[0] == 503)
    assert eventually(lambda: not refused_now(proxy))


def refused_now(proxy: Hushwire) -> bool:
    """Whether a handshake is refused; the connection ends at once either way."""
    with dial((proxy.host, proxy.port)) as client:
        client.raw(request("/echo"))
        return not client.hears_head().startswith(b"HTTP/1.1 101 ")


# -- the request head ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", request()[:-2], b"GET / HT"], ids=["nothing", "half a head", "half a line"])
def test_a_head_that_does_not_come_is_answered_408_and_closed(proxy: Hushwire, data: bytes) -> None:
    since = time.monotonic()
    answer = ask((proxy.host, proxy.port), data)
    assert time.monotonic() - since < 4
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_head_that_trickles_in_has_no_more_time(proxy: Hushwire) -> None:
    with dial((proxy.host, proxy.port)) as client:
        since = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for byte in request() * 10:
                client.raw(bytes((byte,)))
                time.sleep(0.05)
                if time.monotonic() - since > 4:
                    break
        assert time.monotonic() - since < 4
        assert client.ends()


@pytest.mark.parametrize("pieces", [1, 10])
def test_a_head_that_is_too_large_is_431(proxy: Hushwire, service: Service, pieces: int) -> None:
    before = len(service.ends)
    head = request("/echo", b"X-Much: " + b"x" * 6000 + b"\r\n")
    with dial((proxy.host, proxy.port)) as client:
        size = -(-len(head) // pieces)
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(head), size):
                client.raw(head[start : start + size])
                time.sleep(0.01)
        assert client.hears_head().startswith(b"HTTP/1.1 431 ")
    assert len(service.ends) == before


def test_a_body_that_trickles_in_does_not_keep_a_connection(proxy: Hushwire) -> None:
    """The answer needs no body; a client that goes on sending one must not hold a descriptor for ever."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    with dial((proxy.host, proxy.port)) as client:
        client.raw(head)
        assert client.hears_head().startswith(b"HTTP/1.1 426 ")
        with pytest.raises(ConnectionError):
            for _ in range(100):
                client.raw(b"x")
                time.sleep(0.05)


# -- the service ---------------------------------------------------------------------------------------------

BAD_ANSWERS = {
    "/garbage": "not a response in HTTP/1.1",
    "/200": "answered 200",
    "/no-key": "Sec-WebSocket-Accept",
    "/wrong-key": "Sec-WebSocket-Accept",
    "/extension": "x-unheard-of",
    "/hangs-up": "upstream",
    "/endless": "upstream",
}


@pytest.mark.parametrize(("path", "words"), BAD_ANSWERS.items(), ids=[path[1:] for path in BAD_ANSWERS])
def test_an_answer_that_is_no_handshake_is_502_with_a_sentence(proxy: Hushwire, path: str, words: str) -> None:
    status, sentence, _ = refused(proxy, path)
    assert status == 502
    assert words in sentence
    assert sentence.endswith(".\n")


def test_a_service_that_does_not_answer_in_time_is_504(proxy: Hushwire, service: Service) -> None:
    status, sentence, _ = refused(proxy, "/silent")
    assert status == 504
    assert "within 1 s" in sentence
    assert eventually(lambda: service.open == 0)


# -- peers that do not take part any more --------------------------------------------------------------------


def test_a_client_that_reads_nothing_is_dropped(proxy: Hushwire, service: Service) -> None:
    idle, before = descriptors(proxy), refusals(proxy, "stall")
    with opened(proxy, "/flood", receive_buffer=4096):
        assert eventually(lambda: refusals(proxy, "stall") == before + 1)
        assert eventually(lambda: descriptors(proxy) <= idle and service.open == 0)


def test_a_service_that_reads_nothing_is_dropped(proxy: Hushwire) -> None:
    before = refusals(proxy, "stall")
    with opened(proxy, "/deaf") as client:
        client.sock.settimeout(0.5)
        with contextlib.suppress(OSError):
            while True:
                client.say(TEXT, b"x" * 1000)
        assert eventually(lambda: refusals(proxy, "stall") == before + 1)
        assert eventually(lambda: still_open(proxy) == 0)


def test_peers_that_never_finish_tcp_are_cut(proxy: Hushwire) -> None:
    with opened(proxy, "/mute") as client:
        client.say(CLOSE, close(1000))
        client.fin()
        since = time.monotonic()
        assert client.ends()
        assert time.monotonic() - since < 4


def test_a_slow_reader_still_gets_what_was_sent_before_the_close(proxy: Hushwire) -> None:
    """--close-timeout is for peers that do not move, not for those that are not through with reading yet."""
    with opened(proxy, "/farewell", receive_buffer=16384) as client:
        got = 0
        for _ in range(30):  # 3 s, three times the close timeout
            time.sleep(0.1)
            got += len(client.sock.recv(20_000))
        while data := client.sock.recv(1 << 18):
            got += len(data)
        assert got == 20 * (50_000 + 4) + 4


def farewell(end: End) -> None:
    end.accept()
    end.raw(b"".join(end.frame(TEXT, b"x" * 50_000) for _ in range(20)) + end.frame(CLOSE, close(1000)))
    end.fin()
    silent(end)


SERVICES[b"/farewell"] = farewell


# -- time ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def timed(service: Service) -> Iterator[Hushwire]:
    """Another proxy, whose connections do not get old."""
    options = ("--idle", "1s", "--lifetime", "3s", "--max-per-address", "2", "--close-timeout", "1s")
    with Hushwire(service.url, *options, "--binary", "pass", "--trusted-proxy", "127.0.0.0/8") as process:
        yield process


def test_a_connection_on_which_nothing_moves_is_closed_with_1001(timed: Hushwire) -> None:
    with opened(timed, "/listening") as client:
        since = time.monotonic()
        both_hear(client, 1001, 1001)
        assert time.monotonic() - since > 0.9


def test_pings_are_movement_but_nothing_outlives_the_lifetime(timed: Hushwire) -> None:
    with opened(timed, "/echo") as client:
        since, code = time.monotonic(), None
        while code is None:
            client.say(PING, b"")
            frame = client.hears()
            assert frame is not None
            if frame.opcode == CLOSE:
                code = int.from_bytes(frame.payload[:2])
            time.sleep(0.05)
        assert code == 1001
        assert 2.5 < time.monotonic() - since < 8


def test_the_limit_per_address_counts_the_address_that_a_trusted_proxy_names(timed: Hushwire) -> None:
    first, second = b"X-Forwarded-For: 192.0.2.1\r\n", b"X-Forwarded-For: 9.9.9.9, 192.0.2.2\r\n"
    with opened(timed, headers=first), opened(timed, headers=first) as one:
        status, sentence, head = refused(timed, headers=first)
        assert status == 503
        assert "--max-per-address" in sentence
        assert b"\r\nRetry-After: " in head
        opened(timed, headers=second).rst()  # another address has room
        one.rst()
        assert eventually(lambda: still_open(timed) == 1)
        opened(timed, headers=first).rst()


def test_binary_messages_pass_unseen_where_that_was_asked_for(timed: Hushwire) -> None:
    with opened(timed, "/echo") as client:
        client.say(BINARY, b"bob@example.com")
        assert client.hears_payload() == b"bob@example.com"
        client.say(TEXT, b"bob@example.com")
        assert client.hears_payload() == b"<EMAIL_ADDRESS>"


def test_a_trusted_proxy_is_believed_and_this_hop_is_appended(timed: Hushwire, service: Service) -> None:
    told = b"X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
    with opened(timed, "/echo", told):
        seen = service.last()
        assert seen.header(b"x-forwarded-for") == b"192.0.2.7, 127.0.0.1"
        assert seen.header(b"forwarded").startswith(b"for=192.0.2.7, for=127.0.0.1;")
        assert seen.header(b"x-forwarded-proto") == b"https"
