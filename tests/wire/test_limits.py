"""The limits of size, number and time: what one too many gets to hear, and that room is made again."""

from __future__ import annotations

import contextlib
import struct
import time
import zlib
from collections.abc import Iterator

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, descriptors, eventually, memory, serves, still_open
from tests.wire.ends import End, dial, opened, refused, request
from tests.wire.frames import BINARY, CLOSE, CONT, PING, TEXT
from tests.wire.services import CLOSES, LIMIT, OFFER, both_hear, by_path

ROOM = 6
STRICT = ("--max-message", "64KiB", "--max-connections", str(ROOM), "--close-timeout", "1s", "--binary", "deny")


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


# -- the size of a message -----------------------------------------------------------------------------------


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


# -- files ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def narrow(service: Service) -> Iterator[Hushwire]:
    """A proxy that may open so few files that its connections have to be counted."""
    options = ("--header-timeout", "2s", "--close-timeout", "1s")
    with Hushwire(service.url, *options, under=["prlimit", "--nofile=500:500"]) as process:
        yield process


def idle(address: tuple[str, int], count: int, stack: contextlib.ExitStack) -> list[End]:
    """Connections that ask for nothing."""
    return [stack.enter_context(dial(address)) for _ in range(count)]


def test_who_asks_for_nothing_takes_no_file_from_those_who_are_served(narrow: Hushwire) -> None:
    """Nor from the audit log: what is found still leaves, because its event is on the disk."""
    with opened(narrow, "/echo") as client, contextlib.ExitStack() as stack:
        assert narrow.admin is not None
        host, _, port = narrow.admin.rpartition(":")
        asking = idle((narrow.host, narrow.port), 600, stack)
        idle((host, int(port)), 300, stack)
        for _ in range(3):
            client.say(TEXT, b"bob@example.com")
            assert client.hears_payload() == b"<EMAIL_ADDRESS>"
        assert asking[-1].hears_head().startswith(b"HTTP/1.1 503 ")
        assert descriptors(narrow) < 450
        assert not any("audit" in line for line in narrow.log)
    assert eventually(lambda: descriptors(narrow) < 100)
    assert serves(narrow)
