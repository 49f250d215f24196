"""A secret is what lets somebody in: no word of a form in its place, and no name of a thing."""

from __future__ import annotations

import pytest

from proxy.detect.plausible.secrets import code, cookie, passphrase, password, token, unknown_token


@pytest.mark.parametrize("text", ["hunter2!", "correcthorse", "geheim1", "S3cr3t", "my dog", "xxxx1"])
def test_a_password_may_be_any_word(text: str) -> None:
    assert password(text)


NO_PASSWORDS = [
    *("abc", "required", "true", "bcrypt", "Forgot", "********", "xxxx", "\u2022\u2022\u2022\u2022", "*hidden"),
    *("<secret>", "[FILTERED]", "{password}", "${DB_PASSWORD}", "$PASSWORD", "varchar(60)", "https://example.org"),
    *("must be at least 8 characters", "/run/secrets/db", "%(password)s"),
]


@pytest.mark.parametrize("text", NO_PASSWORDS)
def test_what_stands_in_the_place_of_a_password_is_none(text: str) -> None:
    assert not password(text)


def test_a_passphrase_has_as_many_words_as_it_likes() -> None:
    assert passphrase("abandon ability able about above absent")
    assert not passphrase("* * * *")


def test_a_code_has_a_digit_and_is_short() -> None:
    assert all(map(code, ["482913", "4829", "AB12C", "AB12-CD34-EF56-GH78"]))
    assert not any(map(code, ["482", "ABCD", "12345678901", "ab12c", "AB12-CD34-EF56-GH78-IJ90", "4829 13"]))


TOKENS = """
ya29.a0AfH6SMBx7Q|9f8c7b6a5d4e3f2a1b0c|MTIzNDU2.abcdEFGH.12345xyz|AbCdEfGhIjKlMn|7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13
Bearer abc123|basic Ym9iOmh1bnRlcjI=|-----BEGIN PRIVATE KEY-----
"""


@pytest.mark.parametrize("text", TOKENS.strip().replace("\n", "|").split("|"))
def test_a_token_is_long_and_mixed(text: str) -> None:
    assert token(text)


NO_TOKENS = """
abc123|string|authorization_code|two words 123456789|https://example.org/a1b2c3d4e5|/v1/users/12345/tokens
room-1-general|2026-11-22T08:15:30Z|aaaaaaaaaaaaaaa1111|refresh-token-of-the-server|snake_case_of_twenty
Bearer|Bearer a|Bearer {token}|Bearer <token>|${API_TOKEN_12345}
"""


@pytest.mark.parametrize("text", NO_TOKENS.strip().replace("\n", "|").split("|"))
def test_what_can_be_guessed_is_no_token(text: str) -> None:
    assert not token(text)


def test_an_id_is_no_unknown_token() -> None:
    assert unknown_token("ya29.a0AfH6SMBx7Q")
    assert not unknown_token("7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13")
    assert not unknown_token("9f8c7b6a5d4e3f2a1b0c9f8c")


def test_a_cookie_holds_a_token() -> None:
    assert cookie("theme=dark; sid=9f8c7b6a5d4e3f2a")
    assert cookie("9f8c7b6a5d4e3f2a")
    assert not cookie("theme=dark; lang=en")
