"""The operator `encrypt`, and the way back: text and JSON, whatever happened to the token."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codecs import choose
from proxy.core.message import Kind
from proxy.pseudonyms.cipher import KEY_SIZE, Cipher, Decrypted, decrypt, encrypted
from tests.playbook import SESSION, UP

CIPHER = Cipher(bytes(range(KEY_SIZE)))
OTHER = Cipher(bytes(KEY_SIZE))
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def token(value: str, entity: str = "EMAIL_ADDRESS", cipher: Cipher = CIPHER) -> str:
    return encrypted(cipher)(value, entity, SESSION, UP)


def opened(text: str, cipher: Cipher = CIPHER) -> Decrypted:
    payload = text.encode()
    return decrypt(payload, choose(Kind.TEXT, payload), cipher)


def plain(text: str) -> str:
    """What `text` becomes; every token in it must have been opened."""
    done = opened(text)
    assert (done.opened > 0, done.left) == (True, 0)
    return done.payload.decode()


def test_a_token_says_what_it_is_and_is_aes_siv_of_its_value():
    assert token("bob@example.com").startswith("[enc:v1:EMAIL_ADDRESS:")
    assert token("bob@example.com") == token("bob@example.com")
    assert token("bob@example.com") != token("bob@example.org")
    assert token("bob", "PERSON")[-30:] != token("bob", "EMAIL_ADDRESS")[-30:]


@given(VALUES, st.sampled_from(["EMAIL_ADDRESS", "A", "X_9"]))
def test_every_value_comes_back_from_text_and_from_json(value, entity):
    made = token(value, entity)
    assert plain(f"see {made}, {made}") == f"see {value}, {value}"
    document = {"to": made, made: [f"<{made}>"]}
    assert json.loads(plain(json.dumps(document))) == {"to": value, value: [f"<{value}>"]}
    nested = json.dumps({"body": json.dumps(document)})
    assert json.loads(json.loads(plain(nested))["body"])["to"] == value


@given(VALUES)
def test_a_value_is_spelt_as_its_token_was(value):
    made = token(value)
    assert unquote(plain("https://x.example/?q=" + quote(made, safe=""))) == "https://x.example/?q=" + value
    for entity in ("&#91;", "&#x5B;", "&lbrack;"):
        spelt = made.replace("[", entity).replace("]", "&#93;")
        assert html.unescape(plain(f"<p>{spelt}</p>")) == f"<p>{html.unescape(html.escape(value))}</p>"
    escaped = json.dumps({"to": made}).replace("[", "\\u005b").replace("]", "\\u005D")
    assert json.loads(plain(escaped)) == {"to": value}


def test_what_another_key_made_is_left_and_counted():
    mixed = f"{token('bob')} {token('eve', cipher=OTHER)} {token('ann')}"
    done = opened(mixed)
    assert (done.opened, done.left) == (2, 1)
    assert done.payload.decode() == f"bob {token('eve', cipher=OTHER)} ann"


@pytest.mark.parametrize(
    "wrong",
    [
        token("bob").replace("EMAIL", "PHONE"),  # the entity is authenticated
        token("bob")[:-5] + "AAAA]",
        token("bob")[:-2] + "]",
        "[enc:v1:EMAIL_ADDRESS:" + "A" * 22 + "]",
        "[enc:v1:EMAIL_ADDRESS:" + "A" * 25 + "]",
    ],
)
def test_what_is_no_token_of_this_key_is_left_as_it_is(wrong):
    assert opened(wrong) == (wrong.encode(), 0, 1)


@pytest.mark.parametrize("text", ["", "[enc:v1:]", "[enc:v2:A:" + "A" * 30 + "]", "enc:v1:A:" + "A" * 30, "{}"])
def test_what_does_not_look_like_a_token_is_not_counted(text):
    assert opened(text) == (text.encode(), 0, 0)


def test_a_value_that_is_half_a_character_is_encrypted_too():
    assert plain(token("\ud83d")) == "\ufffd"  # UTF-8 cannot hold it
