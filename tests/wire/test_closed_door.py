"""A pipeline that fails sends nothing: both sides get 1011, nobody else notices, and the log does not quote.

First by what a user can cause in the product (too slow, too many at once), then with parts that break, in an
exchange that is put together the way proxy/process.py does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from proxy.codecs import choose
from proxy.core.action import Note
from proxy.core.finding import Finding
from proxy.core.live import Live
from proxy.core.plugs import Detector, NoteSink
from proxy.core.tally import Tally
from proxy.detect.workers import Workers
from proxy.route import only
from proxy.settings import Address, Settings
from proxy.wire.edge import edge_http
from proxy.wire.exchange import Exchange
from proxy.wire.front import front
from proxy.wire.relay import Relay
from proxy.wire.routes import Routes, Way
from proxy.wire.server import address_of, bind, listener, start
from tests.harness import Hushwire
from tests.playbook import EMAILS, Broken, Given, Table, policy
from tests.wire.drill import Service, echo, eventually, metrics
from tests.wire.ends import End, opened
from tests.wire.frames import CLOSE, TEXT, Frame

MIB = 1 << 20
UNSEEN = 1011
BUDGET = 'hushwire_refusals_total{cause="budget"}'


class Listener:
    """A service that writes down what each connection hears; /echo is an echo, /speaks says what it was given."""

    def __init__(self) -> None:
        self.heard: queue.Queue[list[Frame]] = queue.Queue()
        self.speech = b""

    def __call__(self, end: End) -> None:
        if b" /echo " in end.head:
            echo(end)
            return
        end.accept()
        if b" /speaks " in end.head:
            end.say(TEXT, self.speech)
        self.heard.put(end.hears_out())

    def closed_unseen(self) -> bool:
        """Whether the next connection heard one CLOSE with 1011, and nothing else."""
        return [(frame.opcode, frame.payload[:2]) for frame in self.heard.get(timeout=10)] == [
            (CLOSE, UNSEEN.to_bytes(2))
        ]


@pytest.fixture
def ear() -> Listener:
    return Listener()


# -- in the product ------------------------------------------------------------------------------------------

HOSTILE = b"x bob@example.com 4111 1111 1111 1111 " * 100_000


def test_a_message_that_takes_too_long_is_not_forwarded(ear: Listener) -> None:
    with Service(ear) as service, Hushwire(service.url, "--inspect-timeout", "50ms") as proxy:
        with opened(proxy, "/echo") as other:
            for path in ("/listens", "/speaks"):
                ear.speech = HOSTILE
                with opened(proxy, path) as client:
                    if path == "/listens":
                        client.say(TEXT, HOSTILE)
                    assert client.hears_close() == UNSEEN
                assert ear.closed_unseen()
            other.say(TEXT, b"undisturbed")
            assert other.hears_payload() == b"undisturbed"
        assert metrics(proxy)[BUDGET] == 2
        assert "example.com" not in "".join(proxy.log)


def test_one_message_too_many_in_the_queue_is_refused_at_once(ear: Listener) -> None:
    options = ("--max-waiting", "1", "--inspect-timeout", "20s")
    with Service(ear) as service, Hushwire(service.url, *options) as proxy, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(opened(proxy, "/echo")) for _ in range(8)]
        message = b"write to bob@example.com, please. " * 10_000  # takes longer than what counts as nothing
        for client in clients:
            client.say(TEXT, message)
        answers = [client.hears() for client in clients]
        assert None not in answers
        served = [frame for frame in answers if frame is not None and frame.opcode == TEXT]
        refused = [frame for frame in answers if frame is not None and frame.opcode == CLOSE]
        assert len(served) + len(refused) == 8
        assert all(frame.payload == message.replace(b"bob@example.com", b"<EMAIL_ADDRESS>") for frame in served)
        assert all(frame.payload[:2] == UNSEEN.to_bytes(2) for frame in refused)
        assert served, "whoever is at work or waits alone is not refused"
        assert metrics(proxy)[BUDGET] == len(refused) > 0


# -- with parts that break -----------------------------------------------------------------------------------

SECRET = "s3cret-value-nobody-may-read"
TRAP = f"BOOM {SECRET}"


class Inside:
    """A data port as proxy/process.py makes it, around parts of the test's own, in a thread."""

    def __init__(
        self,
        upstream: str,
        detector: Detector,
        sink: NoteSink | None = None,
        choose: Any = choose,
        journal: Any = None,
    ) -> None:
        self.settings = Settings(upstream=upstream, listen="127.0.0.1:0", close_timeout=1.0)
        self.detector, self.sink, self.choose, self.journal = detector, sink, choose, journal
        self.tally = Tally()
        self.started: Future[Address] = Future()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        live = Live(policy(EMAILS), self.detector, self.choose)
        workers = Workers(threads=1, waiting=4)
        sink = self.sink or self.tally.note
        exchange = Exchange(self.settings, live, workers.submit, sink, self.tally, journal=self.journal)
        routes = Routes([Way(only(self.settings).routes[0], exchange, None)], Tally())
        server = listener(front(routes), edge_http(self.settings))
        sock = bind(self.settings.listen)
        address = address_of(sock)
        task = await start(server, sock)
        self.started.set_result(address)
        await self.over.wait()
        await routes.shut(1.0)
        server.should_exit = True
        await task
        workers.close()

    def __enter__(self) -> Any:
        self.thread.start()
        host, port = self.started.result(10)
        return SimpleNamespace(host=host, port=port)

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)
        assert not self.thread.is_alive()


