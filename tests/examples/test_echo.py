"""examples/echo.py, directly and through the proxy."""

from __future__ import annotations

import pytest

from tests.examples.conftest import Compare, Play
from tests.examples.conversation import Stage, answer_to, heard, perform
from tests.examples.personal import CARD, EMAIL, SENTENCE, reached_the_service
from tests.examples.service import Service

EXAMPLE = "echo"


def test_text_binary_and_fragments_come_back(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws")
        alice.asks("hello", "", "Grüße, 世界 🎉", b"\x00\xff\x80 bytes", b"", "line\nbreak\x00nul")
        alice.asks(["in ", "three ", "pieces"], "x" * 70_000, b"y" * 70_000)
        alice.pings(b"are you there")
        alice.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice")[:2] == ["Message text was: hello", "Message text was: "]
    assert "Message text was: in three pieces" in heard(transcript, "alice")
    assert heard(transcript, "alice", "binary") == [b"\x00\xff\x80 bytes", b"", b"y" * 70_000]
    assert heard(transcript, "alice", "pong") == [b"are you there"]


def test_a_burst_is_answered_in_order(compare: Compare) -> None:
    lines = [f"line {number}" for number in range(200)]

    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws")
        alice.says(*lines)
        alice.hears(len(lines))
        alice.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice") == [f"Message text was: {line}" for line in lines]
    assert heard(transcript, "service 1") == lines


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "going home"), (4321, "Grüße"), (3000, "x" * 123)]
)
def test_the_service_learns_how_the_client_closed(compare: Compare, code: int, reason: str) -> None:
    transcript = compare(lambda stage: stage.enters("alice", "/ws").leaves(code, reason))
    assert ("service 1", "disconnect", code, reason) in transcript
    assert heard(transcript, "alice", "close") == [(code, reason)]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/ws/", "/ws%2F", "/ws/%C3%A9"])
def test_an_unknown_path_is_refused(compare: Compare, path: str) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", path))
    status, _, body = answer_to(transcript, "alice")
    assert (status, body) == (403, b"")
    assert ("service 1", "request", path) == transcript[1][:3]


def test_a_client_that_does_not_wait_for_the_answer_does_no_harm(service: Service) -> None:
    transcript = perform(lambda stage: stage.breaks_in("/ws").says_last("never mind"), service.url, service)
    assert heard(transcript, "service 1") == ["never mind"]


def test_personal_data_does_not_reach_the_service(filtered: Play) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws")
        alice.asks(EMAIL, SENTENCE, SENTENCE.encode(), ["I am bob@exa", "mple.com"])
        alice.leaves()

    transcript = filtered(script)
    assert reached_the_service(transcript) == []
    texts = heard(transcript, "alice")
    assert texts[0] == "Message text was: <EMAIL_ADDRESS>"
    assert texts[2] == "Message text was: I am <EMAIL_ADDRESS>"
    for answer in (str(texts[1]), heard(transcript, "alice", "binary")[0].decode()):  # type: ignore[attr-defined]
        assert "I am <EMAIL_ADDRESS> and pay with " in answer
        assert answer.endswith(", thank you")
        assert CARD not in answer
