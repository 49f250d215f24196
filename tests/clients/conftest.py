"""The parties of the conversations: every client, every upstream, and one proxy in front of each upstream.

They live for the whole run; a conversation leaves nothing behind in them but its record, which the test takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.clients.awaiting import Aiohttp, WebsocketsAsync
from tests.clients.blocking import WebsocketClient, WebsocketsSync
from tests.clients.browser import Chromium
from tests.clients.certificates import Certificate, make_certificate
from tests.clients.node import NodeServer, NodeWs, require_node
from tests.clients.script import Client
from tests.clients.servers import FastApi, Websockets
from tests.clients.upstream import Upstream
from tests.harness import Hushwire

heavy = pytest.mark.heavy
CLIENTS: dict[str, Callable[[], Client]] = {
    made.name: made for made in (WebsocketsSync, WebsocketsAsync, Aiohttp, WebsocketClient, NodeWs)
}
UPSTREAMS: dict[str, Callable[[], Upstream]] = {made.name: made for made in (FastApi, Websockets, NodeServer)}
HEAVY = (NodeWs.name, Chromium.name)


def _params(names: list[str]) -> list[object]:
    return [pytest.param(name, marks=heavy) if name in HEAVY else name for name in names]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate of a TLS listener on loopback."""
    return make_certificate(tmp_path_factory.mktemp("listener"), "127.0.0.1")


@pytest.fixture(scope="session")
def chromium(certificate: Certificate) -> Iterator[Chromium]:
    with Chromium(f"--ignore-certificate-errors-spki-list={certificate.pin}") as browser:
        yield browser


@pytest.fixture(params=_params([*CLIENTS, Chromium.name]))
def client(request: pytest.FixtureRequest) -> Client:
    """Each client in turn."""
    if request.param == Chromium.name:
        browser: Chromium = request.getfixturevalue("chromium")
        return browser
    if request.param == NodeWs.name:
        require_node()
    return CLIENTS[request.param]()


@pytest.fixture(scope="session", params=_params(list(UPSTREAMS)))
def upstream(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    """Each upstream in turn, compressing if the client offers it."""
    with UPSTREAMS[request.param]() as service:
        yield service


@pytest.fixture(scope="session")
def proxy(upstream: Upstream) -> Iterator[Hushwire]:
    """Hushwire with its default rules in front of `upstream`."""
    with Hushwire(upstream.url) as process:
        yield process


@pytest.fixture
def open_all() -> Iterator[ExitStack]:
    """For a test that starts parties of its own."""
    with ExitStack() as stack:
        yield stack
