"""Clean messages of protocols in which people talk and apps subscribe: chat, presence, GraphQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.corpus.ids import Ids, dumps, one

LINES: tuple[Callable[[Ids], str], ...] = (
    lambda i: "deploy is green, merging now",
    lambda i: f"build {i.digits(5)} failed on commit {i.sha(7)}, rerunning",
    lambda i: f"@channel release {i.semver()} is out, see {i.url()}",
    lambda i: "@here standup in 5, bring the numbers from last week please",
    lambda i: f"bumped {i.package()} and {i.package()}, nothing else changed",
    lambda i: f"order {i.order()} was shipped, tracking {i.tracking()}",
    lambda i: f"can you restock {i.sku()}? EAN {i.ean()}, we sold {i.randrange(900)} since {i.day()}",
    lambda i: (
        f"the book is ISBN {i.isbn()}, chapter {i.randrange(20)}, pages {i.randrange(200)}-{i.randrange(200, 400)}"
    ),
    lambda i: f"ticket ABC-{i.digits(3)}-XYZ: latency went from {i.number(1, 9)}ms to {i.number(9, 90)}ms :fire:",
    lambda i: f"snapshot at {i.iso()} took {i.randrange(900)} s, {i.digits(9)} rows",
    lambda i: f"trace id {i.uuid()}, span {i.hex(16)}",
    lambda i: (
        f"@media (min-width: {i.digits(3)}px) {{ .hero {{ color: {i.color()}; background: url(bg@2x.png) }} }}"
    ),
    lambda i: (
        f"use `{i.choice(['git@github.com:acme/web.git', 'ssh://git@code.example.com/infra.git'])}` as the remote"
    ),
    lambda i: f"image ghcr.io/acme/web@sha256:{i.hex(64)} pushed",
    lambda i: f"numbers 1234 5678 90 and {i.digits(12)} are only sequence ids",
    lambda i: f"voucher {i.cardlike()} expires {i.day()}",
    lambda i: (
        f"match result 21:17, 19:21, 15:13 at {i.randrange(24):02}:{i.randrange(60):02}:{i.randrange(60):02}"
    ),
    lambda i: f"lol same \U0001f602 the new map is way too dark, gg {i.randrange(100)}-{i.randrange(100)}",
    lambda i: "kész a build, mehet élesbe; die Prüfung läuft noch; 準備ができました",
    lambda i: f"part no. {i.digits(3)}-{i.digits(3)}-{i.digits(4)}-A, lot {i.digits(9)}, rev {i.semver()}",
    lambda i: f"$.store.book[?(@.price<{i.randrange(90)})].title and //a[@href='#{i.digits(4)}']",
    lambda i: f"meet at 48\u00b0{i.randrange(60)}'{i.randrange(60)}\"N, or {i.latitude()}, {i.longitude()}",
    lambda i: f"std::vector<int>::iterator, a::b::c and ::before in {i.file()}",
    lambda i: f"sum is 1,{i.digits(3)},{i.digits(3)}.50 EUR ({i.digits(3)} 000 items, {i.number(0, 99)} %)",
)


def line(ids: Ids) -> str:
    """Something said that is about nobody."""
    return str(one(ids, LINES))


CHAT: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "type": "message",
        "id": "msg_" + i.ulid(),
        "channel": i.slack(),
        "ts": i.fraction(),
        "text": line(i),
    },
    lambda i: {
        "op": 0,
        "t": "MESSAGE_CREATE",
        "s": i.randrange(90_000),
        "d": {
            "id": i.snowflake(),
            "channel_id": i.snowflake(),
            "content": line(i),
            "nonce": i.snowflake(),
            "tts": False,
        },
    },
    lambda i: {
        "event": "phx_reply",
        "topic": "room:lobby",
        "ref": i.digits(2),
        "payload": {"last_read_id": i.whole(10)},
    },
    lambda i: [
        None,
        "7",
        "rooms:release",
        "new_msg",
        {"body": line(i), "inserted_at": i.iso(), "seq": i.whole(7)},
    ],
    lambda i: {
        "type": "reaction_added",
        "item": {"type": "message", "channel": i.slack(), "ts": i.fraction()},
        "reaction": "thumbsup",
        "event_ts": i.fraction(),
    },
    lambda i: {
        "kind": "attachment",
        "file": {
            "id": "F" + i.of("0123456789ABCDEF", 10),
            "name": i.file(),
            "mimetype": "image/png",
            "size": i.whole(7),
        },
        "thumb": "data:image/png;base64," + i.base64(60),
        "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    },
    lambda i: {
        "cmd": "history",
        "room_id": i.whole(9),
        "before": i.snowflake(),
        "nextToken": i.base64(30),
        "first": 50,
    },
)

PRESENCE: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {"type": "typing", "channel": "general", "expires_in": 5000, "ts": i.ms()},
    lambda i: {
        "type": "presence",
        "status": "away",
        "since": i.us(),
        "client": f"web/{i.semver()}",
        "mobile": False,
    },
    lambda i: {"type": "pong", "id": i.whole(6), "rtt": i.number(1, 300, 3), "t": i.ns()},
    lambda i: {
        "e": "cursor",
        "doc": i.short(22),
        "x": i.number(0, 4000),
        "y": i.number(0, 4000),
        "color": i.color(),
    },
    lambda i: {
        "topic": "presence",
        "diff": {"joins": {i.uuid(): {"phx_ref": i.short(16), "online_at": str(i.s())}}},
    },
    lambda i: {
        "type": "ack",
        "ids": [i.snowflake() for _ in range(6)],
        "unread": {"mail": 3, "phone": 0, "address": 0},
    },
    lambda i: {
        "type": "hello",
        "session_expires_at": i.iso(),
        "heartbeat_interval": 41_250,
        "emailVerified": True,
    },
)

QUERY = (
    "subscription OnPrice($sku: ID!, $first: Int = 20) { price(sku: $sku, first: $first) { ...on Price @include("
    "if: true) { amount currency updatedAt } pageInfo { endCursor } } }"
)
GRAPHQL: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "type": i.choice(["connection_init", "connection_ack", "ping", "pong"]),
        "payload": {"v": i.semver()},
    },
    lambda i: {
        "id": i.uuid(),
        "type": "subscribe",
        "payload": {"operationName": "OnPrice", "query": QUERY, "variables": {"sku": i.sku(), "first": 20}},
    },
    lambda i: {
        "id": "1",
        "type": "next",
        "payload": {
            "data": {
                "price": {
                    "__typename": "Price",
                    "sku": i.sku(),
                    "amount": i.price(),
                    "updatedAt": i.iso(),
                    "ean": i.ean(),
                },
                "pageInfo": {"endCursor": i.base64(18), "hasNextPage": True},
            }
        },
    },
    lambda i: {
        "id": "4",
        "type": "next",
        "payload": {
            "data": {
                "build": {
                    "id": i.base64(20),
                    "number": i.whole(5),
                    "commit": i.sha(),
                    "state": "PASSED",
                    "ms": i.whole(6),
                },
                "repository": {
                    "fullName": "acme/web",
                    "license": "MIT",
                    "stars": i.whole(4),
                    "defaultBranch": "main",
                },
            },
            "extensions": {"tracing": {"version": 1, "startTime": i.iso(), "duration": i.whole(8)}},
        },
    },
    lambda i: {
        "id": "9",
        "type": "error",
        "payload": [{"message": f"Variable $sku got {i.digits(10)}", "locations": [{"line": 3, "column": 12}]}],
    },
    lambda i: {"id": i.short(), "type": "complete"},
)


KINDS: dict[str, Callable[[Ids], str]] = {
    "chat": lambda i: dumps(i, one(i, CHAT)),
    "presence": lambda i: dumps(i, one(i, PRESENCE)),
    "graphql-ws": lambda i: dumps(i, one(i, GRAPHQL)),
}
