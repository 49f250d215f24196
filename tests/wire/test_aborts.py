"""A thousand clients that vanish at every possible moment leave nothing behind, at any kind of service."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, descriptors, echo, eventually, metrics, serves, still_open
from tests.wire.ends import End, dial, request
from tests.wire.frames import CLOSE, CONT, PING, TEXT, close

LARGE = b"nothing personal in here, " * 2000  # over --inline-bytes: held while a worker looks at it
# The dial has all the time there is: it must end because its client has gone, not because it took too long.
OPTIONS = ("--header-timeout", "2s", "--connect-timeout", "5m", "--close-timeout", "1s", "--drain-deadline", "1s")

Moment = Callable[[End, random.Random], None]


def at_once(client: End, source: random.Random) -> None:
    """Nothing was sent."""


def within_the_request(client: End, source: random.Random) -> None:
    whole = request()
    client.raw(whole[: source.randrange(1, len(whole))])


def behind_the_request(client: End, source: random.Random) -> None:
    """The service may or may not have been asked yet."""
    client.raw(request("/late" if source.random() < 0.7 else "/"))
    time.sleep(source.choice((0.0, 0.0, 0.002, 0.01)))


def behind_the_answer(client: End, source: random.Random) -> None:
    client.raw(request())
    client.hears_head()


def within_a_frame(client: End, source: random.Random) -> None:
    behind_the_answer(client, source)
    frame = client.frame(TEXT, b"half of this is never sent")
    client.raw(frame[: source.randrange(1, len(frame))])


def within_a_message(client: End, source: random.Random) -> None:
    behind_the_answer(client, source)
    client.raw(
        client.frame(TEXT, b"a", fin=False) + client.frame(PING, b"b") + client.frame(CONT, b"c", fin=False)
    )


def while_a_message_is_held(client: End, source: random.Random) -> None:
    behind_the_answer(client, source)
    client.raw(client.frame(TEXT, LARGE) + client.frame(TEXT, b"small"))


def behind_the_close(client: End, source: random.Random) -> None:
    behind_the_answer(client, source)
    client.say(CLOSE, close(1000))


MOMENTS: tuple[Moment, ...] = (
    *(at_once, within_the_request, behind_the_request, behind_the_request, behind_the_answer),
    *(within_a_frame, within_a_message, while_a_message_is_held, behind_the_close),
)


def vanish(proxy: Hushwire, number: int, seed: int) -> None:
    """That many clients in turn; some answers of the service come too late for them."""
    source = random.Random(seed)
    for _ in range(number):
        with dial((proxy.host, proxy.port)) as client:
            source.choice(MOMENTS)(client, source)
            match source.randrange(3):
                case 0:
                    client.rst()
                case 1:
                    client.fin()


def late(end: End) -> None:
    """An echo that answers the handshake of /late late."""
    if b" /late " in end.head:
        time.sleep(0.01)
    echo(end)


def leaves_nothing(proxy: Hushwire, baseline: int) -> None:
    assert eventually(lambda: still_open(proxy) == 0), f"{still_open(proxy)} connections are left"
    assert eventually(lambda: descriptors(proxy) <= baseline), f"{descriptors(proxy)} descriptors, not {baseline}"


def calm(proxy: Hushwire) -> int:
    """Descriptors of a proxy that has done everything once and is at rest."""
    metrics(proxy)
    time.sleep(0.2)
    return descriptors(proxy)


@pytest.mark.parametrize("rules", ["default", "pass"])
def test_a_thousand_clients_that_vanish_leave_nothing_behind(rules: str) -> None:
    with Service(late) as service, Hushwire(service.url, *OPTIONS, rules=rules) as proxy:
        assert serves(proxy)
        baseline = calm(proxy)
        vanish(proxy, 1000, seed=1)
        leaves_nothing(proxy, baseline)
        assert eventually(lambda: service.open == 0), f"{service.open} connections to the service are left"
        assert serves(proxy)
        assert not [line for line in proxy.log if "ERROR" in line or "Traceback" in line]


def test_clients_that_vanish_before_a_service_that_never_answers() -> None:
    def never(end: End) -> None:
        end.sock.settimeout(120)  # it is not the one who gives up
        while end.sock.recv(65536):
            pass

    def ask(client: End, source: random.Random) -> None:
        client.raw(request())
        time.sleep(source.choice((0.0, 0.001, 0.005)))

    with Service(never) as service, Hushwire(service.url, *OPTIONS) as proxy:
        baseline = calm(proxy)
        source = random.Random(2)
        for _ in range(300):
            with dial((proxy.host, proxy.port)) as client:
                ask(client, source)
                if source.random() < 0.5:
                    client.rst()
        leaves_nothing(proxy, baseline)
        assert eventually(lambda: service.open == 0), f"{service.open} connections to the service are left"
        assert len(service.ends) > 50, "the service was hardly ever asked"


def test_clients_that_vanish_before_a_service_that_is_not_there() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, but it does not listen: connections are refused
        url = f"ws://127.0.0.1:{nobody.getsockname()[1]}"
        with Hushwire(url, *OPTIONS) as proxy:
            baseline = calm(proxy)
            source = random.Random(3)
            for _ in range(300):
                with dial((proxy.host, proxy.port)) as client:
                    client.raw(request())
                    if source.random() < 0.7:
                        client.rst()
                    else:
                        assert client.hears_head().startswith(b"HTTP/1.1 502 ")
            leaves_nothing(proxy, baseline)
