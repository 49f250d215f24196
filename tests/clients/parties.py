"""Who takes part in the conversations: the clients and the upstreams by name, and which client can do what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.awaiting import Aiohttp, WebsocketsAsync
from tests.clients.blocking import WebsocketClient, WebsocketsSync
from tests.clients.browser import Chromium
from tests.clients.node import NodeServer, NodeWs
from tests.clients.servers import FastApi, Websockets

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
