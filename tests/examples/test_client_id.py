"""examples/client_id.py, directly and through the proxy."""

from __future__ import annotations

import pytest

from tests.examples.conftest import Compare
from tests.examples.conversation import Stage, answer_to, heard

EXAMPLE = "client_id"


@pytest.mark.parametrize("number", [0, 7, 2**70])
def test_answers_carry_the_number(compare: Compare, number: int) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", f"/ws/{number}")
        alice.asks("hello", "again")
        alice.leaves()

    assert heard(compare(script), "alice") == [f"Client {number}: hello", f"Client {number}: again"]


@pytest.mark.parametrize("number", ["seven", "-1", "1.5", "%37x", ""])
def test_what_is_not_a_number_is_refused(compare: Compare, number: str) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", f"/ws/{number}"))
    status, _, body = answer_to(transcript, "alice")
    assert (status, body) == (403, b"")


def test_two_clients_do_not_hear_each_other(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice, bob = stage.enters("alice", "/ws/1"), stage.enters("bob", "/ws/2")
        alice.asks("from one")
        bob.asks("from two")
        alice.leaves()
        bob.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice") == ["Client 1: from one"]
    assert heard(transcript, "bob") == ["Client 2: from two"]


def test_a_binary_message_is_answered_with_1003(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/1")
        alice.says(b"\x00")
        alice.sees_the_end()

    assert heard(compare(script), "alice", "close") == [(1003, "text only")]
