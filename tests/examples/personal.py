"""Personal data for the tests, and the check that none of it arrived."""

from __future__ import annotations

from tests.examples.conversation import Transcript

EMAIL = "bob@example.com"
CARD = "4111 1111 1111 1111"
SENTENCE = f"I am {EMAIL} and pay with {CARD}, thank you"


def reached_the_service(transcript: Transcript) -> list[object]:
    """The messages the service received that hold personal data in clear."""
    received = [row for row in transcript if str(row[0]).startswith("service") and row[1] in ("text", "binary")]
    assert received, "the service received nothing at all"
    texts = [row[2].decode() if isinstance(row[2], bytes) else str(row[2]) for row in received]
    return [text for text in texts if EMAIL in text or CARD in text]
