"""What only a browser does: it sends its cookies and its Origin by itself."""

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
