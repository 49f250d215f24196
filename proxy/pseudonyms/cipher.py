"""The operator `encrypt`, and `hushwire decrypt`, which turns it back wherever the token went.

AES-SIV (RFC 5297) needs no nonce: the same value gives the same token, and nothing else is told. The entity is
authenticated too, so a token cannot be passed off as one of another kind. A bare JSON number becomes 0 instead:
no ciphertext fits into one.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from proxy.core.message import Edit, Leaf
from proxy.core.plugs import Codec, Rewrite
from proxy.pseudonyms.spelling import CLOSE, OPEN, label, respelt

KEY_SIZE = 64  # bytes: AES-256 twice
COLON = "(?::|%3a|&\\#(?:58|x3a);|&colon;)"
TOKEN = re.compile(
    rf"""{OPEN} enc {COLON} v1 {COLON} (?P<entity>[A-Z][A-Z0-9_]{{0,63}}) {COLON}
    (?P<body>[A-Za-z0-9_-]{{22,}}) {CLOSE}""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


class Cipher:
    """Values to tokens and back, under one key of KEY_SIZE bytes."""

    def __init__(self, key: bytes) -> None:
        self._siv = AESSIV(key)

    def seal(self, value: str, entity: str) -> bytes:
        """16 bytes more than `value` has."""
        return self._siv.encrypt(value.encode(errors="surrogatepass"), [entity.encode()])

    def open(self, sealed: bytes, entity: str) -> str | None:
        """None: another key, another entity, or not what `seal` made."""
        try:
            return self._siv.decrypt(sealed, [entity.encode()]).decode(errors="surrogatepass")
        except (InvalidTag, ValueError):
            return None


def encrypted(cipher: Cipher) -> Rewrite:
    """`[enc:v1:ENTITY:base64url]`."""

    def rewrite(text: str, entity: str, *_: object) -> str:
        kind = label(entity)
        return f"[enc:v1:{kind}:{urlsafe_b64encode(cipher.seal(text, kind)).decode().rstrip('=')}]"

    return rewrite


class Decrypted(NamedTuple):
    """A message with its tokens decrypted: how many, and how many were left because the key is not theirs."""

    payload: bytes
    opened: int
    left: int


def decrypt(payload: bytes, codec: Codec, cipher: Cipher) -> Decrypted:
    """Every token in `payload`, each value spelt as its token was. ValueError if it is not UTF-8."""
    edits: list[Edit] = []
    left = 0
    for leaf in codec.read(payload):
        for edit in _edits(leaf, cipher):
            if edit is None:
                left += 1
            else:
                edits.append(edit)
    return Decrypted(codec.write(payload, edits), len(edits), left)


def _edits(leaf: Leaf, cipher: Cipher) -> Iterator[Edit | None]:
    for token in TOKEN.finditer(leaf.text):
        body: str = token["body"]
        try:
            sealed = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except ValueError:
            yield None
            continue
        value = cipher.open(sealed, token["entity"].upper())
        yield None if value is None else Edit(leaf, *token.span(), respelt(value, token))
