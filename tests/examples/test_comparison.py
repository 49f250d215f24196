"""The comparison itself: what a proxy could spoil is noticed, and nothing is spoilt by chance."""

from __future__ import annotations

import pytest

from tests.examples.conversation import Stage, perform
from tests.examples.service import Service
from tests.examples.tunnel import Spoil, Tunnel

EXAMPLE = "handshake"


def script(stage: Stage) -> None:
    """A handshake with everything in it, a message, an orderly end; and a refusal."""
    alice = stage.enters("alice", "/ws", {"X-Client": "tests"}, subprotocols=["notes.v2"])
    alice.hears(clean=lambda _: "report")
    alice.asks("x-client")
    alice.leaves(1000, "thank you")
    stage.knocks("eve", "/ws", subprotocols=["other"])


def swap(old: bytes, new: bytes) -> Spoil:
    """Spoils every occurrence of `old`."""
    assert len(old) == len(new)
    return lambda data: data.replace(old, new)


@pytest.mark.parametrize(
    "spoil",
    [
        swap(b'["tests"]', b'["TESTS"]'),  # a message
        swap(b"\x81\x09", b"\x82\x09"),  # text becomes binary
        swap(b"x-served-to: tests", b"x-served-to: ttttt"),
        swap(b"x-served-to", b"X-Served-To"),
        swap(b"theme=dark", b"theme=DARK"),
        swap(b"\r\nserver: uvicorn", b"\r\nserver: nuvicor"),
        swap(b"Sec-WebSocket-Protocol: notes.v2\r\n", b"X-Other-Name-For-This:  notes.v2\r\n"),
        swap(b"400 Bad Request", b"403 Bad Request"),
        swap(b"400 Bad Request", b"400 Bad request"),
        swap(b'{"detail"', b'{"DETAIL"'),
        swap(b"thank you", b"thank YOU"),  # the answer to the close
    ],
)
def test_a_spoilt_answer_is_noticed(service: Service, spoil: Spoil) -> None:
    direct = perform(script, service.url, service)
    with Tunnel(service.port) as honest:
        assert perform(script, honest.url, service) == direct
    with Tunnel(service.port, spoil) as spoiling:
        assert perform(script, spoiling.url, service) != direct
