"""Two transcripts side by side: where they differ, as sentences. An empty list means identical, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest

from tests.wire.frames import CLOSE, Frame
from tests.wire.peer import FIN, RST, Seen, Transcript

ENDS = (FIN, RST, "missing end")
NAME = re.compile(rb"^[^\s:]+(?=:)", re.MULTILINE)


def differences(direct: Transcript, other: Transcript) -> list[str]:
    """What `other` shows differently, in the order of the conversation; shortened, one line each."""
    found: list[str] = []
    for side in ("client", "upstream"):
        found += (f"{side}: {line}" for line in _side(getattr(direct, side), getattr(other, side)))
    return found


def with_heads(transcript: Transcript, sides: Iterable[str]) -> Transcript:
    """The conversation with the heads of these sides alone."""
    client, upstream = transcript.client, transcript.upstream
    return Transcript(
        client if "client" in sides else replace(client, head=b""),
        upstream if "upstream" in sides else replace(upstream, head=b""),
    )


def forgiven(transcript: Transcript) -> Transcript:
    """Names of headers in lower case, and how TCP ended after a CLOSE or a refusal left out.

    The measure under which proxies that were not made for this can be compared with each other.
    """

    def forgive(seen: Seen) -> Seen:
        events = list(seen.events)
        over = seen.body or any(isinstance(event, Frame) and event.opcode == CLOSE for event in events)
        while over and events and events[-1] in ENDS:
            events.pop()
        return replace(seen, head=NAME.sub(lambda match: match[0].lower(), seen.head), events=tuple(events))

    client = forgive(transcript.client)
    refused = bool(transcript.client.body)
    upstream = replace(transcript.upstream, events=()) if refused else transcript.upstream
    return Transcript(client, forgive(upstream))


def _side(direct: Seen, other: Seen) -> Iterator[str]:
    for what, here, there in (
        ("head", direct.head.split(b"\r\n"), other.head.split(b"\r\n")),
        ("body", [direct.body], [other.body]),
        ("heard", direct.events, other.events),
        ("unfinished frame", [direct.rest], [other.rest]),
    ):
        for want, got in zip_longest(here, there):
            if want != got:
                yield f"{what}: {_short(want)} became {_short(got)}"
                if what != "heard":
                    break  # after an inserted or missing line every later one is shifted


def _short(value: object) -> str:
    shown = "nothing" if value is None else repr(value) if isinstance(value, bytes) else str(value)
    return shown if len(shown) <= 100 else shown[:97] + "..."
