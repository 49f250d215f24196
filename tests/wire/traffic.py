"""Random streams of frames, what an application hears when it reads one, and another reader's opinion.

A stream is what one side might send: messages whole or in fragments, empty ones too, with pings and pongs
between and inside them, in sizes around every boundary of the length encoding.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from proxy.core.message import Side
from tests.playbook import PATTERNS
from tests.wire import frames
from tests.wire.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT
from tests.wire.wiring import Said

EDGES = (0, 1, 2, 124, 125, 126, 127, 128, 65535, 65536, 65537)
PERSONAL = "mail bob@example.com or Alice, "


def message(rng: random.Random, personal: bool) -> Said:
    """A whole message; only a text one is ever personal."""
    size = rng.choice(EDGES[:8]) if rng.random() < 0.9 else rng.choice(EDGES)
    if rng.random() < 0.3:
        return Said(BINARY, bytes(rng.randrange(9) for _ in range(size % 500)) * (size // 500 or 1))
    text = (PERSONAL if personal and rng.random() < 0.5 else "0123456789é ") * (size // 12 + 1)
    return Said(TEXT, text.encode()[:size].decode(errors="ignore").encode())


def control(rng: random.Random) -> Said:
    return Said(rng.choice((PING, PONG)), bytes(rng.randrange(32) for _ in range(rng.choice((0, 1, 4, 125)))))


def fragments(rng: random.Random, whole: Said) -> Iterator[Said]:
    """`whole` in up to five frames, some of them empty."""
    size = len(whole.payload)
    edges = [0, *sorted(rng.choices(range(size + 1), k=rng.randrange(5))), size]
    for index, (start, end) in enumerate(pairwise(edges)):
        opcode, rsv = (CONT, 0) if index else (whole.opcode, whole.rsv)
        yield Said(opcode, whole.payload[start:end], end == size and index == len(edges) - 2, rsv)


def stream(rng: random.Random, length: int, personal: bool) -> list[Said]:
    """`length` messages as frames."""
    said: list[Said] = []
    for _ in range(length):
        whole = message(rng, personal)
        for frame in [whole] if rng.random() < 0.6 else fragments(rng, whole):
            said += [control(rng)] if rng.random() < 0.2 else []
            said.append(frame)
    return said


def heard(said: Iterable[Said]) -> list[Said]:
    """What an application hears: whole messages and control frames, in the order in which they end."""
    events: list[Said] = []
    kind, pieces = 0, b""
    for opcode, payload, fin, _ in said:
        if opcode >= CLOSE:
            events.append(Said(opcode, payload))
            continue
        kind, pieces = (kind, pieces + payload) if opcode == CONT else (opcode, payload)
        if fin:
            events.append(Said(kind, pieces))
    return events


def redacted(said: Said) -> Said:
    """What must become of a message when every entity of the table is replaced (there is no overlap in here)."""
    payload = said.payload
    if said.opcode == TEXT:
        text = payload.decode()
        for entity, (pattern, score) in PATTERNS.items():
            if score >= 0.5:
                text = re.sub(pattern, f"<{entity}>", text)
        payload = text.encode()
    return Said(said.opcode, payload)


def judged(data: bytes, side: Side, bits: int | None = None) -> list[Said]:
    """What websockets hears in the bytes that `side` got. Fails if it finds a fault in them."""
    if side is Side.UPSTREAM:
        protocol: ServerProtocol | ClientProtocol = ServerProtocol(state=OPEN, max_size=None)
    else:
        protocol = ClientProtocol(parse_uri("ws://upstream.test"), state=OPEN, max_size=None)
    if bits is not None:
        protocol.extensions = [PerMessageDeflate(True, True, bits, 15)]
    protocol.receive_data(data)
    assert protocol.parser_exc is None
    events = [event for event in protocol.events_received() if isinstance(event, Frame)]
    return heard(Said(int(event.opcode), bytes(event.data), event.fin) for event in events)


def sorted_out(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """The frames in `data` as they are spelt: those of messages, and control frames."""
    spelt: tuple[list[bytes], list[bytes]] = ([], [])
    at = 0
    while at < len(data):
        parsed = frames.parse(data[at : at + 66_000])
        assert parsed is not None, "a frame is cut short"
        frame, size = parsed
        spelt[frame.opcode >= CLOSE].append(data[at : at + size])
        at += size
    return spelt
