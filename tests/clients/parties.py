"""Who takes part in the conversations: the clients and the upstreams by name, which client can do what,
and the proxy between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.clients.awaiting import Aiohttp, WebsocketsAsync
from tests.clients.blocking import WebsocketClient, WebsocketsSync
from tests.clients.browser import Chromium
from tests.clients.node import NodeServer, NodeWs
from tests.clients.servers import FastApi, Websockets
from tests.clients.upstream import Upstream
from tests.harness import Hushwire

CLIENTS = {
    made.name: made for made in (WebsocketsSync, WebsocketsAsync, Aiohttp, WebsocketClient, NodeWs, Chromium)
}
UPSTREAMS = {made.name: made for made in (FastApi, Websockets, NodeServer)}
HEAVY = {NodeWs.name, Chromium.name}


def params(names: list[str]) -> list[Any]:
    """`names` as parameters of a test, marked where node or Chromium is needed."""
    return [pytest.param(name, marks=pytest.mark.heavy) if name in HEAVY else name for name in names]


def able(*abilities: str) -> list[Any]:
    """The clients that can do all of `abilities`, for `parametrize("client", ..., indirect=True)`."""
    return params([name for name, made in CLIENTS.items() if made.can.issuperset(abilities)])


def pinging() -> list[Any]:
    """The upstreams that can ping, for `parametrize("upstream", ..., indirect=True)`."""
    return params([name for name, made in UPSTREAMS.items() if made.can_ping])


@contextmanager
def in_front_of(upstream: Upstream, *options: str) -> Iterator[Hushwire]:
    """Hushwire before `upstream`; afterwards it must have ended well, and have said nothing personal."""
    with Hushwire(upstream.url, *options) as proxy:
        yield proxy
        code = proxy.stop()
    log = "".join(proxy.log)
    assert code == 0, log
    assert "bob@" not in log
    assert "Traceback" not in log, log
