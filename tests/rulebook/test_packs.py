"""The packs that are shipped: they load, prove themselves, decide as they say, and stay quiet."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from benchmarks.corpus import clean, values
from benchmarks.corpus.ids import Ids
from proxy.codecs import choose
from proxy.core.action import Send
from proxy.core.live import Live
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.detect.engine import Engine
from proxy.detect.ner import Names, open_model
from proxy.rulebook.document import read
from proxy.rulebook.family import gather
from proxy.rulebook.files import Files
from proxy.rulebook.load import SHIPPED, Built, build, shipped
from proxy.rulebook.merge import merge
from tests.playbook import DOWN, UP
from tests.rules import ground

PACKS = ["default", "health", "llm-chat", "pass", "payments", "strict"]


@cache
def pack(name: str) -> Built[Engine]:
    return build(name, ground())


@cache
def written(name: str) -> dict:
    return read((SHIPPED / f"{name}.yaml").read_text("utf-8"), name).data


class Connection:
    """A connection under a pack."""

    def __init__(self, name: str, number: int = 1) -> None:
        self.live = Live(pack(name).policy, pack(name).detector, choose)
        self.session = Session(number)

    def says(self, way: Direction, text: str) -> str:
        """What arrives of `text`."""
        lane, payload = self.live.lanes[way], text.encode()
        if lane.clear(Kind.TEXT, payload, self.session):
            return text
        *_, sent = lane.work(Kind.TEXT, payload, self.session)
        assert isinstance(sent, Send)
        return sent.payload.decode()


# -- all of them --------------------------------------------------------------------------------------------


def test_these_packs_are_shipped() -> None:
    assert shipped() == PACKS


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_loads_and_there_is_nothing_to_remark(name: str) -> None:
    made = pack(name)
    assert (made.policy.name, made.remarks) == (name, ())
    assert made.policy.entities <= made.detector.entities
    assert not any(rule.shadow for rule in made.policy.rules)


@pytest.mark.parametrize("name", PACKS)
def test_every_rule_and_entity_of_a_pack_says_what_it_is_and_proves_it(name: str) -> None:
    for rule in written(name).get("rules", []):
        assert rule["description"] and rule["tests"]["match"] and rule["tests"]["no_match"], rule["id"]
    for entity, one in written(name).get("entities", {}).items():
        assert one["description"] and one["tests"]["match"] and one["tests"]["no_match"], entity


@pytest.mark.parametrize("name", sorted({*PACKS} - {"default", "pass"}))
def test_a_pack_tells_for_whom_it_is_and_what_it_does_not_do_and_holds_conversations(name: str) -> None:
    header = (SHIPPED / f"{name}.yaml").read_text("utf-8").partition("\nversion:")[0]
    assert header.startswith("# For ") and "# What it does not do:\n" in header
    assert written(name)["tests"]


# Messages without personal data, of which some look like it: SKUs and codes of gifts with the right check digit.
# In one FIX message (the 1 of `default`) digits are a card once a control character is taken out.
@pytest.mark.parametrize(
    ("name", "most"),
    [("pass", 0), ("default", 1), ("llm-chat", 1), ("payments", 1), ("strict", 6), ("health", 7)],
)
def test_a_pack_is_quiet(name: str, most: int) -> None:
    connection = Connection(name)
    frames = [one.text for one in clean.frames()]
    touched = [text for text in frames if any(connection.says(way, text) != text for way in Direction)]
    assert len(frames) >= 600 and len(touched) <= most


# -- what decides -------------------------------------------------------------------------------------------


def decided(name: str, entity: str) -> tuple[str | None, str | None]:
    """`rule: operator` up and down."""
    rules = [pack(name).policy.decide(entity, way).rule for way in (UP, DOWN)]
    up, down = (f"{rule.id}: {rule.operator}" if rule is not None else None for rule in rules)
    return up, down


@pytest.mark.parametrize(
    ("name", "entity", "up", "down"),
    [
        ("strict", "EMAIL_ADDRESS", "email: replace", "email: replace"),
        ("strict", "SECRET", "secret: replace", "secret: replace"),
        ("strict", "PL_PESEL", "national-ids: replace", "national-ids: replace"),
        ("strict", "DATE_OF_BIRTH", "birth-date: replace", "birth-date: replace"),
        ("llm-chat", "EMAIL_ADDRESS", "contacts: tokenize", None),
        ("llm-chat", "PERSON", "people: tokenize", None),
        ("llm-chat", "US_SSN", "numbers: tokenize", None),
        ("llm-chat", "CREDIT_CARD", "cards: replace", "cards: replace"),
        ("llm-chat", "SECRET", "secrets: replace", "secrets: replace"),
        ("payments", "CREDIT_CARD", "card: mask", "card: mask"),
        ("payments", "CARD_CODE", "card-code: redact", "card-code: redact"),
        ("payments", "BANK_ACCOUNT", "bank-account: mask", "bank-account: mask"),
        ("payments", "PASSPORT", "documents: replace", "documents: replace"),
        ("payments", "SECRET", None, "secret: replace"),
        ("health", "MEDICAL_ID", "records: replace", "records: replace"),
        ("health", "UK_NHS", "records: replace", "records: replace"),
        ("health", "PERSON", "name: replace", "name: replace"),
    ],
)
def test_a_pack_decides_as_it_says(name: str, entity: str, up: str | None, down: str | None) -> None:
    assert decided(name, entity) == (up, down)


@pytest.mark.parametrize("name", ["strict", "payments", "health"])
def test_what_extends_default_looks_for_all_that_default_does(name: str) -> None:
    for way in Direction:
        assert pack("default").policy.wanted(way) <= pack(name).policy.wanted(way)
    inherited = [rule["id"] for rule in written("default")["rules"]]
    assert [rule.id for rule in pack(name).policy.rules if rule.id in inherited] == inherited


def test_a_model_gets_all_that_default_finds_as_tokens_or_not_at_all() -> None:
    everything = pack("default").detector.entities
    assert pack("llm-chat").policy.wanted(UP) == everything
    assert pack("llm-chat").policy.wanted(DOWN) == {"CREDIT_CARD", "CARD_CODE", "SECRET"}


def test_packs_that_extend_default_can_be_extended_together() -> None:
    path = Path("mine.yaml").absolute()
    text = b"version: 1\nextends: [payments, health, strict]\n"
    members, faults = gather(str(path), Files({path: text}))
    merged, disputes = merge(members)
    assert (faults, disputes) == ([], [])
    first = next(piece for piece in merged.rules if "CREDIT_CARD" in piece.written.entities)
    assert first.written.action.operator == "mask"


# -- tokens -------------------------------------------------------------------------------------------------

TOKENIZED = [
    text
    for rule in written("llm-chat")["rules"]
    if "tokenize" in rule["action"]
    for text in rule["tests"]["match"]
]


@pytest.mark.parametrize("text", TOKENIZED)
def test_whatever_the_model_gets_a_token_for_comes_back_byte_by_byte(text: str) -> None:
    connection = Connection("llm-chat")
    seen = connection.says(UP, text)
    assert seen != text and "[" in seen
    assert connection.says(DOWN, seen) == text
    assert connection.says(UP, text) == seen  # said again, it is the same token


def test_values_come_back_in_other_case_in_the_arguments_of_tools_and_nowhere_else() -> None:
    one, other = Connection("llm-chat"), Connection("llm-chat", 2)
    assert one.says(UP, "mail bob@corp.example") == "mail [EMAIL_ADDRESS_1]"
    assert one.says(DOWN, "I wrote to [email_address_1]") == "I wrote to bob@corp.example"
    call = json.dumps({"arguments": json.dumps({"to": "[EMAIL_ADDRESS_1]"})})
    assert json.loads(json.loads(one.says(DOWN, call))["arguments"]) == {"to": "bob@corp.example"}
    assert other.says(DOWN, "I wrote to [EMAIL_ADDRESS_1]") == "I wrote to [EMAIL_ADDRESS_1]"
    assert one.says(UP, "[EMAIL_ADDRESS_1]") == "[EMAIL_ADDRESS_1]"


@pytest.mark.parametrize("text", ["pay with 4111 1111 1111 1111", "db://bob:hunter2@db.example.com/app"])
def test_cards_and_secrets_reach_neither_side_of_a_chat_and_do_not_come_back(text: str) -> None:
    connection = Connection("llm-chat")
    seen = connection.says(UP, text)
    assert seen == connection.says(DOWN, text) == connection.says(DOWN, seen)
    assert "<" in seen and "[" not in seen


# -- cards --------------------------------------------------------------------------------------------------


def digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


@pytest.mark.parametrize("way", Direction)
@pytest.mark.parametrize("form", ["it is {}.", '{{"text": "{}"}}', '{{"card_number": "{}"}}'])
def test_of_a_card_the_last_four_digits_are_left(way: Direction, form: str) -> None:
    connection = Connection("payments")
    for card in (one for one in values.cards(Ids(1)) if one.need is values.Need.NOTHING):
        left = digits(connection.says(way, form.format(card.text)))
        assert digits(card.text).endswith(left), card.form
        assert 3 <= len(left) <= 4, card.form  # of `3 245`, four characters, three digits


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ('{"cvv": "737"}', '{"cvv": ""}'),
        ('{"card": {"security_code": "737"}}', '{"card": {"security_code": ""}}'),
        ('{"cvc": 7370}', '{"cvc": 0}'),
        ("cvv: 737", "cvv: "),
        ("%B4111111111111111^LOVELACE/ADA^29081010000000000?", ""),
        (";4111111111111111=29081010000012300000?", ""),
    ],
)
def test_of_codes_and_stripes_nothing_is_left(text: str, arrives: str) -> None:
    connection = Connection("payments")
    assert [connection.says(way, text) for way in Direction] == [arrives, arrives]


# -- with a language model ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_holds_also_where_a_language_model_reads(name: str) -> None:
    plain = ground()
    made = build(name, replace(plain, engine=partial(plain.engine, names=names())))
    assert made.detector.heavy(made.policy.entities) == (name != "pass")


@cache
def names() -> Names:
    return Names(open_model("rampart"))
