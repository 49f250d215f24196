"""examples/rooms.py, directly and through the proxy."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.examples.conftest import Compare, Play
from tests.examples.conversation import Stage, answer_to, heard
from tests.examples.personal import CARD, SENTENCE, reached_the_service

EXAMPLE = "rooms"


def test_a_message_is_heard_in_its_room_only(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        people = [
            stage.enters("alice", "/ws?room=lobby&user_id=1"),
            stage.enters("bob", "/ws?user_id=2&room=lobby"),
            stage.enters("carol", "/ws?room=attic&user_id=3"),
        ]
        for person in people:
            person.hears()
        people[0].says("hello")
        for person in people[:2]:
            person.hears()
        people[2].asks("alone")
        for person in people:
            person.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice") == ["Welcome to room lobby, user 1!", "[lobby] User 1: hello"]
    assert heard(transcript, "bob") == ["Welcome to room lobby, user 2!", "[lobby] User 1: hello"]
    assert heard(transcript, "carol") == ["Welcome to room attic, user 3!", "[attic] User 3: alone"]


@pytest.mark.parametrize("room", ["été 世界", "a&b=c", "50%", "a+b", "x" * 40])
def test_any_spelling_of_a_room_arrives(compare: Compare, room: str) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", f"/ws?room={quote(room, safe='')}&user_id=7")
        alice.hears()
        alice.leaves()

    assert heard(compare(script), "alice") == [f"Welcome to room {room}, user 7!"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?room=lobby",
        "?user_id=7",
        "?room=lobby&user_id=seven",
        "?room=lobby&user_id=0",
        "?room=&user_id=7",
    ],
)
def test_a_missing_or_invalid_parameter_is_refused(compare: Compare, query: str) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", f"/ws{query}"))
    status, _, body = answer_to(transcript, "alice")
    assert (status, body) == (403, b"")


def test_someone_who_vanished_does_not_disturb_the_room(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws?room=lobby&user_id=1")
        alice.hears()
        stranger = stage.breaks_in("/ws?room=lobby&user_id=2")
        stranger.says("last words")
        alice.hears()
        stranger.vanishes("rst")
        alice.asks("still here", "and still")
        alice.leaves()

    assert heard(compare(script), "alice")[1:] == [
        "[lobby] User 2: last words",
        "[lobby] User 1: still here",
        "[lobby] User 1: and still",
    ]


def test_personal_data_reaches_neither_the_service_nor_the_room(filtered: Play) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws?room=lobby&user_id=1")
        bob = stage.enters("bob", "/ws?room=lobby&user_id=2")
        alice.hears()
        bob.hears()
        alice.asks(SENTENCE)
        bob.hears()
        alice.leaves()
        bob.leaves()

    transcript = filtered(script)
    assert reached_the_service(transcript) == []
    assert heard(transcript, "bob")[1:] == heard(transcript, "alice")[1:]
    said = str(heard(transcript, "bob")[1])
    assert said.startswith("[lobby] User 1: I am <EMAIL_ADDRESS> and pay with ")
    assert CARD not in said
