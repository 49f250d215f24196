"""examples/safe_json.py, directly and through the proxy."""

from __future__ import annotations

import json

from tests.examples.conftest import Compare, Play
from tests.examples.conversation import Stage, answer_to, heard
from tests.examples.personal import CARD, EMAIL, reached_the_service

EXAMPLE = "safe_json"

FAULTS: list[tuple[str | bytes, str]] = [
    ("{not json", "Invalid JSON format"),
    ("", "Invalid JSON format"),
    (r'{"action":"\ud800"}', "Invalid JSON format"),
    ("[" * 5000, "Invalid JSON format"),
    ("[]", "A command is a JSON object"),
    ('"text"', "A command is a JSON object"),
    ("{}", "Missing 'action' field"),
    ('{"data":1}', "Missing 'action' field"),
    ('{"action":7}', "Invalid 'action' field: Input should be a valid string"),
    ('{"action":""}', "Invalid 'action' field: String should have at least 1 character"),
    (b"\x00\x01", "Send text messages"),
]


def test_a_command_is_confirmed(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/safe")
        alice.asks('{"action":"ping"}', '{"action": "set", "data": {"a": [1, 2.5, null, "é"]}, "more": true}')
        alice.leaves()

    assert heard(compare(script), "alice") == [
        '{"success":true,"action":"ping","data":null}',
        '{"success":true,"action":"set","data":{"a":[1,2.5,null,"é"]}}',
    ]


def test_every_fault_is_answered_and_the_connection_stays(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/safe")
        for message, _ in FAULTS:
            alice.asks(message)
        alice.asks('{"action":"still here"}')
        alice.leaves()

    *faults, last = (json.loads(str(answer)) for answer in heard(compare(script), "alice"))
    assert [fault["error"] for fault in faults] == [error for _, error in FAULTS]
    assert last == {"success": True, "action": "still here", "data": None}


def test_an_unknown_path_is_refused(compare: Compare) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", "/ws/unsafe"))
    assert answer_to(transcript, "alice")[0] == 403


def test_personal_data_in_a_command_does_not_reach_the_service(filtered: Play) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws/safe")
        alice.asks(json.dumps({"action": "invite", "data": {"to": EMAIL, "card": CARD}}), f"invite {EMAIL}")
        alice.leaves()

    transcript = filtered(script)
    assert reached_the_service(transcript) == []
    answer, fault = (json.loads(str(text)) for text in heard(transcript, "alice"))
    assert answer["action"] == "invite"
    assert answer["data"]["to"] == "<EMAIL_ADDRESS>"
    assert answer["data"]["card"] != CARD
    assert fault == {"error": "Invalid JSON format"}
