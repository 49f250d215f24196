"""examples/close_codes.py, directly and through the proxy."""

from __future__ import annotations

import pytest

from tests.examples.conftest import Compare
from tests.examples.conversation import Stage, heard

EXAMPLE = "close_codes"


@pytest.mark.parametrize(
    ("request_", "close"),
    [
        ("close", (1000, "Client requested close")),
        ("error", (1011, "Server error occurred")),
        ("close 4001 gone fishing", (4001, "gone fishing")),
        ("close 3999 Grüße 🎉", (3999, "Grüße 🎉")),
        ("close 4999", (4999, "")),
        ("close 4000 " + "x" * 123, (4000, "x" * 123)),
        (b"binary", (1003, "text only")),
    ],
)
def test_the_client_learns_how_the_service_closed(
    compare: Compare, request_: str | bytes, close: tuple[int, str]
) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/custom-close")
        alice.asks("first")
        alice.says(request_)
        alice.sees_the_end()

    transcript = compare(script)
    assert heard(transcript, "alice") == ["Received: first"]
    assert ("alice", "close", close, close, True) in transcript


@pytest.mark.parametrize(
    "request_", ["close 1006 no", "close 2999", "close 5000", "close 4001x", "Close", "close 4000 " + "é" * 62]
)
def test_a_code_or_reason_that_may_not_be_sent_is_an_ordinary_message(compare: Compare, request_: str) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/custom-close")
        alice.asks(request_)
        alice.leaves(4100, "my own")

    transcript = compare(script)
    assert heard(transcript, "alice") == [f"Received: {request_}"]
    assert ("alice", "close", (4100, "my own"), (4100, "my own"), False) in transcript
    assert ("service 1", "disconnect", 4100, "my own") in transcript


def test_messages_sent_before_the_close_are_delivered(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/custom-close")
        alice.says(*map(str, range(50)), "close 4001 enough")
        alice.sees_the_end()

    transcript = compare(script)
    assert heard(transcript, "alice") == [f"Received: {number}" for number in range(50)]
    assert heard(transcript, "alice", "close") == [(4001, "enough")]
