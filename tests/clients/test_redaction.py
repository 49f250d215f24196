"""An e-mail address never passes, whatever client sends it and however it is sent.

The upstream gets the name of its kind instead, and so does the client when the upstream sends one. All else in the
message stays as it was.
"""

from __future__ import annotations

import pytest

from tests.clients.parties import able
from tests.clients.script import LARGE, Call, Client, Step, brief, pack
from tests.clients.upstream import Upstream
from tests.harness import Hushwire

BOB = "bob@example.com"
HIDDEN = "<EMAIL_ADDRESS>"
TEXTS = [
    f"mail {BOB} now",
    BOB,
    f'{{"contact": "{BOB}", "n": 1.50, "list":["{BOB}", null]}}',
    f"ünïcödé {BOB} \U0001f469\u200d\U0001f680",
    "lorem ipsum " * (LARGE // 12) + BOB,
]


def hidden(text: str) -> str:
    return text.replace(BOB, HIDDEN)


def tell_all(client: Client, upstream: Upstream, proxy: Hushwire, deflate: bool) -> None:
    sends: list[Step] = [["send", text] for text in TEXTS]
    expected = [["text", hidden(text)] for text in TEXTS]
    sends.append(["bytes", pack(TEXTS[0].encode())])
    expected.append(["bytes", pack(hidden(TEXTS[0]).encode())])
    if "fragments" in client.can:
        sends.append(["fragments", ["mail b", "ob@exam", "ple.com now"]])
        expected.append(["text", f"mail {HIDDEN} now"])
    script = [step for send in sends for step in (send, ["receive", 1])]
    script += [["send", "/tell"], ["receive", 1], ["close", 4000, "bye"], ["closed"]]

    report = client(Call(proxy.url, script, deflate=deflate))
    seen = upstream.seen()

    assert brief(seen.messages) == brief([*expected, ["text", "/tell"]])
    assert brief(report[1:-1]) == brief([*expected, ["text", f"write to {HIDDEN} today"]])
    assert seen.closed == (4000, "bye")


def test_an_address_is_hidden_from_the_upstream_and_from_the_client(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    tell_all(client, upstream, proxy, deflate=True)


@pytest.mark.parametrize("client", able("no-deflate"), indirect=True)
def test_an_address_is_hidden_when_nothing_is_compressed(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    tell_all(client, upstream, proxy, deflate=False)


def test_without_the_proxy_the_address_arrives(client: Client, upstream: Upstream) -> None:
    script: list[Step] = [["send", TEXTS[0]], ["receive", 1], ["send", "/tell"], ["receive", 1]]
    report = client(Call(upstream.url, [*script, ["close", 1000, ""], ["closed"]]))
    assert upstream.seen().messages[0] == ["text", TEXTS[0]]
    assert report[1:3] == [["text", TEXTS[0]], ["text", f"write to {BOB} today"]]
