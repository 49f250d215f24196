"""A large message waits for a worker; what follows it at once must neither pass it nor get lost."""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, echo, eventually, still_open
from tests.wire.ends import End, opened
from tests.wire.frames import CLOSE, CONT, PING, PONG, TEXT, Frame, close

MAIL, STARS = b"bob@example.com", b"<EMAIL_ADDRESS>"
PROSE = b"nothing personal in here, " * 200
LARGE, LARGE_HIDDEN = PROSE + MAIL, PROSE + STARS
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
AGREED = DEFLATE + b"; server_no_context_takeover; client_no_context_takeover\r\n"

Said = tuple[int, bytes]


class Stage:
    """A service that either writes down what it hears, or says what it was given."""

    def __init__(self) -> None:
        self.heard: queue.Queue[list[Frame]] = queue.Queue()
        self.script: Callable[[End], None] = lambda end: None

    def __call__(self, end: End) -> None:
        path = end.head.split()[1]
        if path == b"/echo":
            echo(end)
            return
        end.accept(AGREED if b"permessage-deflate" in end.head else b"")
        if path == b"/speaks":
            self.script(end)
        self.heard.put(
            end.hears_out() if end.sock.fileno() >= 0 else []
        )  # it may have reset the connection itself


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def proxy(stage: Stage) -> Iterator[Hushwire]:
    with Service(stage) as service, Hushwire(service.url, "--close-timeout", "1s") as process:
        yield process


@pytest.fixture(autouse=True)
def leaves_nothing_behind(proxy: Hushwire) -> Iterator[None]:
    yield
    assert eventually(lambda: still_open(proxy) == 0)


def whole(end: End) -> bytes:
    return end.frame(TEXT, LARGE)


def fragments(end: End) -> bytes:
    """The large message in three."""
    cut = len(LARGE) - 10  # within the address
    return b"".join(
        (
            end.frame(TEXT, LARGE[:3], fin=False),
            end.frame(CONT, LARGE[3:cut], fin=False),
            end.frame(CONT, LARGE[cut:]),
        )
    )


def in_one(end: End, data: bytes) -> None:
    end.raw(data)


def spread(end: End, data: bytes) -> None:
    """In pieces that respect nothing."""
    for start in range(0, len(data), 701):
        end.raw(data[start : start + 701])
        time.sleep(0.0005)


BEHIND: tuple[Said, ...] = (
    *(
        (TEXT, b"small"),
        (PING, b"ping"),
        (TEXT, b"write to " + MAIL),
        (TEXT, LARGE),
        (PONG, b"pong"),
        (TEXT, b"last"),
    ),
    (CLOSE, close(4000, "that is all")),
)
EXPECTED: list[Said] = [(TEXT, LARGE_HIDDEN), *((op, data.replace(MAIL, STARS)) for op, data in BEHIND)]

WAYS = list(itertools.product(("client", "service"), (whole, fragments), (in_one, spread)))


def said_by(
    sender: str, proxy: Hushwire, stage: Stage, say: Callable[[End], None], headers: bytes = b""
) -> list[Frame]:
    """What the other side hears if `sender` says this."""
    stage.script = say
    with opened(proxy, "/speaks" if sender == "service" else "/listens", headers) as client:
        if sender == "service":
            frames = client.hears_out()
            stage.heard.get(timeout=10)
            return frames
        say(client)
        with contextlib.suppress(OSError):
            client.hears_out()
        return stage.heard.get(timeout=10)


def bodies(frames: list[Frame]) -> list[Said]:
    return [(frame.opcode, frame.payload) for frame in frames]


@pytest.mark.parametrize(
    ("sender", "large", "send"), WAYS, ids=["-".join((s, a.__name__, b.__name__)) for s, a, b in WAYS]
)
def test_order_is_kept_behind_a_large_message(
    proxy: Hushwire,
    stage: Stage,
    sender: str,
    large: Callable[[End], bytes],
    send: Callable[[End, bytes], None],
) -> None:
    def say(end: End) -> None:
        send(end, large(end) + b"".join(end.frame(op, data) for op, data in BEHIND))

    assert bodies(said_by(sender, proxy, stage, say)) == EXPECTED


@pytest.mark.parametrize("sender", ["client", "service"])
def test_a_fin_right_behind_a_large_message_waits_for_it(proxy: Hushwire, stage: Stage, sender: str) -> None:
    def say(end: End) -> None:
        end.raw(whole(end) + end.frame(TEXT, b"small"))
        end.fin()

    assert bodies(said_by(sender, proxy, stage, say)) == [(TEXT, LARGE_HIDDEN), (TEXT, b"small")]


@pytest.mark.parametrize("sender", ["client", "service"])
def test_a_reset_right_behind_a_large_message_lets_nothing_unseen_through(
    proxy: Hushwire, stage: Stage, sender: str
) -> None:
    """As with a direct connection, what was in flight may or may not arrive; if it does, it was looked at."""

    def say(end: End) -> None:
        end.raw(whole(end) + end.frame(TEXT, MAIL))
        end.rst()

    frames = said_by(sender, proxy, stage, say)
    assert bodies(frames) == [(TEXT, LARGE_HIDDEN), (TEXT, STARS)][: len(frames)]


def test_compressed_messages_keep_their_order_and_stay_compressed(proxy: Hushwire, stage: Stage) -> None:
    def squeezed(data: bytes) -> bytes:
        squeezer = zlib.compressobj(wbits=-15)
        return (squeezer.compress(data) + squeezer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    texts = [LARGE, b"small " + MAIL, PROSE]

    def say(end: End) -> None:
        end.raw(b"".join(end.frame(TEXT, squeezed(text), rsv=4) for text in texts) + end.frame(CLOSE))

    frames = said_by("client", proxy, stage, say, DEFLATE + b"\r\n")
    assert [frame.rsv for frame in frames] == [4, 4, 4, 0]
    heard = [zlib.decompressobj(-15).decompress(frame.payload + b"\x00\x00\xff\xff") for frame in frames[:3]]
    assert heard == [text.replace(MAIL, STARS) for text in texts]


def test_the_other_direction_goes_on_meanwhile(proxy: Hushwire, stage: Stage) -> None:
    """The service talks, and is answered nothing, while its client's large message is still being looked at."""
    arrived: queue.Queue[float] = queue.Queue()

    def talk(end: End) -> None:
        for number in range(50):
            end.say(TEXT, b"number %d" % number)
        while len(end.unread) < 100_000:
            end.unread += end.sock.recv(65536)
        arrived.put(time.monotonic())

    stage.script = talk
    with opened(proxy, "/speaks") as client:
        client.raw(client.frame(TEXT, PROSE * 1500))
        for number in range(50):
            assert client.hears_payload() == b"number %d" % number
        heard = time.monotonic()
        assert arrived.get(timeout=10) > heard
        client.rst()
    stage.heard.get(timeout=10)


def test_many_connections_wait_for_the_worker_at_once_and_none_gets_the_message_of_another(
    proxy: Hushwire, stage: Stage
) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(opened(proxy, "/echo")) for _ in range(30)]
        for number, client in enumerate(clients):
            client.raw(client.frame(TEXT, b"%d " % number + LARGE) + client.frame(TEXT, b"%d" % number))
        for number, client in enumerate(clients):
            assert client.hears_payload() == b"%d " % number + LARGE_HIDDEN
            assert client.hears_payload() == b"%d" % number
