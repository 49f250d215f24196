"""Clean messages of protocols that carry others: OpenAI realtime events, Socket.IO, SignalR, STOMP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.corpus.ids import Ids, dumps, one
from benchmarks.corpus.talk import line

RS = "\x1e"  # ends every SignalR message


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
    "openai": lambda i: dumps(i, one(i, OPENAI)),
    "socket.io": lambda i: str(one(i, SOCKETIO)),
    "signalr": lambda i: str(one(i, SIGNALR)),
    "stomp": lambda i: str(one(i, STOMP)),
}
