"""Clean messages of protocols in which people and programs talk: chat, presence, GraphQL, OpenAI, Socket.IO ..."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.corpus.ids import Ids, dumps, one

RS = "\x1e"  # ends every SignalR message

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


def _openai(i: Ids, kind: str, **more: Any) -> Any:
    return {"type": kind, "event_id": "event_" + i.short(20), **more}


OPENAI: tuple[Callable[[Ids], Any], ...] = (
    lambda i: _openai(
        i,
        "session.created",
        session={
            "id": "sess_" + i.short(21).replace("-", "x"),
            "object": "realtime.session",
            "model": "gpt-realtime-2025-08-28",
            "expires_at": i.s(),
            "voice": "alloy",
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 200},
            "instructions": "Answer in one sentence. Never read out numbers longer than four digits.",
        },
    ),
    lambda i: _openai(
        i, "response.output_text.delta", response_id="resp_001", item_id="msg_007", delta=" the weather is"
    ),
    lambda i: _openai(i, "response.audio.delta", item_id="msg_" + i.short(20), delta="UklGR" + i.base64(90)),
    lambda i: _openai(
        i,
        "response.done",
        response={
            "id": "resp_" + i.short(20),
            "status": "completed",
            "usage": {
                "total_tokens": i.whole(4),
                "input_token_details": {"cached_tokens": 384, "text_tokens": 119},
            },
        },
    ),
    lambda i: _openai(
        i,
        "rate_limits.updated",
        rate_limits=[{"name": "tokens", "limit": 50_000, "remaining": 49_950, "reset_seconds": 60}],
    ),
    lambda i: _openai(
        i,
        "response.function_call_arguments.done",
        call_id="call_" + i.short(20),
        arguments=json.dumps(
            {"sku": i.sku(), "order": i.order(), "from": i.day(), "limit": 20, "cursor": i.base64(24)}
        ),
    ),
    lambda i: _openai(
        i,
        "conversation.item.created",
        item={"type": "message", "role": "assistant", "content": [{"text": line(i)}]},
    ),
)

SOCKETIO: tuple[Callable[[Ids], str], ...] = (
    lambda i: (
        "0"
        + dumps(i, {"sid": i.short(20), "upgrades": ["websocket"], "pingInterval": 25_000, "maxPayload": 10**6})
    ),
    lambda i: i.choice(["2", "3", "2probe", "3probe", "40", "40/admin,", "41"]),
    lambda i: (
        "42"
        + dumps(i, ["update", {"room": f"r-{i.digits(5)}", "score": [21, 17], "clock": "04:12", "at": i.ms()}])
    ),
    lambda i: (
        f"42/admin,{i.randrange(99)}" + dumps(i, ["stats", {"cpu": 0.31, "mem": i.whole(9), "pid": i.whole(5)}])
    ),
    lambda i: (
        f"43{i.randrange(99)}"
        + dumps(i, [{"ok": True, "id": i.whole(10), "rev": f"7-{i.hex(6)}", "etag": i.etag()}])
    ),
    lambda i: "42" + dumps(i, ["chat message", line(i)]),
    lambda i: (
        "42" + dumps(i, ["order:state", i.order(), {"tracking": i.tracking(), "eta": i.iso(), "zip": i.file()}])
    ),
    lambda i: "451-" + dumps(i, ["frame", {"_placeholder": True, "num": 0}]),
)

SIGNALR: tuple[Callable[[Ids], str], ...] = (
    lambda i: '{"protocol":"json","version":1}' + RS,
    lambda i: "{}" + RS,
    lambda i: dumps(i, {"type": 6}) + RS,
    lambda i: dumps(i, {"type": 1, "target": "PriceChanged", "arguments": [i.sku(), i.price(), i.iso()]}) + RS,
    lambda i: (
        dumps(i, {"type": 1, "target": "Notify", "arguments": [{"text": line(i), "tenantId": i.uuid()}]}) + RS
    ),
    lambda i: (
        dumps(i, {"type": 3, "invocationId": i.digits(3), "result": {"etag": i.etag(), "version": i.whole(9)}})
        + RS
    ),
    lambda i: dumps(i, {"type": 2, "invocationId": "4", "item": i.whole(10)}) + RS + dumps(i, {"type": 6}) + RS,
)


def _stomp(command: str, body: str, **headers: str) -> str:
    lines = [command, *(f"{name.replace('_', '-')}:{value}" for name, value in headers.items())]
    return "\n".join(lines) + "\n\n" + body + "\0"


STOMP: tuple[Callable[[Ids], str], ...] = (
    lambda i: _stomp("CONNECTED", "", version="1.2", heart_beat="10000,10000", server=f"broker/{i.semver()}"),
    lambda i: _stomp("SUBSCRIBE", "", id="sub-0", destination="/topic/prices", ack="client-individual"),
    lambda i: _stomp(
        "MESSAGE",
        dumps(i, {"sku": i.sku(), "qty": i.randrange(900), "at": i.ms(), "note": line(i)}),
        subscription="sub-0",
        message_id=f"{i.digits(10)}-{i.digits(4)}",
        destination="/queue/orders",
        content_type="application/json",
    ),
    lambda i: _stomp("MESSAGE", line(i), subscription="sub-1", message_id=i.uuid(), timestamp=str(i.ms())),
    lambda i: _stomp("RECEIPT", "", receipt_id=i.digits(8)),
    lambda i: _stomp("ERROR", "Unexpected end of body", message="malformed frame received", content_length="22"),
)

KINDS: dict[str, Callable[[Ids], str]] = {
    "chat": lambda i: dumps(i, one(i, CHAT)),
    "presence": lambda i: dumps(i, one(i, PRESENCE)),
    "graphql-ws": lambda i: dumps(i, one(i, GRAPHQL)),
    "openai": lambda i: dumps(i, one(i, OPENAI)),
    "socket.io": lambda i: str(one(i, SOCKETIO)),
    "signalr": lambda i: str(one(i, SIGNALR)),
    "stomp": lambda i: str(one(i, STOMP)),
}
