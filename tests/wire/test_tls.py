"""TLS on the wire, with raw sockets: how connections end behind it, and what happens when it is not TLS at all.

That the two directions are proxied and certificates checked is in tests/clients/test_tls.py.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.certificates import Certificate, make_certificate
from tests.harness import Hushwire
from tests.wire.drill import Service, descriptors, echo, eventually, still_open
from tests.wire.ends import End, dial, refused, request
from tests.wire.frames import CLOSE, MASK, TEXT, Frame, close

LARGE = b"nothing personal in here, " * 400
MAIL, STARS = b"bob@example.com", b"<EMAIL_ADDRESS>"


class Secured:
    """A service behind TLS that writes down what each connection hears; /echo is an echo."""

    def __init__(self, certificate: Certificate) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate.pair)
        self.heard: queue.Queue[list[Frame]] = queue.Queue()

    def secure(self, sock: socket.socket) -> socket.socket:
        return self.context.wrap_socket(sock, server_side=True)

    def __call__(self, end: End) -> None:
        if b" /echo " in end.head:
            echo(end)
        elif b" /farewell " in end.head:
            end.accept()
            end.raw(end.frame(TEXT, LARGE + MAIL) + end.frame(CLOSE, close(4000)))
            self.heard.put(end.hears_out())
        elif b" /leaves " in end.head:
            end.accept()
            end.raw(end.frame(TEXT, LARGE + MAIL) + end.frame(TEXT, b"small"))
        else:
            end.accept()
            self.heard.put(end.hears_out())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture(scope="module")
def secured(certificate: Certificate) -> Secured:
    return Secured(certificate)


@pytest.fixture(scope="module")
def proxy(secured: Secured, certificate: Certificate) -> Iterator[Hushwire]:
    """TLS on both sides."""
    chain, key = map(str, certificate.pair)
    options = ("--tls-cert", chain, "--tls-key", key, "--upstream-ca", chain)
    with Service(secured, secure=secured.secure) as service:
        url = service.url.replace("ws:", "wss:")
        with Hushwire(url, *options, "--close-timeout", "1s", "--header-timeout", "1s") as process:
            yield process
        assert not [line for line in process.log if "WARNING" in line or "Traceback" in line]


@pytest.fixture(autouse=True)
def leaves_nothing_behind(proxy: Hushwire) -> Iterator[None]:
    yield
    assert eventually(lambda: still_open(proxy) == 0)


def secure_end(proxy: Hushwire, certificate: Certificate) -> End:
    context = ssl.create_default_context(cafile=certificate.chain)
    sock = socket.create_connection((proxy.host, proxy.port), 10)
    return End(context.wrap_socket(sock, server_hostname="127.0.0.1"), MASK)


def opened(proxy: Hushwire, certificate: Certificate, path: str) -> End:
    end = secure_end(proxy, certificate)
    end.raw(request(path))
    assert end.hears_head().startswith(b"HTTP/1.1 101 ")
    return end


def bodies(frames: list[Frame]) -> list[tuple[int, bytes]]:
    return [(frame.opcode, frame.payload) for frame in frames]


def test_frames_and_close_pass_as_without_tls(proxy: Hushwire, certificate: Certificate) -> None:
    with opened(proxy, certificate, "/echo") as client:
        client.say(TEXT, MAIL)
        assert client.hears_payload() == STARS
        client.say(TEXT, LARGE + MAIL)
        assert client.hears_payload() == LARGE + STARS
        client.say(CLOSE, close(4321, "done"))
        frame = client.hears()
        assert frame is not None
        assert frame.payload == close(4321, "done")
        since = time.monotonic()
        assert client.ends()
        assert time.monotonic() - since < 0.9, "the end of TLS was not passed on"


def test_a_close_of_the_service_arrives_before_the_end_of_tls(
    proxy: Hushwire, certificate: Certificate, secured: Secured
) -> None:
    with opened(proxy, certificate, "/farewell") as client:
        assert bodies(client.hears_out()) == [(TEXT, LARGE + STARS), (CLOSE, close(4000))]
    assert bodies(secured.heard.get(timeout=10)) == [(CLOSE, close(4000))]


def test_what_a_client_said_before_it_left_without_a_word_still_arrives(
    proxy: Hushwire, certificate: Certificate, secured: Secured
) -> None:
    """The large message is still with the worker when TLS and TCP are over."""
    client = opened(proxy, certificate, "/listens")
    client.raw(client.frame(TEXT, LARGE + MAIL) + client.frame(TEXT, b"small"))
    assert isinstance(client.sock, ssl.SSLSocket)
    with contextlib.suppress(OSError):  # whether the other side says its farewell to TLS is its own affair
        client.sock.unwrap()
    client.sock.close()
    assert bodies(secured.heard.get(timeout=10)) == [(TEXT, LARGE + STARS), (TEXT, b"small")]


def test_what_a_service_said_before_it_left_without_a_word_still_arrives(
    proxy: Hushwire, certificate: Certificate
) -> None:
    with opened(proxy, certificate, "/leaves") as client:
        assert bodies(client.hears_all()) == [(TEXT, LARGE + STARS), (TEXT, b"small")]


def test_a_reset_of_the_client_ends_the_service(
    proxy: Hushwire, certificate: Certificate, secured: Secured
) -> None:
    opened(proxy, certificate, "/listens").rst()
    assert secured.heard.get(timeout=10) == []


@pytest.mark.parametrize("data", [b"", request(), b"\x16\x03\x01\x00", b"\xff" * 300])
def test_what_is_not_tls_ends_and_leaves_nothing(proxy: Hushwire, certificate: Certificate, data: bytes) -> None:
    idle = descriptors(proxy)
    with opened(proxy, certificate, "/echo") as other, dial((proxy.host, proxy.port)) as client:
        client.raw(data)
        client.fin()
        assert client.ends()
        other.say(TEXT, b"undisturbed")
        assert other.hears_payload() == b"undisturbed"
    assert eventually(lambda: descriptors(proxy) <= idle)
    assert not [line for line in proxy.log if "Traceback" in line]


def test_a_head_that_does_not_come_through_tls_is_answered_408(proxy: Hushwire, certificate: Certificate) -> None:
    with secure_end(proxy, certificate) as client:
        assert client.hears_head().startswith(b"HTTP/1.1 408 ")


# -- a service whose certificate is not to be trusted --------------------------------------------------------


def answers_plainly(sock: socket.socket) -> socket.socket:
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    return sock


@pytest.mark.parametrize("why", ["an authority nobody named", "a certificate for another name", "no TLS at all"])
def test_a_service_that_cannot_be_trusted_is_502_and_hears_nothing(
    tmp_path: Path, secured: Secured, certificate: Certificate, why: str
) -> None:
    shown = make_certificate(tmp_path, "elsewhere.example") if why.startswith("a certificate") else certificate
    service = Service(echo, secure=answers_plainly if why == "no TLS at all" else Secured(shown).secure)
    trust = () if why.startswith("an authority") else ("--upstream-ca", str(shown.chain))
    with service, Hushwire(service.url.replace("ws:", "wss:"), *trust) as proxy:
        status, sentence, _ = refused(proxy)
        assert status == 502
        assert "TLS" in sentence
        assert not [end for end in service.ends if end.head]
        assert eventually(lambda: any("TLS to the upstream failed" in line for line in proxy.log))
