"""What only a browser does: it sends its cookies and its Origin by itself, and leaves unasked."""

from __future__ import annotations

import pytest

from tests.clients.browser import Chromium
from tests.clients.script import Call, Step
from tests.clients.upstream import Upstream
from tests.harness import Hushwire

BYE: list[Step] = [["close", 1000, ""], ["closed"]]


@pytest.mark.heavy
def test_the_cookies_and_the_origin_of_the_page_reach_the_upstream(
    chromium: Chromium, upstream: Upstream, proxy: Hushwire
) -> None:
    chromium(Call(proxy.url, BYE), cookie="session=abc123; path=/")
    seen = upstream.seen()
    assert seen.header("cookie") == ["session=abc123"]
    assert seen.header("origin") == [chromium.page.origin]
    assert "Chrome" in seen.header("user-agent")[0]


@pytest.mark.heavy
def test_a_page_that_is_left_is_seen_to_go_away(chromium: Chromium, upstream: Upstream, proxy: Hushwire) -> None:
    leave: list[Step] = [["send", "hello"], ["receive", 1], ["leave"]]
    for base in (upstream.url, proxy.url):
        chromium(Call(base, leave), framed=True)
        assert upstream.seen().closed == (1001, "")
