"""An e-mail address never passes, whatever client sends it and however it is sent.

The upstream gets the name of its kind instead, and so does the client when the upstream sends one. All else in the
message stays as it was.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.clients.blocking import WebsocketsSync
from tests.clients.parties import able
from tests.clients.script import LARGE, Call, Client, Event, Step, brief, pack
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


def test_messages_keep_their_order_while_large_ones_are_looked_at_elsewhere(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    large = "lorem ipsum " * 5000  # far over --inline-chars, so a worker thread looks at it
    texts = [f"{large if index % 3 == 0 else ''}{index} {BOB if index % 2 else 'nobody'}" for index in range(60)]
    expected = [["text", hidden(text)] for text in texts]
    script: list[Step] = [["send", text] for text in texts]
    report = client(Call(proxy.url, [*script, ["receive", len(texts)], ["close", 1000, ""], ["closed"]]))
    assert brief(report[1:-1]) == brief(expected)
    assert brief(upstream.seen().messages) == brief(expected)


def test_many_conversations_at_once_do_not_mix(upstream: Upstream, proxy: Hushwire) -> None:
    def converse(number: int) -> list[Event]:
        texts = [f"conversation {number}, {BOB}, line {line}" for line in range(20)]
        script: list[Step] = [step for text in texts for step in (["send", text], ["receive", 1])]
        return WebsocketsSync()(Call(proxy.url, [*script, ["close", 1000, ""], ["closed"]]))

    with ThreadPoolExecutor(30) as pool:
        reports = list(pool.map(converse, range(60)))
    expected = [
        [["text", f"conversation {number}, {HIDDEN}, line {line}"] for line in range(20)] for number in range(60)
    ]
    assert [report[1:-1] for report in reports] == expected
    seen = sorted((upstream.seen().messages for _ in range(60)), key=expected.index)
    assert seen == expected
