"""The operator `tokenize`: what the other side gets to see, and what turns into its value again."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.lane import UnsettledError
from proxy.core.message import Leaf
from proxy.core.session import Session
from proxy.pseudonyms.spelling import label
from proxy.pseudonyms.tokens import Scope, Vaults, restorers
from proxy.pseudonyms.vault import Kept, Vault
from tests.playbook import BOTH, DOWN, UP
from tests.pseudonyms.talking import OPPOSITE, SCOPE, Talk, tokens

NEVER, ALWAYS = (0, 0), (3, 3)
# Backslash escapes are read through by codecs, so that no value holds any.
# `A:` in front is how these tests name another entity.
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="«»\\"), min_size=1, max_size=30).filter(
    lambda value: not re.match("[A-Z_]+:", value)
)
BOB, EVE = "«bob@example.com»", "«eve@example.org»"
SCOPES = pytest.mark.parametrize("scope", [None, SCOPE], ids=["session", "named"])


def talk(scope=None, restores=OPPOSITE, ways=BOTH) -> Talk:
    return Talk(tokens(Vaults.in_memory(), scope, restores), ways=ways)


def bare(text: str) -> str:
    return text.replace("«", "").replace("»", "")


# -- tokens -------------------------------------------------------------------------------------------------


def test_tokens_are_numbered_by_session_and_entity():
    one = talk()
    assert bare(one.up(f"{BOB} {EVE} «PERSON:Bob» {BOB}")) == (
        "[EMAIL_ADDRESS_1] [EMAIL_ADDRESS_2] PERSON:[PERSON_1] [EMAIL_ADDRESS_1]"
    )
    assert bare(one.down(f"«new@example.com» {EVE}")) == "[EMAIL_ADDRESS_3] [EMAIL_ADDRESS_2]"
    assert bare(talk().up(EVE)) == "[EMAIL_ADDRESS_1]"


def test_tokens_of_a_named_scope_are_the_same_in_every_session_and_nowhere_else():
    first = bare(talk(SCOPE).up(BOB))
    assert re.fullmatch(r"\[EMAIL_ADDRESS_[a-z2-7]{16}\]", first)
    assert bare(talk(SCOPE).up(BOB)) == first
    others = [
        talk(SCOPE._replace(key=bytes(32))).up(BOB),
        talk(SCOPE).up(EVE),
        talk(SCOPE).up("«X:bob@example.com»"),
    ]
    assert first not in map(bare, others)


@pytest.mark.parametrize(
    ("entity", "expected"),
    [("A_1", "A_1"), ("Employee ID", "EMPLOYEE_ID"), ("ünï", "X_N_"), ("9", "X9"), ("a" * 99, "A" * 64)],
)
def test_an_entity_of_any_name_has_a_label(entity, expected):
    assert label(entity) == expected


# -- and back -----------------------------------------------------------------------------------------------


@SCOPES
@given(value=VALUES)
def test_a_value_comes_back_as_it_was(scope, value):
    one = talk(scope)
    token = bare(one.up(f"«{value}»"))
    assert one.down(f"so {token}, and {token}") == f"so {value}, and {value}"
    assert json.loads(one.down(json.dumps({"to": token, token: [token]}))) == {"to": value, value: [value]}
    nested = json.dumps({"body": json.dumps({"to": token})})
    assert json.loads(json.loads(one.down(nested))["body"]) == {"to": value}


@SCOPES
@given(value=VALUES)
def test_a_value_comes_back_from_json_too(scope, value):
    one = talk(scope)
    document = {"to": f"«{value}»", "body": json.dumps([f"«{value}»"])}
    sent = one.up(json.dumps(document))
    assert re.fullmatch(r"«\[EMAIL_ADDRESS_\w+\]»", json.loads(sent)["to"])
    back = json.loads(one.down(sent))
    assert back["to"] == document["to"]
    assert json.loads(back["body"]) == [document["to"]]


@SCOPES
@given(value=VALUES)
def test_a_value_comes_back_in_the_other_direction(scope, value):
    one = talk(scope)
    token = bare(one.down(f"«{value}»"))
    assert one.up(f"write to {token}") == f"write to {value}"


RESPELT = {
    "lower case": str.lower,
    "title case": str.title,
    "escaped": lambda token: token.replace("[", "\\u005b").replace("]", "\\u005D"),
    "escaped as in JavaScript": lambda token: token.replace("[", "\\x5b").replace("]", "\\u{5d}"),
    "escaped throughout": lambda token: "".join(f"\\u{ord(char):04x}" for char in token),
}


@SCOPES
@pytest.mark.parametrize("respell", RESPELT.values(), ids=RESPELT.keys())
def test_a_token_comes_back_in_another_spelling(scope, respell):
    one = talk(scope)
    token = bare(one.up(BOB))
    spelt = '{"to": "' + respell(token) + '"}'
    assert json.loads(one.down(spelt)) == {"to": "bob@example.com"}
    assert one.lanes[DOWN].restore.awaits(spelt.encode(), one.session)


@SCOPES
@given(value=VALUES)
def test_a_value_is_spelt_as_its_token_was(scope, value):
    one = talk(scope)
    token = bare(one.up(f"«{value}»"))
    assert unquote(one.down("/?q=" + quote(token, safe=""))) == "/?q=" + value
    assert one.lanes[DOWN].restore.awaits(quote(token, safe="").encode(), one.session)
    for opening, closing in (
        ("&#91;", "&#93;"),
        ("&#x5b;", "&#x5D;"),
        ("&lbrack;", "&rbrack;"),
        ("&lsqb;", "&rsqb;"),
    ):
        spelt = token.replace("[", opening).replace("]", closing)
        assert html.unescape(one.down(spelt)) == html.unescape(html.escape(value))
        assert one.lanes[DOWN].restore.awaits(spelt.encode(), one.session)


@SCOPES
def test_what_is_restored_is_noted_and_nobody_looks_at_it_again(scope):
    one = talk(scope)
    token = bare(one.up("««eve@example.org»"))
    assert one.down(token) == "«eve@example.org"
    (done,) = one.note.findings
    assert (done.operator, done.rule, done.entity, done.length) == ("restore", "rule", "EMAIL_ADDRESS", len(token))


@pytest.mark.parametrize(
    "text",
    ["[EMAIL_ADDRESS_2]", "[EMAIL_ADDRESS_01]", "[PHONE_NUMBER_1]", "EMAIL_ADDRESS_1", "[_1]", "[EMAIL_ADDRESS_1"],
)
def test_what_is_no_token_of_ours_is_left_alone(text):
    one = talk()
    one.up(BOB)
    assert one.down(f"see {text}") == f"see {text}"
    assert one.note is None


def test_a_value_that_looks_like_a_token_comes_back_as_it_was():
    one = talk()
    assert bare(one.up(f"{BOB} «[EMAIL_ADDRESS_1]»")) == "[EMAIL_ADDRESS_1] [EMAIL_ADDRESS_2]"
    assert one.down("[EMAIL_ADDRESS_2]") == "[EMAIL_ADDRESS_1]"


def test_text_that_already_spelt_a_token_of_its_session_shows_that_session_its_own_value():
    one = talk()
    assert bare(one.up(f"what is [EMAIL_ADDRESS_1]? {BOB}")) == "what is [EMAIL_ADDRESS_1]? [EMAIL_ADDRESS_1]"
    assert one.down("what is [EMAIL_ADDRESS_1]?") == "what is bob@example.com?"


# -- directions ---------------------------------------------------------------------------------------------


@SCOPES
def test_a_token_is_restored_opposite_to_where_its_value_came_from_and_nowhere_else(scope):
    one = talk(scope)
    ours, theirs = bare(one.up(BOB)), bare(one.down(EVE))
    assert (one.up(ours), one.down(ours)) == (ours, "bob@example.com")
    assert (one.up(theirs), one.down(theirs)) == ("eve@example.org", theirs)


@SCOPES
def test_a_value_that_both_sides_have_comes_back_to_both(scope):
    one = talk(scope)
    token = bare(one.up(BOB))
    assert bare(one.down(BOB)) == token
    assert one.up(token) == one.down(token) == "bob@example.com"


@SCOPES
@pytest.mark.parametrize(
    ("restores", "up", "down"), [(NEVER, False, False), (ALWAYS, True, True), ((1, 1), True, False)]
)
def test_a_rule_says_where_its_tokens_are_restored(scope, restores, up, down):
    one = talk(scope, restores)
    token = bare(one.up(BOB))
    assert (one.up(token) != token, one.down(token) != token) == (up, down)


def test_only_directions_in_which_something_can_come_back_are_watched():
    vaults = Vaults.in_memory()
    assert restorers([]) == (None, None)
    assert restorers([(tokens(vaults, restores=NEVER), BOTH)]) == (None, None)
    up, down = restorers([(tokens(vaults), frozenset({UP}))])
    assert (up is None, down is not None) == (True, True)
    assert all(restorers([(tokens(vaults), BOTH)]))


# -- bare numbers -------------------------------------------------------------------------------------------

NUMBERS = st.integers(1000).map(str) | st.floats(1000, allow_nan=False, allow_infinity=False).map(json.dumps)


@SCOPES
@given(number=NUMBERS)
def test_a_number_comes_back_as_it_was_and_was_a_number_in_between(scope, number):
    one = talk(scope)
    sent = one.up(f'{{"card": {number}}}')
    token = json.loads(sent)["card"]
    assert type(token) is int
    assert 9 * 10**15 <= token < 2**53
    assert one.up(f'{{"card": {number}}}') == sent
    assert one.down(f'[{{"card": {token} }}]') == f'[{{"card": {number} }}]'
    assert one.lanes[DOWN].restore.awaits(sent.encode(), one.session)
    assert one.down(f'{{"card": "{token}"}}') == f'{{"card": "{token}"}}'  # numbers are restored as such


def test_numbers_of_two_sessions_are_not_the_same():
    assert talk(SCOPE).up("[41111]") != talk(SCOPE).up("[41111]")


def test_a_vault_of_its_own_size_is_the_one_that_is_used():
    vault = Vault(size=8)
    one = Talk(tokens(Vaults.in_memory(vault), SCOPE))
    for i in range(20):
        one.up(f"«v{i}»")
        one.up(f"[{1000 + i}]")
    assert len(vault) == 8


# -- who may have what --------------------------------------------------------------------------------------


@given(st.lists(VALUES, min_size=1, max_size=5), st.lists(VALUES, max_size=5), st.data())
def test_another_sessions_value_is_never_restored(secret, own, data):
    """Whatever the attacker has seen of its own tokens, and whatever it writes."""
    vaults = Vaults.in_memory()
    victim, attacker = Talk(tokens(vaults)), Talk(tokens(vaults), session=Session(2))
    marks = [f"secret{i}:{value}" for i, value in enumerate(secret)]
    seen = [bare(victim.up(f"«{mark}»")) for mark in marks] + [
        victim.up(f"[{10**6 + i}]") for i in range(len(secret))
    ]
    for value in own:
        attacker.up(f"«{value}»")
    guess = data.draw(st.sampled_from(seen) | st.integers(0, 9).map(lambda n: f"[EMAIL_ADDRESS_{n}]") | VALUES)
    for spelt in (guess, json.dumps(guess), guess.lower(), quote(guess), html.escape(guess)):
        for got in (attacker.up(spelt), attacker.down(spelt)):
            assert not any(mark in got for mark in marks)
            assert not any(str(10**6 + i) in got for i in range(len(secret)))


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16))
def test_a_token_of_a_named_scope_that_was_never_shown_is_not_guessed(tail):
    vaults = Vaults.in_memory()
    victim, attacker = Talk(tokens(vaults, SCOPE)), Talk(tokens(vaults, SCOPE), session=Session(2))
    token = bare(victim.up(BOB))
    guess = f"[EMAIL_ADDRESS_{tail}]"
    assert attacker.down(guess) == (guess if guess != token else "bob@example.com")
    assert attacker.down("[EMAIL_ADDRESS_1]") == "[EMAIL_ADDRESS_1]"
    assert attacker.down(token) == "bob@example.com"  # who was shown it may use it: that is what the scope is for


def test_nothing_is_restored_when_the_connection_has_ended():
    vaults = Vaults.in_memory()
    one = Talk(tokens(vaults))
    token = bare(one.up(BOB))
    vaults.sessions.forget(one.session)
    assert one.down(token) == token
    assert len(vaults.sessions) == 0
    with pytest.raises(UnsettledError, match="RuntimeError"):
        one.up(BOB)


def test_a_session_without_tokens_waits_for_none():
    one, named = talk(), talk(SCOPE)
    assert not one.lanes[DOWN].restore.awaits(b"[EMAIL_ADDRESS_1]", one.session)
    assert named.lanes[DOWN].restore.awaits(b"[EMAIL_ADDRESS_aaaaaaaaaaaaaaaa]", named.session)
    one.up(BOB)
    assert one.lanes[DOWN].restore.awaits(b"[EMAIL_ADDRESS_1]", one.session)
    for payload in (b"", b"hello [1]", b'{"snake_case": "a_b"}', b"1763859724123", b"\\u4e2d_", b"[a_1"):
        assert not one.lanes[DOWN].restore.awaits(payload, one.session)
        assert one.lanes[DOWN].restore.find(Leaf("", payload.decode(), 0, 9, 0), one.session) == ()


def test_neither_a_key_nor_a_value_shows_where_something_is_printed():
    secret = Scope("team", b"key of tokens", b"key of seals")
    kept = Kept("bob@example.com", "EMAIL_ADDRESS", "emails", 1)
    assert repr(tokens(Vaults.in_memory(), scope=secret)).count("team") == 1
    assert not re.search("key of|bob", repr((secret, kept, tokens(Vaults.in_memory(), scope=secret))))
