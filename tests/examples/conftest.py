"""For each test module: the example it names in EXAMPLE, and the roads that lead there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.examples.conversation import Script, Transcript, perform
from tests.examples.personal import CARD, EMAIL
from tests.examples.service import Service
from tests.examples.tunnel import Tunnel
from tests.harness import Hushwire

Compare = Callable[[Script], Transcript]
Play = Callable[[Script], Transcript]


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """The example of this module, running."""
    with Service(request.module.EXAMPLE) as running:
        yield running


@pytest.fixture(scope="module")
def tunnel(service: Service) -> Iterator[str]:
    """URL of a TCP tunnel to the example."""
    with Tunnel(service.port) as honest:
        yield honest.url


@pytest.fixture(scope="module")
def hushwire(service: Service) -> Iterator[str]:
    """URL of the proxy in front of the example, with the default rules; in the end it stops without a fault."""
    with Hushwire(service.url) as proxy:
        yield proxy.url
        assert proxy.stop() == 0
    log = "".join(proxy.log)
    assert "Traceback" not in log
    assert EMAIL not in log
    assert CARD not in log


@pytest.fixture(params=["tunnel", "hushwire"])
def road(request: pytest.FixtureRequest) -> str:
    """URL of what stands between; the tunnel shows that a script has no other cause to differ."""
    url = request.getfixturevalue(request.param)
    assert isinstance(url, str)
    return url


@pytest.fixture
def compare(service: Service, road: str) -> Compare:
    """Plays a script directly and on the road, plain and compressed; returns the direct transcript."""

    def play(script: Script) -> Transcript:
        for compression in ("deflate", None):
            direct = perform(script, service.url, service, compression)
            assert perform(script, road, service, compression) == direct
        return direct

    return play


@pytest.fixture
def filtered(service: Service, hushwire: str) -> Play:
    """Plays a script through the proxy alone."""
    return lambda script: perform(script, hushwire, service)
