"""The end of a running proxy: nobody is left without a word, and the exit code says that all went well."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

from tests.harness import Hushwire
from tests.wire.drill import Service, admin_answer, echo, eventually, serves, still_open
from tests.wire.ends import End, dial, opened, request
from tests.wire.frames import CLOSE, TEXT, close

CROWD = 100
RESTART = 1012


class Codes:
    """With which code each connection of a service was closed; a behaviour of tests/wire/drill.Service."""

    def __init__(self) -> None:
        self.heard: list[int | None] = []

    def __call__(self, end: End) -> None:
        end.accept()
        self.heard.append(converse(end))


def converse(end: End) -> int | None:
    """Echo until CLOSE, answer it, and return its code; None if TCP ended without one."""
    with contextlib.suppress(ConnectionError):
        while (frame := end.hears()) is not None:
            if frame.opcode == CLOSE:
                end.say(CLOSE, frame.payload)
                end.ends()
                return int.from_bytes(frame.payload[:2])
            end.say(TEXT, frame.payload)
    return None


class Crowd:
    """Clients that chat until they are told to stop, each in its own thread."""

    def __init__(self, proxy: Hushwire, size: int) -> None:
        self.codes: list[int | None] = []
        self.threads = [
            threading.Thread(target=self._chat, args=(opened(proxy),), daemon=True) for _ in range(size)
        ]
        for thread in self.threads:
            thread.start()

    def _chat(self, end: End) -> None:
        with end:
            end.say(TEXT, b"to and fro")
            self.codes.append(converse(end))

    def over(self) -> list[int | None]:
        """The codes of all, once they have ended."""
        for thread in self.threads:
            thread.join(10)
        return self.codes


def never_answers(end: End) -> None:
    """Accept, and read without a word."""
    end.accept()
    while end.sock.recv(65536):
        pass


@contextlib.contextmanager
def ending(process: Hushwire) -> Iterator[Hushwire]:
    """Ends the process whatever happens."""
    try:
        yield process
    finally:
        process.stop()


def test_sigterm_under_load_tells_1012_to_every_client_and_every_service() -> None:
    """One client has sent CLOSE and reads slowly: in uvicorn's own shutdown that one spoils it for all."""
    codes = Codes()

    def behave(end: End) -> None:
        flood(end) if end.head.startswith(b"GET /flood") else codes(end)

    with Service(behave) as service, ending(Hushwire(service.url, "--drain-deadline", "3s")) as proxy:
        crowd = Crowd(proxy, CROWD)
        with opened(proxy, "/flood", receive_buffer=4096) as slow:
            slow.say(CLOSE, close(1000))
            assert eventually(lambda: still_open(proxy) == CROWD + 1)
            time.sleep(0.5)
            since = time.monotonic()
            assert proxy.stop() == 0
            assert time.monotonic() - since < 3 + 0.5 + 3
        assert crowd.over() == [RESTART] * CROWD
        assert eventually(lambda: len(codes.heard) == CROWD)
        assert set(codes.heard) == {RESTART}
        assert not [line for line in proxy.log if "ERROR" in line or "Traceback" in line]


def flood(end: End) -> None:
    end.accept()
    while True:
        end.say(TEXT, b"x" * 1000)


def test_while_it_drains_it_says_not_ready_but_serves_old_and_new() -> None:
    with Service(echo) as service, ending(Hushwire(service.url, "--drain-wait", "3s")) as proxy:
        with opened(proxy) as client:
            assert admin_answer(proxy, "/-/ready")[0] == 200
            proxy.process.send_signal(signal.SIGTERM)
            assert eventually(lambda: admin_answer(proxy, "/-/ready")[0] == 503, 2)
            assert "shutting down" in admin_answer(proxy, "/-/ready")[1]
            assert admin_answer(proxy, "/-/live")[0] == 200
            client.say(TEXT, b"still there?")
            assert client.hears_payload() == b"still there?"
            assert serves(proxy)
            assert client.hears_close() == RESTART
        assert proxy.stop() == 0


def test_peers_that_never_answer_are_cut_at_the_deadline_and_that_is_no_failure() -> None:
    with Service(never_answers) as service, ending(Hushwire(service.url, "--drain-deadline", "1s")) as proxy:
        with opened(proxy) as client:
            since = time.monotonic()
            proxy.process.send_signal(signal.SIGINT)
            assert client.hears_close() == RESTART
            assert client.ends()
            assert 0.9 < time.monotonic() - since < 4
            assert proxy.stop() == 0
        assert eventually(lambda: service.open == 0)


def test_a_second_interrupt_does_not_wait() -> None:
    with (
        Service(never_answers) as service,
        ending(Hushwire(service.url, "--drain-deadline", "60s")) as proxy,
        opened(proxy) as client,
    ):
        proxy.process.send_signal(signal.SIGINT)
        assert client.hears_close() == RESTART
        since = time.monotonic()
        assert proxy.stop(signal.SIGINT) == 0
        assert time.monotonic() - since < 5


def test_a_handshake_that_is_pending_is_answered_503() -> None:
    """The service has not answered yet; its client must not be left without an answer."""
    asked = threading.Event()

    def waits(end: End) -> None:
        asked.set()
        end.sock.recv(1)

    with Service(waits) as service, ending(Hushwire(service.url, "--drain-wait", "0s")) as proxy:
        with dial((proxy.host, proxy.port)) as client:
            client.raw(request())
            assert asked.wait(10)
            since = time.monotonic()
            assert proxy.stop() == 0
            assert time.monotonic() - since < 4
            head = client.hears_head()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"shutting down" in client.unread
        assert eventually(lambda: service.open == 0)
        assert not [line for line in proxy.log if "ERROR" in line]
