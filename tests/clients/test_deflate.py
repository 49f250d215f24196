"""Compression is agreed on by client and service; the proxy adds no offer, and drops all offers when told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.parties import UPSTREAMS, able, in_front_of, params
from tests.clients.script import Call, Client, brief, clean_script
from tests.clients.servers import Websockets
from tests.clients.upstream import Upstream
from tests.harness import Hushwire


@pytest.fixture(scope="module", params=params(list(UPSTREAMS)))
def upstream(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    """Each upstream in turn, set not to compress."""
    with UPSTREAMS[request.param](deflate=False) as service:
        yield service


@pytest.fixture(scope="module")
def proxy(upstream: Upstream) -> Iterator[Hushwire]:
    with in_front_of(upstream) as process:
        yield process


@pytest.fixture(scope="module")
def unwilling() -> Iterator[tuple[Upstream, Hushwire]]:
    """An upstream that would compress, behind a proxy that was told not to."""
    with Websockets() as service, in_front_of(service, "--no-deflate") as process:
        yield service, process


@pytest.mark.parametrize("client", able("deflate"), indirect=True)
def test_an_upstream_that_declines_deflate_declines_it_for_the_client(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    script = clean_script(client)
    direct, proxied = client(Call(upstream.url, script)), client(Call(proxy.url, script))
    assert brief(proxied) == brief(direct)
    assert brief(upstream.seen().messages) == brief(upstream.seen().messages)
    assert proxied[0][2] is False


@pytest.mark.parametrize("client", able("deflate"), indirect=True)
def test_a_proxy_told_not_to_deflate_agrees_on_none(client: Client, unwilling: tuple[Upstream, Hushwire]) -> None:
    service, proxy = unwilling
    script = clean_script(client)
    direct, proxied = client(Call(service.url, script)), client(Call(proxy.url, script))
    seen, seen_too = service.seen(), service.seen()
    assert (direct[0][2], proxied[0][2]) == (True, False)
    assert brief(proxied[1:]) == brief(direct[1:])
    assert brief(seen_too.messages) == brief(seen.messages)
    assert not seen_too.header("sec-websocket-extensions")
