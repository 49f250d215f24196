"""examples/handshake.py, directly and through the proxy."""

from __future__ import annotations

import json

import pytest

from tests.examples.conftest import Compare
from tests.examples.conversation import LEFT_OUT, Stage, answer_to, heard

EXAMPLE = "handshake"

# Random, negotiated for each leg, or the address that was dialled.
OWN = LEFT_OUT | {"host", "sec-websocket-key", "sec-websocket-extensions"}


def report(message: str | bytes) -> object:
    """The report of the service without what differs from one run to the next."""
    document = json.loads(message)
    document["headers"] = [[name, value] for name, value in document["headers"] if name.lower() not in OWN]
    return document


def test_the_service_reports_the_request_it_saw(compare: Compare) -> None:
    headers = [("X-Client", "tests"), ("X-Twice", "one"), ("x-twice", "two"), ("Cookie", "visits=4; theme=light")]

    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws?b=2&a=1&b=&c=%20%2B+", headers, origin="https://app.example")
        alice.hears(clean=report)
        alice.asks("x-twice", "origin", "x-absent")
        alice.leaves()

    seen, *answers = heard(compare(script), "alice")
    assert isinstance(seen, dict)
    assert seen["query"] == [["b", "2"], ["a", "1"], ["b", ""], ["c", " + "]]
    assert seen["cookies"] == {"visits": "4", "theme": "light"}
    assert ["x-client", "tests"] in [[name.lower(), value] for name, value in seen["headers"]]
    assert answers == ['["one","two"]', '["https://app.example"]', "[]"]


def test_cookies_and_headers_arrive_with_the_acceptance(compare: Compare) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws", {"Cookie": "visits=4", "X-Client": "caf\xe9"})
        alice.hears(clean=report)
        alice.leaves()

    transcript = compare(script)
    assert answer_to(transcript, "alice")[0] == 101
    [answer] = [row[4] for row in transcript if row[:2] == ("alice", "handshake")]
    assert isinstance(answer, list)
    lower = [(name.lower(), value) for name, value in answer]
    assert ("x-served-to", "caf\xe9") in lower
    assert [value for name, value in lower if name == "set-cookie"] == [
        "visits=5; HttpOnly; Path=/ws; SameSite=Strict",
        "theme=dark; Path=/",
    ]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(None, None), (["notes.v1"], "notes.v1"), (["other", "notes.v1", "notes.v2"], "notes.v2")],
)
def test_the_best_common_subprotocol_is_chosen(
    compare: Compare, offered: list[str] | None, chosen: str | None
) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws", subprotocols=offered)
        alice.hears(clean=report)
        alice.leaves()

    transcript = compare(script)
    assert heard(transcript, "alice", "subprotocol") == [chosen]
    [seen] = heard(transcript, "alice")
    assert isinstance(seen, dict)
    assert (seen["offered"], seen["subprotocol"]) == (offered or [], chosen)


def test_an_offer_without_a_known_subprotocol_is_refused_with_a_list(compare: Compare) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", "/ws", subprotocols=["other"]))
    status, headers, body = answer_to(transcript, "alice")
    assert (status, headers["content-type"]) == (400, "application/json")
    assert json.loads(body)["spoken"] == ["notes.v2", "notes.v1"]


@pytest.mark.parametrize("headers", [{"Cookie": "visits=many"}, {"X-Client": "x" * 81}])
def test_an_invalid_cookie_or_header_is_refused(compare: Compare, headers: dict[str, str]) -> None:
    transcript = compare(lambda stage: stage.knocks("alice", "/ws", headers=headers))
    status, _, body = answer_to(transcript, "alice")
    assert (status, body) == (403, b"")
