"""examples/bearer.py, directly and through the proxy."""

from __future__ import annotations

import json

import pytest

from tests.examples.conftest import Compare
from tests.examples.conversation import Stage, answer_to, heard

EXAMPLE = "bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_valid_token_is_let_in_by_name(compare: Compare, scheme: str) -> None:
    def script(stage: Stage) -> None:
        alice = stage.enters("alice", "/ws", {"Authorization": f"{scheme} valid-token"})
        alice.hears()
        alice.asks("hello")
        alice.leaves()

    assert heard(compare(script), "alice") == ["Authenticated as alice", "Echo: hello"]


@pytest.mark.parametrize(
    ("authorization", "status", "challenge", "detail"),
    [
        (None, 401, "Bearer", "Not authenticated"),
        ("Bearer", 401, "Bearer", "Not authenticated"),
        ("Basic dmFsaWQ6dG9rZW4=", 401, "Bearer", "Not authenticated"),
        ("Bearer wrong-token", 401, 'Bearer error="invalid_token"', "Invalid token"),
        ("Bearer válid-token", 401, 'Bearer error="invalid_token"', "Invalid token"),
        (
            "Bearer limited-token",
            403,
            'Bearer error="insufficient_scope", scope="chat"',
            "This token does not open the chat",
        ),
    ],
)
def test_everyone_else_is_told_why_not(
    compare: Compare, authorization: str | None, status: int, challenge: str, detail: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    transcript = compare(lambda stage: stage.knocks("eve", "/ws", headers=headers))
    got, answer, body = answer_to(transcript, "eve")
    assert (got, answer["www-authenticate"], json.loads(body)) == (status, challenge, {"detail": detail})
    assert answer["content-type"] == "application/json"
