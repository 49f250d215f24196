"""TLS on both sides: the proxy's own listener, and a wss:// upstream whose authority it must be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.certificates import Certificate, make_certificate
from tests.clients.parties import able, in_front_of
from tests.clients.script import Call, Client, Step, brief, clean_script
from tests.clients.servers import FastApi
from tests.harness import Hushwire

TRUSTING = able("ca") + able("pin")
MAILS: list[Step] = [["send", "mail bob@example.com"], ["receive", 1], ["send", "/tell"], ["receive", 1]]
BYE: list[Step] = [["close", 1000, ""], ["closed"]]
HIDDEN = [["text", "mail <EMAIL_ADDRESS>"], ["text", "write to <EMAIL_ADDRESS> today"]]


@pytest.fixture(scope="module")
def upstream(certificate: Certificate) -> Iterator[FastApi]:
    """FastAPI behind TLS. It shares the listener's certificate, so that a client can call both directly."""
    with FastApi(certificate.pair) as service:
        yield service


@pytest.fixture(scope="module")
def proxy(upstream: FastApi, certificate: Certificate) -> Iterator[Hushwire]:
    chain, key = map(str, certificate.pair)
    with in_front_of(upstream, "--tls-cert", chain, "--tls-key", key, "--upstream-ca", chain) as process:
        yield process


def secure(proxy: Hushwire) -> str:
    return f"wss://{proxy.host}:{proxy.port}"


@pytest.mark.parametrize("client", TRUSTING, indirect=True)
def test_wss_on_both_sides_is_the_same_as_a_direct_wss(
    client: Client, upstream: FastApi, proxy: Hushwire, certificate: Certificate
) -> None:
    script, ca = clean_script(client), certificate.chain
    direct, seen = client(Call(upstream.url, script, ca=ca)), upstream.seen()
    proxied, seen_too = client(Call(secure(proxy), script, ca=ca)), upstream.seen()
    assert brief(proxied) == brief(direct)
    assert brief(seen_too.messages) == brief(seen.messages)
    assert seen_too.closed == seen.closed == (4321, "that is all")


@pytest.mark.parametrize("client", TRUSTING, indirect=True)
def test_an_address_is_hidden_behind_tls_too(
    client: Client, upstream: FastApi, proxy: Hushwire, certificate: Certificate
) -> None:
    report = client(Call(secure(proxy), MAILS + BYE, ca=certificate.chain))
    assert report[1:-1] == HIDDEN
    assert upstream.seen().messages == [HIDDEN[0], ["text", "/tell"]]


@pytest.mark.parametrize("client", able("ca"), indirect=True)
def test_the_service_is_told_that_the_client_came_by_tls(
    client: Client, upstream: FastApi, proxy: Hushwire, certificate: Certificate
) -> None:
    client(Call(secure(proxy), BYE, ca=certificate.chain))
    assert upstream.seen().header("x-forwarded-proto") == ["https"]


REFUSALS = {
    "an authority nobody named": ("127.0.0.1", False),
    "a certificate for another name": ("elsewhere.example", True),
}


@pytest.mark.parametrize(("name", "trusted"), REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize("client", ["websockets-sync"], indirect=True)
def test_an_upstream_that_cannot_prove_who_it_is_gets_nothing(
    client: Client, tmp_path: Path, name: str, trusted: bool
) -> None:
    shown = make_certificate(tmp_path, name)
    ca = ("--upstream-ca", str(shown.chain)) if trusted else ()
    with FastApi(shown.pair) as service, in_front_of(service, *ca) as proxy:
        report = client(Call(proxy.url, MAILS))
        assert report[0][:2] == ["refused", 502]
        assert service.records.empty()


@pytest.mark.parametrize("client", ["websockets-sync"], indirect=True)
def test_a_client_without_tls_is_not_served_by_a_tls_listener(client: Client, proxy: Hushwire) -> None:
    with pytest.raises(Exception, match="did not receive a valid HTTP response"):
        client(Call(proxy.url, MAILS))
