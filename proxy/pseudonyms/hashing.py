"""The operator `hash`: HMAC-SHA-256 of the value, so that only who has the key can try values out.

The entity is not part of it: a value that is found under two names is still the same value.
"""

from __future__ import annotations

import hmac

from proxy.core.plugs import Rewrite

_LEAST, _NUMBERS = 10**14, 9 * 10**14


def hashed(key: bytes, length: int) -> Rewrite:
    """`length` hexadecimal digits, up to 64."""
    return lambda text, *_: mac(key, text).hex()[:length]


def hashed_number(key: bytes) -> Rewrite:
    """For a bare JSON number: a whole number of 15 digits, which every reader can hold (it is below 2**53)."""
    return lambda text, *_: str(_LEAST + int.from_bytes(mac(key, text)) % _NUMBERS)


def mac(key: bytes, *parts: str) -> bytes:
    """32 bytes. A part may hold anything that JSON can, half of a surrogate pair too."""
    return hmac.digest(key, "\0".join(parts).encode(errors="surrogatepass"), "sha256")
