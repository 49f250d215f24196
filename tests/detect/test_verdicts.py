"""What is found and what is not, as people and programs write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.detect.looking import detector, leaf, look, values

FOUND = {
    "EMAIL_ADDRESS": [
        "bob@example.com",
        "Bob.O'Neil+news@mail.example.co.uk",
        "bob@corp.internal",
        "bob@example.invalid",
        "root@localhost",
        "jörg@bücher.example",
        "a/b#c@example.com",
        "x_y@xn--80ak6aa92e.com",
    ],
    "PHONE_NUMBER": [
        "+1 212-555-0142",
        "(212) 555-0142",
        "212-555-0142",
        "212.555.0142",
        "+44 20 7946 0958",
        "+12125550142",
        "+36 30 123 4567",
        "+1-984-182-0190",
        "\uff0b1 212 555 0142",
    ],
    "CREDIT_CARD": ["4111111111111111", "4111-1111-1111-1111", "5555 5555 5555 4444", "378282246310005"],
    "IBAN_CODE": ["GB82WEST12345698765432", "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"],
    "US_SSN": ["219-09-9999", "219 09 9999", "536-22-1234"],
    "IP_ADDRESS": ["192.0.2.17", "10.0.0.0/8", "2001:db8::8a2e:370:7334", "fe80::1", "::ffff:192.0.2.1", "::1"],
    "MAC_ADDRESS": ["00:00:5e:00:53:af", "00-00-5E-00-53-AF", "ab:cd:ef:ab:cd:ef", "0000.5e00.53af"],
    "CRYPTO": [
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    ],
}
PLACES = [
    "{}",
    "please use {} from now on",
    "My data: {}.",
    "({})",
    "before\n{}\nafter",
    '{{"value":"{}","n":1}}',
    "a,{},b",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("entity", "value"), [(e, v) for e, vs in FOUND.items() for v in vs])
def test_a_value_is_found_whole_wherever_it_stands(entity: str, value: str, place: str) -> None:
    text = place.format(value)
    start = text.index(value)
    covered: set[int] = set()
    for finding in look(text):
        if finding.entity == entity:
            covered.update(range(finding.start, finding.end))
    assert covered.issuperset(range(start, start + len(value)))
    assert len(covered) <= len(value) + 1, "much more was found than the value"


NOTHING = [
    # times, counters, ids
    *("1700000000", "1763859724123", "1763859724.000200", "at 1763859724 sharp", "1175829301847261234"),
    *("9812734650", "7301284653", "order 4182736451", "order 7301-284653", "3100012345678", "104857"),
    *("2026-11-22", "2026-11-22T08:15:30.123Z", "2026-11-22 08:15:30", "2026-11-22T00:15:00+01:00", "08:15:30"),
    *("22.11.2026 08:15", "04:12", "7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13", "msg_01JD7Q2M9V8Z3K4N5P6R7S8T9W"),
    *("3f2504e04f8911d39a0c0305e82c3301aabbccdd", "C04GZ8K1QHJ", "SKU-10023847", "urn:dev:ow:10e2073a01080063:"),
    *("978-3-16-148410-0", "Part number: 555-123-4567-A", "pages 211-227", "r-88123", "10, 20, 30, 40, 50"),
    # numbers
    *("91342.10000000", "91342.10000", "1,249.99", "$1 249.99", "-220.5", "0.03267100", "138211.44382111"),
    *("48.2082, 16.3738", "Numbers 111222333444 are identifiers", "1234 5678 90", "0 1 2 3 4 5 6 7 8 9"),
    # signs
    *("btcusdt@trade", "icon@2x.png", "lodash@4.17.21", "@channel look", "https://example.com/@user/profile"),
    *("/[a-z]+@[a-z]+/", "std::vector", "room:lobby", "v2026.2.9", "3.11.4", "python-3.11", "12-34-56"),
    *(
        "session.created",
        "response.output_text.delta",
        "deploy is green, merging now",
        "",
        "UklGRuQXAABXQVZFZm10IBAA",
    ),
]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_found_where_nothing_personal_is(text: str) -> None:
    assert values(text) == set()
    assert values(f"so {text} it is") == set()


@pytest.mark.parametrize(
    ("text", "score"),
    [("bob@example.com", 1.0), ("+1 212 555 0142", 0.85), ("(212) 555-0142", 0.7)],
)
def test_scores_say_how_sure_it_is(text: str, score: float) -> None:
    assert [finding.score for finding in look(text)] == [score]


def test_only_the_entities_asked_for_are_found() -> None:
    text = "bob@example.com from 192.0.2.1"
    assert [f.entity for f in look(text, 0.5, "IP_ADDRESS")] == ["IP_ADDRESS"]


def test_an_entity_that_nobody_can_find_is_an_error_and_not_silence() -> None:
    with pytest.raises(LookupError, match="SHOE_SIZE"):
        detector().find([], frozenset({"SHOE_SIZE"}), 0.5)


def test_a_place_is_told_once() -> None:
    assert len(look("::ffff:192.0.2.128/96")) == 1
    assert len(look("219-09-9999", 0.01, "US_SSN")) == 1


def test_every_leaf_gets_its_own_findings_in_order() -> None:
    leaves = [leaf("nothing"), leaf("bob@example.com"), leaf(""), leaf("192.0.2.1 and fe80::1")]
    found = detector().find(leaves, detector().entities, 0.5)
    assert [len(findings) for findings in found] == [0, 1, 0, 2]


def test_a_finding_holds_no_text() -> None:
    (finding,) = look("bob@example.com")
    assert "bob" not in repr(finding)


FRAMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "clean_frames.jsonl"


def texts(value: Any) -> Iterator[str]:
    """Every text, key and number of a JSON value, as a codec would offer them."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str | int | float):
        yield str(value)


if FRAMES.exists():  # not part of the repository, so not a skip that CI would have to refuse

    def test_frames_without_personal_data_are_left_alone() -> None:
        rows = [json.loads(line) for line in FRAMES.read_text("utf-8").splitlines()]
        bodies = [re.sub(r"^[0-9a-z/,]+(?=[\[{])", "", row["text"]) for row in rows]  # Socket.IO's prefix
        touched = {t for body in bodies for t in texts(json.loads(body)) if values(t)}
        assert len(rows) == 30
        assert touched == set()
