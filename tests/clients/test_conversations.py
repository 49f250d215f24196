"""A client must not be able to tell whether Hushwire is there.

Each conversation is held twice, directly and through the proxy, and both the client's report and what the upstream
saw must be the same.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.clients.node import NodeServer
from tests.clients.parties import able, pinging
from tests.clients.script import Call, Client, Event, Step, brief, burst_script, clean_script
from tests.clients.upstream import Headers, Seen, Upstream
from tests.harness import Hushwire

ADDED = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"}
OTHERWISE = {"host", "sec-websocket-key", "sec-websocket-extensions"}  # differs between two direct connections too


def told(seen: Seen) -> Headers:
    """The headers that a client chose, in its order and, where the upstream shows it, in its case."""
    return [(name, value) for name, value in seen.headers if name.lower() not in ADDED | OTHERWISE]


def hold_twice(client: Client, upstream: Upstream, proxy: Hushwire, call: Call) -> tuple[list[Event], Seen]:
    """Hold `call` (its url is a path) both ways, compare all there is, and return what came through the proxy."""
    reports, records = [], []
    for base in (upstream.url, proxy.url):
        reports.append(client(replace(call, url=base + call.url)))
        records.append(upstream.seen())
    direct, proxied = records
    assert brief(reports[1]) == brief(reports[0])
    assert brief(proxied.messages) == brief(direct.messages)
    assert (proxied.path, proxied.closed) == (direct.path, direct.closed)
    assert told(proxied) == told(direct)
    return reports[1], proxied


def test_a_clean_conversation_is_the_same_with_and_without_the_proxy(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    report, seen = hold_twice(client, upstream, proxy, Call("/room/a%2Fb?user=7&x=%C3%A9", clean_script(client)))
    assert seen.path == "/room/a%2Fb?user=7&x=%C3%A9"
    assert seen.closed == (4321, "that is all")
    assert report[-1][:2] == ["closed", 4321]
    assert len(seen.messages) >= 12
    assert report[0][2] is ("deflate" in client.can), "deflate is on if the client knows it"


@pytest.mark.parametrize("client", able("no-deflate"), indirect=True)
def test_without_an_offer_of_deflate_nothing_is_compressed_and_all_is_the_same(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    report, _ = hold_twice(client, upstream, proxy, Call("/", clean_script(client), deflate=False))
    assert report[0][2] is False


def test_a_burst_of_messages_arrives_whole_and_in_order_both_ways(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    numbers = [["text", f"number {index}"] for index in range(1000)]
    report, seen = hold_twice(client, upstream, proxy, Call("/", burst_script(1000)))
    assert report[1:-1] == numbers * 2
    assert seen.messages == [*numbers, ["text", "/burst 1000"]]


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1000, "done"), (3000, "ünïcödé ✓"), (4999, "x" * 123)], ids=str
)
def test_a_close_keeps_its_code_and_reason_whoever_closes(
    client: Client, upstream: Upstream, proxy: Hushwire, code: int, reason: str
) -> None:
    _, seen = hold_twice(client, upstream, proxy, Call("/", [["close", code, reason], ["closed"]]))
    assert seen.closed == (code, reason)
    report, _ = hold_twice(client, upstream, proxy, Call("/", [["send", f"/close {code} {reason}"], ["closed"]]))
    assert report[1] == ["closed", code, reason]


def test_the_subprotocol_that_the_upstream_takes_is_the_one_that_the_client_gets(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    hello: list[Step] = [["send", "hello"], ["receive", 1], ["close", 1000, ""], ["closed"]]
    report, _ = hold_twice(client, upstream, proxy, Call("/", hello, subprotocols=["chat.v2", "chat.v1"]))
    assert report[0][1] == "chat.v1"


@pytest.mark.parametrize("upstream", pinging(), indirect=True)
def test_a_ping_of_the_upstream_is_answered_by_the_client(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    report, _ = hold_twice(
        client, upstream, proxy, Call("/", [["send", "/ping"], ["receive", 1], ["close", 1000, ""], ["closed"]])
    )
    assert report[1] == ["text", "the pong came"]


@pytest.mark.parametrize("client", able("headers"), indirect=True)
def test_headers_and_cookies_reach_the_upstream_as_the_client_wrote_them(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    headers = {
        "X-Tenant": "Blue, green",
        "Cookie": "session=abc; theme=dark",
        "Authorization": "Bearer t0ken",
        "User-Agent": "robot/1.0",
        "x-lower": "1",
    }
    _, seen = hold_twice(client, upstream, proxy, Call("/", [["close", 1000, ""], ["closed"]], headers=headers))
    for name, value in headers.items():
        assert seen.header(name) == [value]
    if isinstance(upstream, NodeServer):  # the one that shows the case of a name
        assert {"X-Tenant", "x-lower"} <= {name for name, _ in seen.headers}


def test_a_refusal_of_the_upstream_is_seen_by_the_client_as_it_was_said(
    client: Client, upstream: Upstream, proxy: Hushwire
) -> None:
    direct = client(Call(f"{upstream.url}/private", []))
    assert client(Call(f"{proxy.url}/private", [])) == direct
    if "status" in client.can:
        assert direct[0][:2] == ["refused", 401]
    else:
        assert direct == [["closed", 1006, ""]]  # a browser tells its page no more
