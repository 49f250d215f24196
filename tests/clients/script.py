"""What a client says in a test, and what it reports: the vocabulary of all clients, in Python and JavaScript.

A script is a list of steps, a report a list of events; both are plain JSON, so a subprocess or a browser can take
part. Bytes are base64. Nothing here knows a client library or a server.

    step    ["send", text]  ["bytes", base64]  ["fragments", [text, ...]]  ["ping", text]
            ["receive", how many messages]  ["close", code, reason]  ["closed"]: wait for the other side's close
    event   ["opened", subprotocol or null, whether deflate is on]  ["text", text]  ["bytes", base64]
            ["pong", text]  ["closed", code, reason or null]  ["refused", status, body]
"""

from __future__ import annotations

import base64
import hashlib
import random
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Step = list[Any]
Event = list[Any]

DEADLINE = 20.0  # seconds; for a whole conversation, with a 1 MiB message in it
LARGE = 1024 * 1024


@dataclass(frozen=True)
class Call:
    """How a client opens its connection, and what it says then."""

    url: str
    script: list[Step]
    headers: dict[str, str] = field(default_factory=dict)
    subprotocols: list[str] = field(default_factory=list)
    deflate: bool = True  # offer what the client offers by itself; False: offer nothing
    ca: Path | None = None  # the only authority to trust, for wss://


class Client(Protocol):
    """A WebSocket library: makes the call and reports what came of it. Raises if the deadline passes."""

    name: str
    can: frozenset[str]  # of: ping, fragments, headers, status, deflate, no-deflate, ca, pin

    def __call__(self, call: Call) -> list[Event]: ...


EVERYTHING = frozenset({"ping", "headers", "status", "no-deflate", "ca"})  # what each Python library can


def trust(call: Call) -> ssl.SSLContext | None:
    """A context that trusts the call's authority and no other; None for ws://."""
    return ssl.create_default_context(cafile=call.ca) if call.ca else None


def message(data: str | bytes) -> Event:
    """The event for a message that arrived."""
    return ["text", data] if isinstance(data, str) else ["bytes", pack(data)]


def pack(payload: bytes) -> str:
    """Bytes as a script or a report writes them."""
    return base64.b64encode(payload).decode()


def brief(events: list[Event]) -> list[Event]:
    """The report with long texts as length and digest, so that a difference can be read."""
    return [[_brief(item) for item in event] for event in events]


def _brief(item: Any) -> Any:
    if not isinstance(item, str) or len(item) <= 300:
        return item
    return f"{item[:40]}... {len(item)} characters, {hashlib.sha256(item.encode()).hexdigest()[:16]}"


PLAIN = [
    "hello",
    "",
    '{"type":"move","x":1.50,"to":null, "list":[1,2,{"deep":"ünïcödé \\u00e9"}]}',
    "line one\r\nline two\ttab \u0001 \u2028 emoji \U0001f469\u200d\U0001f680",
    '["not","an","object"]',
    "{broken json",
    "<b>markup & entities &amp;</b>",
    "2025-11-23T04:05:06Z id=7f3c2a price 19.99 EUR at 10:30",
]


def clean_script(client: Client) -> list[Step]:
    """A conversation without personal data that uses everything the client can do; the upstream echoes."""
    noise = random.Random(7).randbytes(LARGE)  # the same in every run
    sends: list[Step] = [["send", text] for text in PLAIN]
    sends += [["bytes", pack(bytes(range(256)) * 3)], ["bytes", ""], ["send", "lorem ipsum " * (LARGE // 12)]]
    sends += [["bytes", pack(noise)]]
    script = [step for send in sends for step in (send, ["receive", 1])]
    if "fragments" in client.can:
        script += [["fragments", ["one ", "", "message ", "in four"]], ["receive", 1]]
    if "ping" in client.can:
        script += [["ping", "are you there"], ["send", "after the ping"], ["receive", 1]]
    return [*script, ["close", 4321, "that is all"], ["closed"]]


def burst_script(count: int) -> list[Step]:
    """`count` messages to the upstream without a wait, then as many echoes; and the same from the upstream."""
    sends: list[Step] = [["send", f"number {index}"] for index in range(count)]
    received: Step = ["receive", count]
    return [*sends, received, ["send", f"/burst {count}"], received, ["close", 1000, ""], ["closed"]]
