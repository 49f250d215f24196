"""The limits of patience: heads that do not come, services that do not answer, peers that do not move."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, descriptors, eventually, metrics, serves, still_open
from tests.wire.ends import ask, dial, opened, refused, request
from tests.wire.frames import CLOSE, TEXT, close
from tests.wire.services import by_path

STRICT = (
    *("--max-header", "4KiB", "--header-timeout", "1s", "--connect-timeout", "1s"),
    *("--write-stall", "1s", "--close-timeout", "1s"),
)


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


def test_a_client_that_reads_slowly_is_not_dropped(proxy: Hushwire) -> None:
    """The kernel makes room only when a third of its queue is free: longer than --write-stall at this pace."""
    before = refusals(proxy, "stall")
    with opened(proxy, "/flood") as client:
        for _ in range(35):  # 3.5 s
            time.sleep(0.1)
            assert client.sock.recv(20_000)
        assert refusals(proxy, "stall") == before


def test_peers_that_never_finish_tcp_are_cut(proxy: Hushwire) -> None:
    with opened(proxy, "/mute") as client:
        client.say(CLOSE, close(1000))
        client.fin()
        since = time.monotonic()
        assert client.ends()
        assert time.monotonic() - since < 4


def test_a_slow_reader_still_gets_what_was_sent_before_the_close(service: Service) -> None:
    """--close-timeout is for peers that do not move, not for those that are not through with reading yet.

    Into a buffer smaller than a segment of the loopback (64 KiB) the kernel sends by probes, seconds apart.
    """
    with (
        Hushwire(service.url, "--close-timeout", "7s", rules="pass") as proxy,
        opened(proxy, "/farewell", receive_buffer=16384) as client,
    ):
        got = len(client.unread)  # what came right behind the answer to the handshake
        for _ in range(30):  # 9 s, more than the close timeout
            time.sleep(0.3)
            got += len(client.sock.recv(20_000))
        while data := client.sock.recv(1 << 18):
            got += len(data)
        assert got == 20 * (50_000 + 4) + 4
