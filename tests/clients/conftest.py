"""The parties of the conversations: every client, every upstream, and one proxy in front of each upstream.

They live for the whole run; a conversation leaves nothing behind in them but its record, which the test takes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.browser import Chromium
from tests.clients.certificates import Certificate, make_certificate
from tests.clients.node import NodeWs, require_node
from tests.clients.parties import CLIENTS, UPSTREAMS, able, in_front_of, params
from tests.clients.script import Client
from tests.clients.upstream import Upstream
from tests.harness import Hushwire


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate of a TLS listener on loopback."""
    return make_certificate(tmp_path_factory.mktemp("listener"), "127.0.0.1")


@pytest.fixture(scope="session")
def chromium(certificate: Certificate) -> Iterator[Chromium]:
    with Chromium(f"--ignore-certificate-errors-spki-list={certificate.pin}") as browser:
        yield browser


@pytest.fixture(params=able())
def client(request: pytest.FixtureRequest) -> Client:
    """Each client in turn."""
    made = CLIENTS[request.param]
    if made is Chromium:
        browser: Chromium = request.getfixturevalue("chromium")
        return browser
    if made is NodeWs:
        require_node()
    return made()


@pytest.fixture(scope="session", params=params(list(UPSTREAMS)))
def upstream(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    """Each upstream in turn, compressing if the client offers it."""
    with UPSTREAMS[request.param]() as service:
        yield service


@pytest.fixture(scope="session")
def proxy(upstream: Upstream) -> Iterator[Hushwire]:
    """Hushwire with its default rules in front of `upstream`."""
    with in_front_of(upstream) as process:
        yield process


@pytest.fixture(autouse=True)
def start_anew(request: pytest.FixtureRequest) -> None:
    """One failed conversation must not be taken for the next."""
    if "upstream" in request.fixturenames:
        request.getfixturevalue("upstream").forget()
