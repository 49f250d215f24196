"""examples/json_modes.py, directly and through the proxy."""

from __future__ import annotations

import json

import pytest

from tests.examples.conftest import Compare, Play
from tests.examples.conversation import Stage, answer_to, heard
from tests.examples.personal import CARD, EMAIL, SENTENCE, reached_the_service

EXAMPLE = "json_modes"

DOCUMENTS = [
    '{"action":"move","x":1.50,"tags":["a","b"],"deep":{"er":null}}',
    ' { "spaced" : "out" ,\n\t"escaped": "\\u00e9 \\ud83c\\udf89 \\/ \\n" } ',
    '{"twice":1,"twice":2}',
    '"just a string"',
    "12345678901234567890",
    "[]",
]


@pytest.mark.parametrize("mode", ["text", "binary"])
def test_documents_come_back_wrapped(compare: Compare, mode: str) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", f"/ws/json?mode={mode}")
        alice.asks(*(document if mode == "text" else document.encode() for document in DOCUMENTS))
        alice.leaves()

    answers = [json.loads(answer) for answer in heard(compare(script), "alice", mode)]  # type: ignore[arg-type]
    assert [answer["number"] for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [answer["original_message"] for answer in answers] == [json.loads(document) for document in DOCUMENTS]


def test_text_is_the_mode_if_none_is_named(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/json")
        alice.asks("{}")
        alice.leaves()

    assert heard(compare(script), "alice") == ['{"type":"response","number":1,"original_message":{}}']


@pytest.mark.parametrize(
    ("mode", "message", "close"),
    [
        ("text", "{not json", (1007, "not JSON")),
        ("text", "", (1007, "not JSON")),
        ("text", r'"\ud800"', (1007, "not JSON")),
        ("binary", b"\xff\xfe\xfd", (1007, "not JSON")),
        ("text", b"{}", (1003, "send text messages")),
        ("binary", "{}", (1003, "send binary messages")),
    ],
)
def test_what_cannot_be_read_closes_with_the_code_that_says_why(
    compare: Compare, mode: str, message: str | bytes, close: tuple[int, str]
) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", f"/ws/json?mode={mode}")
        alice.says(message)
        alice.sees_the_end()

    assert heard(compare(script), "alice", "close") == [close]


def test_an_unknown_mode_is_refused(compare: Compare) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", "/ws/json?mode=carrier-pigeon"))
    assert answer_to(transcript, "alice")[0] == 403


@pytest.mark.parametrize("mode", ["text", "binary"])
def test_personal_data_in_documents_does_not_reach_the_service(filtered: Play, mode: str) -> None:
    document = json.dumps({"user": {"email": EMAIL, "age": 41}, "notes": ["fine", SENTENCE], "card": CARD})

    def script(stage: Stage) -> None:
        alice = stage.enters("alice", f"/ws/json?mode={mode}")
        alice.asks(document if mode == "text" else document.encode())
        alice.leaves()

    transcript = filtered(script)
    assert reached_the_service(transcript) == []
    [answer] = heard(transcript, "alice", mode)
    original = json.loads(answer)["original_message"]  # type: ignore[arg-type]
    assert original["user"] == {"email": "<EMAIL_ADDRESS>", "age": 41}
    assert original["notes"][0] == "fine"
    assert original["notes"][1].startswith("I am <EMAIL_ADDRESS> and pay with ")
    assert CARD not in json.dumps(original)
