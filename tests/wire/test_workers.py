"""Two worker processes behind one port: they serve, count and end as one, and one that dies is replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.harness import Hushwire
from tests.wire.drill import Service, echo, eventually, metrics, serves
from tests.wire.ends import End, opened
from tests.wire.frames import CLOSE, TEXT

MESSAGES = 'hushwire_messages_total{direction="client_to_upstream"}'
RESTART = 1012


def children(proxy: Hushwire) -> set[int]:
    """The process ids of the workers."""
    pid = proxy.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def sockets(pid: int) -> int:
    """How many sockets a process holds."""
    links = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links += str(entry.readlink()).startswith("socket:")
    return links


@contextlib.contextmanager
def crew(service: Service, *options: str) -> Iterator[Hushwire]:
    proxy = Hushwire(service.url, "--workers", "2", "--drain-deadline", "1s", *options)
    try:
        yield proxy
    finally:
        proxy.stop()


def spread(proxy: Hushwire, stack: contextlib.ExitStack) -> list[End]:
    """Connections until each worker has at least two."""
    idle = {pid: sockets(pid) for pid in children(proxy)}
    clients: list[End] = []
    while any(sockets(pid) < idle[pid] + 4 for pid in idle):  # two sockets a connection
        assert len(clients) < 400, "one of the workers is never given anything to do"
        clients.append(stack.enter_context(opened(proxy)))
    return clients


def alive(client: End) -> bool:
    """Whether a message still comes back."""
    try:
        client.say(TEXT, b"hello")
        return client.hears() is not None
    except ConnectionError:
        return False


def test_two_workers_serve_count_and_end_as_one() -> None:
    with Service(echo) as service, crew(service) as proxy, contextlib.ExitStack() as stack:
        clients = spread(proxy, stack)
        assert all(alive(client) for client in clients)
        for _ in range(5):  # any worker may be asked
            assert eventually(lambda: metrics(proxy)["hushwire_connections_open"] == len(clients), 3)
            assert eventually(lambda: metrics(proxy)[MESSAGES] == len(clients), 3)
        threading.Timer(0.2, proxy.process.send_signal, (signal.SIGTERM,)).start()
        for client in clients:
            assert client.hears_close() == RESTART
            client.say(CLOSE, RESTART.to_bytes(2))
        assert proxy.stop() == 0


def test_a_killed_worker_is_replaced_and_nothing_counted_is_lost() -> None:
    with Service(echo) as service, crew(service) as proxy, contextlib.ExitStack() as stack:
        clients = spread(proxy, stack)
        assert all(alive(client) for client in clients)
        before = children(proxy)
        assert eventually(lambda: metrics(proxy)[MESSAGES] == len(clients), 3)
        time.sleep(0.7)  # both have published
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        survivors = [client for client in clients if alive(client)]
        assert 0 < len(survivors) < len(clients)
        assert serves(proxy)
        assert eventually(lambda: len(children(proxy)) == 2 and victim not in children(proxy))
        assert metrics(proxy)[MESSAGES] >= len(clients)
        assert metrics(proxy)["hushwire_connections_total"] >= len(clients)
        assert eventually(lambda: metrics(proxy)["hushwire_connections_open"] == len(survivors), 3)
        assert all(alive(client) for client in survivors)
        spread(proxy, stack)  # the new one serves too
        threading.Timer(0.2, proxy.process.send_signal, (signal.SIGTERM,)).start()
        assert {client.hears_close() for client in survivors} == {RESTART}
        assert proxy.stop() == 0


def test_sigterm_right_after_a_worker_died_still_ends_everything() -> None:
    """The replacement is being forked, or starts up, when the signal comes."""
    with Service(echo) as service, crew(service) as proxy:
        os.kill(min(children(proxy)), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while not any("starting another" in line for line in proxy.log):  # said right before the fork
            assert time.monotonic() < deadline
        assert proxy.stop(timeout=20) == 0


def test_a_second_interrupt_reaches_the_workers() -> None:
    def never_answers(end: End) -> None:
        end.accept()
        while end.sock.recv(65536):
            pass

    with (
        Service(never_answers) as service,
        crew(service, "--drain-deadline", "60s") as proxy,
        opened(proxy) as client,
    ):
        proxy.process.send_signal(signal.SIGINT)
        assert client.hears_close() == RESTART
        since = time.monotonic()
        assert proxy.stop(signal.SIGINT, timeout=20) == 0
        assert time.monotonic() - since < 5


def test_workers_do_not_outlive_a_supervisor_that_is_killed() -> None:
    """They would keep the port, and nobody would watch them any more."""
    with Service(echo) as service, crew(service) as proxy:
        orphans = children(proxy)
        proxy.process.kill()
        ended = eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))
        for pid in () if ended else orphans:  # not to be left behind, whatever the verdict
            os.kill(pid, signal.SIGKILL)
        assert ended
