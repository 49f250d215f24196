"""Operators with keys and memory as rule files say them, through the lanes and the detector that run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.codecs import choose
from proxy.core.action import Send
from proxy.core.live import Live
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.pseudonyms.cipher import KEY_SIZE, Cipher, decrypt
from proxy.pseudonyms.hashing import hashed
from proxy.pseudonyms.keys import ENCRYPT, HASH, KeyRing
from proxy.pseudonyms.tokens import Vaults
from proxy.rulebook.faults import RulesError
from proxy.rulebook.load import build
from tests.playbook import DOWN, UP
from tests.rules import ground

SECRET = "correct horse battery staple"
RING = KeyRing.throwaway({"KEY": SECRET, "SHORT": "abc"})
BOB = "write to bob@corp.example or +1 212 456 7890"


class Connection:
    """A connection under rules with one `action` for everything."""

    def __init__(self, action: str, *more: str, ring: KeyRing = RING, vaults: Vaults | None = None) -> None:
        text = "\n".join(
            ["version: 1", "rules:", "  - id: all", '    entities: ["*"]', f"    action: {action}", *more]
        )
        path = Path("my.yaml").absolute()
        made = build(
            str(path), replace(ground(), ring=ring, vaults=vaults or Vaults.in_memory()), {path: text.encode()}
        )
        self.policy = made.policy
        self.live = Live(made.policy, made.detector, choose)
        self.session = Session(1)

    def up(self, text: str) -> str:
        return self._send(UP, text)

    def down(self, text: str) -> str:
        return self._send(DOWN, text)

    def _send(self, way: Direction, text: str) -> str:
        lane, payload = self.live.lanes[way], text.encode()
        if lane.clear(Kind.TEXT, payload, self.session):
            return text
        *_, send = lane.work(Kind.TEXT, payload, self.session)
        assert isinstance(send, Send)
        return send.payload.decode()


def faults(action: str, ring: KeyRing = RING) -> list[str]:
    with pytest.raises(RulesError) as told:
        Connection(action, ring=ring)
    return [str(fault).partition("my.yaml")[2] for fault in told.value.faults]


# -- each operator ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["hash", "{hash: {length: 12, key: env:KEY}}"])
def test_hash(action):
    one = Connection(action)
    sent = one.up(BOB)
    length = 12 if "12" in action else 16
    assert re.fullmatch(rf"write to [0-9a-f]{{{length}}} or [0-9a-f]{{{length}}}", sent)
    assert one.down(BOB) == sent
    assert Connection(action).up(BOB) == sent
    assert Connection(action, ring=KeyRing.throwaway({"KEY": SECRET + "!"})).up(BOB) != sent
    number = json.loads(one.up('{"phone": 12124567890}'))["phone"]
    assert 10**14 <= number < 10**15


def test_fake():
    one = Connection("{fake: {key: env:KEY}}")
    sent = one.up(BOB)
    assert re.fullmatch(r"write to \w{3}\d{5}@example\.(com|org|net) or \+1 [2-9]\d2 555 01\d\d", sent)
    assert one.down(BOB) == sent == Connection("{fake: {key: env:KEY}}").up(BOB)
    assert re.fullmatch(r'\{"phone": 1[2-9]\d255501\d\d\}', one.up('{"phone": 12124567890}'))


def test_encrypt():
    one = Connection("{encrypt: {key: env:KEY}}")
    sent = one.up(json.dumps({"text": BOB}))
    assert "bob" not in sent
    cipher = Cipher(RING.key("env:KEY", Path(), ENCRYPT, KEY_SIZE))
    assert json.loads(decrypt(sent.encode(), choose(Kind.TEXT, sent.encode()), cipher).payload) == {"text": BOB}
    assert one.up('{"phone": 12124567890}') == '{"phone": 0}'


@pytest.mark.parametrize("scope", ["", "scope: desk, key: env:KEY"])
def test_tokenize(scope):
    one = Connection(f"{{tokenize: {{{scope}}}}}")
    sent = one.up(BOB)
    assert re.fullmatch(r"write to \[EMAIL_ADDRESS_(\w+)\] or \[PHONE_NUMBER_(\w+)\]", sent)
    assert one.down(sent) == BOB
    assert one.up(sent) == sent
    answer = json.loads(one.down(json.dumps({"email": sent[9:].partition(" ")[0], "body": json.dumps([sent])})))
    assert answer == {"email": "bob@corp.example", "body": json.dumps([BOB])}
    number = one.up('{"phone": 12124567890, "email": "bob@corp.example"}')
    assert json.loads(one.down(number)) == {"phone": 12124567890, "email": "bob@corp.example"}
    assert 9 * 10**15 <= json.loads(number)["phone"] < 2**53


@pytest.mark.parametrize(
    ("restore", "up", "down"),
    [
        ("both", True, True),
        ("never", False, False),
        ("client_to_upstream", True, False),
        ("upstream_to_client", False, True),
    ],
)
def test_tokenize_is_told_where_to_restore(restore, up, down):
    one = Connection(f"{{tokenize: {{restore: {restore}}}}}")
    sent = one.up(BOB)
    assert (one.up(sent) == BOB, one.down(sent) == BOB) == (up, down)
    assert [lane.restore is not None for lane in one.live.lanes] == [up, down]


@pytest.mark.parametrize("key", ["email", "password", "name", "card_number", "ip", "ssn", "token", "phone"])
def test_a_key_that_vouches_for_values_does_not_take_a_token_for_one(key):
    one = Connection("tokenize")
    sent = one.up(json.dumps({key: "bob@corp.example", "text": "+1 212 456 7890"}))
    assert "bob" not in sent
    assert json.loads(one.down(sent)) == {key: "bob@corp.example", "text": "+1 212 456 7890"}


def test_a_named_scope_is_shared_by_connections_and_a_session_is_not():
    vaults = Vaults.in_memory()
    first, second = (Connection("{tokenize: {scope: desk, key: env:KEY}}", vaults=vaults) for _ in range(2))
    assert second.down(first.up(BOB)) == BOB
    first, second = (Connection("tokenize", vaults=vaults) for _ in range(2))
    assert second.down(first.up(BOB)) == "write to [EMAIL_ADDRESS_1] or [PHONE_NUMBER_1]"


def test_tokens_survive_a_reload_of_the_rules():
    vaults = Vaults.in_memory()
    one = Connection("tokenize", vaults=vaults)
    sent = one.up(BOB)
    newer = Connection("{tokenize: {scope: desk}}", vaults=vaults)
    newer.session = one.session
    assert newer.down(sent) == BOB


# -- keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "column"),
    [
        ("{hash: {key: env:NOPE}}", 26),
        ("{encrypt: {key: env:NOPE}}", 29),
        ("{fake: {key: env:NOPE}}", 26),
        ("{tokenize: {scope: desk, key: env:NOPE}}", 43),
    ],
)
def test_a_key_that_is_not_there_is_a_fault_at_its_place(action, column):
    sentence = "this environment variable is not set; set it for the proxy, or name another one"
    assert faults(action) == [f":5:{column}: error[E043] {sentence}"]


def test_every_key_that_cannot_be_used_is_told_at_once_with_everything_else(tmp_path):
    text = (
        "version: 1\nrules:\n"
        "  - {id: a, entities: [EMAIL_ADDRESS], action: {hash: {key: env:SHORT}}}\n"
        "  - {id: b, entities: [PHONE_NUMBER], action: {fake: {key: file:nope}}}\n"
        "  - {id: c, entities: [NOBODY], action: hash}\n"
    )
    path = tmp_path / "my.yaml"
    with pytest.raises(RulesError) as told:
        build(str(path), replace(ground(), ring=RING), {path: text.encode()})
    assert [(fault.line, fault.code) for fault in told.value.faults] == [(3, "E043"), (4, "E043"), (5, "E016")]
    assert told.value.faults[0].help == "make one with: openssl rand -hex 32"


def test_a_key_file_lies_beside_the_rules_that_name_it(tmp_path):
    (tmp_path / "key").write_text(SECRET)
    path = tmp_path / "my.yaml"
    path.write_text('version: 1\nrules: [{id: a, entities: ["*"], action: {hash: {key: file:key}}}]\n')
    rule = build(str(path), replace(ground(), ring=RING)).policy.rules[0]
    expected = hashed(RING.key("env:KEY", tmp_path, HASH), 16)
    assert rule.rewrite is not None
    assert rule.rewrite("bob", "PERSON", Session(1), UP) == expected("bob", "PERSON", Session(1), UP)


# -- proofs -------------------------------------------------------------------------------------------------

CONVERSATION = (
    "tests:",
    "  - name: an e-mail is a token upstream and comes back",
    "    send: {body: {text: mail bob@corp.example}}",
    '    upstream_gets: {body: {text: "mail [EMAIL_ADDRESS_1]"}}',
    '    upstream_sends: {body: {text: "sent to [email_address_1]"}}',
    "    client_gets: {body: {text: sent to bob@corp.example}}",
)


def test_a_conversation_proves_that_a_token_comes_back_and_leaves_nothing_in_the_vault():
    vaults = Vaults.in_memory()
    Connection("tokenize", *CONVERSATION, vaults=vaults)
    assert len(vaults.sessions) == 0
    with pytest.raises(RulesError, match="E034"):
        Connection("{tokenize: {restore: never}}", *CONVERSATION)


def test_a_rule_in_shadow_mode_makes_no_token_and_restores_none():
    one = Connection("tokenize", "    mode: shadow")
    assert one.up(BOB) == BOB
    assert one.policy.restores == (None, None)
