"""What lets somebody in: passwords, codes, tokens and cookies.

A password may be any word that a form would not show in its place; a token must be hard to guess, because most of
what is called so is a cursor, a type or a count.
"""

# ruff: noqa: SIM905 - words are easier to read than lists of them

from __future__ import annotations

import re
from math import log2

from proxy.detect.plausible.other import NOBODY, humps, is_id, is_link

# Also types: `varchar(60)`.
_PLACEHOLDER = re.compile(
    r"[*x.\u2022#-]+|<.*>|\[.*\]|\{.*\}|\$\{.*|\$[A-Z_]+|%\w|\*+.*|[a-z]+\(\d+\)", re.DOTALL
).fullmatch
_SAID = frozenset(
    """
    changed expired weak strong medium reset forgot incorrect wrong show hide bearer basic digest oauth oauth2
    apikey current saved stored never always confirmed mismatch bcrypt argon2 scrypt pbkdf2 sha256 plain
    plaintext credentials authorization_code client_credentials refresh_token access_token password_grant token
    secret session expired
    """.split()
)
_SCHEMES = frozenset("bearer basic token apikey digest negotiate aws4-hmac-sha256".split())


def password(text: str) -> bool:
    """No word of a form or a schema, no sentence of an error message, no placeholder, no link."""
    if len(text) < 4 or text.count(" ") > 1 or text.lower() in NOBODY or _PLACEHOLDER(text):
        return False
    return not is_link(text) and text.lower() not in _SAID


def passphrase(text: str) -> bool:
    """A password of several words."""
    return password(text.replace(" ", ""))


def code(text: str) -> bool:
    """What is typed once: digits, or a few groups of capitals and digits."""
    form = re.fullmatch(r"\d{4,10}|[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5}){0,3}", text)
    return form is not None and any(map(str.isdigit, text))


def unknown_token(text: str) -> bool:
    """What may be a credential, and no UUID or hash: those mostly name something."""
    return token(text) and not is_id(text)


def token(text: str) -> bool:
    """A credential that nobody can guess: long, without white space, and of mixed characters."""
    if text.startswith("-----BEGIN "):
        return True
    scheme, _, rest = text.partition(" ")
    if rest and scheme.lower() in _SCHEMES:
        return len(rest) >= 6 and not rest.startswith(("{", "<", "$"))
    if len(text) < 8 or " " in text or _PLACEHOLDER(text) or text.lower() in _SAID | NOBODY:
        return False
    if re.match(r"https?://|/", text):
        return False
    return _entropy(text) * len(text) >= 40 and _mixed(text)


def _entropy(text: str) -> float:
    """Bits per character (Shannon), by how often each occurs."""
    counts = [text.count(char) for char in set(text[:256])]
    total = sum(counts)
    return -sum(count / total * log2(count / total) for count in counts)


def _mixed(text: str) -> bool:
    """Digits and letters; or so long, or of so many cases, that it is no name of anything."""
    has_digit, has_letter = any(map(str.isdigit, text)), any(map(str.isalpha, text))
    if has_digit and has_letter:
        # `room-1`, `player_2`, `2026-11-22T08:15:30Z` are names and times
        return sum(map(str.isdigit, text)) >= 2 and not re.match(r"\d{4}-\d\d-\d\d", text)
    return len(humps(text)) >= 2 and len(text) >= 12 and not re.search(r"[ ._-]", text)


def cookie(text: str) -> bool:
    """Pairs, one of which has a value that nobody can guess."""
    return any(token(part.partition("=")[2].strip()) for part in text.split(";") if "=" in part) or token(text)