class Unreadable:
    """A codec that breaks at `TRAP` while it reads, and quotes it."""

    name = "unreadable"
    rigid = False

    def read(self, payload: bytes, near: Any = None) -> Any:
        raise ValueError(payload.decode())

    def write(self, payload: bytes, edits: Any) -> bytes:
        raise ValueError(payload.decode())


def unreadable(kind: Any, payload: bytes) -> Any:
    return Unreadable() if SECRET.encode() in payload else choose(kind, payload)


def no_notes(note: Note) -> None:
    """The sink of notes is full; what is rewritten cannot be noted any more."""
    raise OSError(28, f"No space left on device: {SECRET}")


class Off(Given):
    """Says places that are not in the text."""

    def __init__(self) -> None:
        super().__init__([Finding("EMAIL_ADDRESS", 0, 10_000_000, 1.0, "off")])

    def find(self, leaves: Any, entities: Any, threshold: float) -> Any:
        trapped = any(SECRET in leaf.text for leaf in leaves)
        return super().find(leaves, entities, threshold) if trapped else Table().find(leaves, entities, threshold)


class Lazy(Off):
    """Answers for no leaf at all."""

    def __init__(self) -> None:
        Given.__init__(self)


BREAKS: dict[str, tuple[Callable[[], Detector], NoteSink | None, Any, str]] = {
    "a detector that raises": (lambda: Broken(KeyError(TRAP), SECRET), None, choose, "KeyError"),
    "a detector out of memory": (lambda: Broken(MemoryError(TRAP), SECRET), None, choose, "MemoryError"),
    "a detector that recurses": (lambda: Broken(RecursionError(TRAP), SECRET), None, choose, "RecursionError"),
    "places outside the text": (Off, None, choose, ""),
    "no answer for a leaf": (Lazy, None, choose, ""),
    "a codec that raises": (Table, None, unreadable, "ValueError"),
    "notes that cannot be kept": (Table, no_notes, choose, "OSError"),
}


@contextlib.contextmanager
def undisturbed(proxy: Any) -> Iterator[None]:
    with opened(proxy, "/echo") as other:
        yield
        other.say(TEXT, b"undisturbed")
        assert other.hears_payload() == b"undisturbed"


@pytest.mark.parametrize(("make", "sink", "codecs", "name"), BREAKS.values(), ids=BREAKS.keys())
def test_whatever_breaks_sends_nothing_and_says_1011_to_both(
    ear: Listener,
    make: Callable[[], Detector],
    sink: NoteSink | None,
    codecs: Any,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ear.speech = f"{TRAP} mail bob@example.com".encode()
    with Service(ear) as service, Inside(service.url, make(), sink, codecs) as proxy, undisturbed(proxy):
        for size in (0, 5000):  # on the loop, and in a worker
            with opened(proxy, "/listens") as client:
                client.say(TEXT, ear.speech + b" " * size)
                client.say(TEXT, b"this must not follow")
                assert client.hears_close() == UNSEEN
            assert ear.closed_unseen()
        with opened(proxy, "/speaks") as client:
            frames = client.hears_out()
        assert [frame.opcode for frame in frames] == [CLOSE]
        assert ear.closed_unseen()
    assert name in caplog.text
    assert SECRET not in caplog.text
    assert "bob@" not in caplog.text


def test_what_was_good_before_the_failure_still_arrives(ear: Listener) -> None:
    detector = Broken(KeyError(TRAP), SECRET)
    with Service(ear) as service, Inside(service.url, detector) as proxy, opened(proxy, "/listens") as client:
        client.raw(client.frame(TEXT, b"good") + client.frame(TEXT, TRAP.encode()) + client.frame(TEXT, b"after"))
        assert client.hears_close() == UNSEEN
        client.sock.close()
        heard = ear.heard.get(timeout=10)
        assert [frame.payload[:4] for frame in heard] == [b"good", UNSEEN.to_bytes(2) + b"me"]


def test_a_timer_that_breaks_cuts_its_own_connection_and_no_other(
    ear: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked = threading.Event()

    def overdue(relay: Relay, _: float) -> bool:
        if relay.sid == 1:
            raise KeyError(TRAP)
        looked.set()  # the timers go on
        return False

    monkeypatch.setattr(Relay, "overdue", overdue)
    with (
        Service(ear) as service,
        Inside(service.url, Table()) as proxy,
        opened(proxy, "/listens") as broken,
        undisturbed(proxy),
    ):
        assert broken.ends()
        assert looked.wait(10)
    assert "KeyError in a timer" in caplog.text
    assert SECRET not in caplog.text


def test_the_causes_are_counted(ear: Listener) -> None:
    inside = Inside("ws://127.0.0.1:1", Broken(KeyError(TRAP), SECRET))
    with Service(ear) as service:
        inside.settings = Settings(upstream=service.url, listen="127.0.0.1:0", close_timeout=1.0)
        with inside as proxy:
            for _ in range(3):
                with opened(proxy, "/listens") as client:
                    client.say(TEXT, TRAP.encode())
                    assert client.hears_close() == UNSEEN
            assert eventually(lambda: inside.tally.snapshot()["refusals"] == {"pipeline": 3})
