"""examples/chat.py, directly and through the proxy."""

from __future__ import annotations

from typing import Literal

import pytest

from examples import chat
from tests.examples.conftest import Compare, Play
from tests.examples.conversation import Actor, Stage, answer_to, heard, perform
from tests.examples.personal import CARD, EMAIL, SENTENCE, reached_the_service
from tests.examples.service import Service

EXAMPLE = "chat"


def two_join(stage: Stage) -> tuple[Actor, Actor]:
    """Alice (1) and then Bob (2) are in the chat, and have heard of it."""
    alice = stage.enters("alice", "/ws/1")
    alice.hears()
    bob = stage.enters("bob", "/ws/2")
    bob.hears()
    alice.hears()
    return alice, bob


def test_joining_talking_and_leaving_is_heard_by_all(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice, bob = two_join(stage)
        alice.says("hello")
        alice.hears(2)
        bob.hears()
        bob.leaves()
        alice.hears()
        alice.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice") == [
        "Client #1 joined the chat",
        "Client #2 joined the chat",
        "You wrote: hello",
        "Client #1 says: hello",
        "Client #2 left the chat",
    ]
    assert heard(transcript, "bob") == ["Client #2 joined the chat", "Client #1 says: hello"]


def test_a_personal_message_is_heard_by_one(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice, bob = two_join(stage)
        carol = stage.enters("carol", "/ws/3")
        for member in (carol, alice, bob):
            member.hears()
        alice.asks("@2 psst", "@9 anybody", "@2")
        bob.hears(2)
        carol.leaves()  # writes down whatever else came
        bob.hears()
        alice.hears()
        alice.leaves()
        bob.hears()
        bob.leaves()

    transcript = compare(script)
    assert heard(transcript, "bob")[2:4] == ["Client #1 says to you: psst", "Client #1 says to you: "]
    assert heard(transcript, "alice")[3:6] == [
        "You wrote to client #2: psst",
        "Client #9 is not here",
        "You wrote to client #2: ",
    ]
    assert heard(transcript, "carol") == ["Client #3 joined the chat"]


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_client_that_vanishes_has_left_for_the_others(compare: Compare, how: Literal["fin", "rst"]) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/1")
        alice.hears()
        stranger = stage.breaks_in("/ws/66")
        alice.hears()
        stranger.says("last words")
        alice.hears()
        stranger.vanishes(how)
        alice.hears()
        alice.asks("@66 are you there")
        alice.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice")[1:] == [
        "Client #66 joined the chat",
        "Client #66 says: last words",
        "Client #66 left the chat",
        "Client #66 is not here",
    ]


def test_a_member_who_does_not_read_holds_nobody_up_for_long(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "PATIENCE", 0.1)
    much = "x" * 900_000

    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/1")
        alice.hears()
        sleeper = stage.breaks_in("/ws/9")
        alice.hears()
        for _ in range(15):  # more than the buffers on the way to the sleeper hold
            alice.says(much)
            alice.hears(2)
        sleeper.vanishes("rst")
        alice.hears()
        alice.leaves()

    transcript = perform(script, service.url, service)
    assert heard(transcript, "alice")[2:] == [f"You wrote: {much}", f"Client #1 says: {much}"] * 15 + [
        "Client #9 left the chat"
    ]


def test_a_client_without_a_number_is_refused_unheard(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/1")
        alice.hears()
        stage.knocks("bob", "/ws/two")
        alice.leaves()

    transcript = compare(script)
    assert answer_to(transcript, "bob")[0] == 403
    assert heard(transcript, "alice") == ["Client #1 joined the chat"]


def test_personal_data_reaches_neither_the_service_nor_the_others(filtered: Play) -> None:
    def script(stage: Stage) -> None:
        alice, bob = two_join(stage)
        alice.says(SENTENCE, f"@2 {EMAIL}")
        alice.hears(3)
        bob.hears(2)
        bob.leaves()
        alice.hears()
        alice.leaves()

    transcript = filtered(script)
    assert reached_the_service(transcript) == []
    to_all, to_bob = map(str, heard(transcript, "bob")[1:])
    assert to_all.startswith("Client #1 says: I am <EMAIL_ADDRESS> and pay with ")
    assert CARD not in to_all
    assert to_bob == "Client #1 says to you: <EMAIL_ADDRESS>"
