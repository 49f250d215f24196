"""What a value is, whichever way it is spelt: the text that its fingerprint is made of.

`DE89 3704 0044` and `de8937040044` are one account, `+49 (0)30 1234` and `004930-1234` one telephone. Pure; knows
kinds of entities, no keys. ASCII, nearly all there is, takes two calls in C. What cannot be told without knowing
more stays apart: a national spelling of a telephone number, a nickname, another alphabet.
"""

from __future__ import annotations

import ipaddress
import string
import unicodedata
from collections.abc import Callable

# Only digits count: white space, dots, dashes, brackets and a plus are ways of writing.
DIGITS = frozenset(
    {"CREDIT_CARD", "CARD_CODE", "US_SSN", "US_ITIN", "US_NPI", "UK_NHS", "IMEI", "ABA_ROUTING_NUMBER"}
)
TELEPHONES = frozenset({"PHONE_NUMBER", "FAX_NUMBER"})
# Letters and digits count.
IDENTIFIERS = frozenset(
    {
        *("IBAN_CODE", "BANK_ACCOUNT", "TAX_ID", "NATIONAL_ID", "PASSPORT", "MEDICAL_ID", "DRIVER_LICENSE"),
        *("LICENSE_PLATE", "VEHICLE_ID", "VIN", "DEVICE_ID", "MAC_ADDRESS", "US_DRIVER_LICENSE", "US_MBI"),
        *("UK_NINO", "UK_DRIVING_LICENCE", "DATE_OF_BIRTH", "CARD_EXPIRY"),
    }
)
_ENDINGS = ("_NUMBER", "_ID", "_SSN", "_IBAN", "_PASSPORT")  # of the names that people give entities of their own

_LOWER = bytes(range(256)).lower()
_ALL = bytes(range(128))
_NO_DIGIT = _ALL.translate(None, string.digits.encode())
_NO_SIGN = _ALL.translate(None, (string.digits + string.ascii_letters).encode())

Spell = Callable[[str], bytes]
"""A text as it was found -> what it means, in UTF-8."""


def spelling(entity: str) -> Spell:
    """How values of `entity` are spelt alike."""
    if entity in DIGITS:
        return _digits
    if entity in TELEPHONES:
        return _telephone
    if entity in IDENTIFIERS or entity.endswith(_ENDINGS):
        return _identifier
    return {"EMAIL_ADDRESS": _plain, "URL": _url, "IP_ADDRESS": _address}.get(entity, _words)


def _plain(text: str) -> bytes:
    if text.isascii():
        return text.encode().translate(_LOWER).strip()
    return _bytes(_folded(text).strip())


def _words(text: str) -> bytes:
    """Any run of white space is one blank."""
    if text.isascii():
        return b" ".join(text.encode().translate(_LOWER).split())
    return _bytes(" ".join(_folded(text).split()))


def _digits(text: str) -> bytes:
    if text.isascii():
        return text.encode().translate(None, _NO_DIGIT) or _words(text)
    kept = "".join(str(unicodedata.decimal(one)) for one in _folded(text) if one.isdecimal())
    return kept.encode() or _words(text)


def _telephone(text: str) -> bytes:
    """`00` is the plus of an international number; `(0)` is not dialled behind its country."""
    plain = text if text.isascii() else _folded(text)
    if "(0)" in plain and plain.lstrip().startswith(("+", "00")):
        text = plain.replace("(0)", "", 1)
    kept = _digits(text)
    return kept[2:] if kept.startswith(b"00") and len(kept) > 2 else kept


def _identifier(text: str) -> bytes:
    if text.isascii():
        return text.encode().translate(_LOWER, _NO_SIGN) or _words(text)
    kept = "".join(
        str(unicodedata.decimal(one)) if one.isdecimal() else one for one in _folded(text) if one.isalnum()
    )
    return kept.encode() or _words(text)


def _url(text: str) -> bytes:
    """Neither `https` instead of `http` nor a slash at the end makes it another one."""
    plain = _plain(text)
    for scheme in (b"https://", b"http://"):
        plain = plain.removeprefix(scheme)
    return plain.rstrip(b"/") or _plain(text)


def _address(text: str) -> bytes:
    """IPv6 has many spellings; a port or a network mask stays what it is."""
    plain = _plain(text)
    try:
        return ipaddress.ip_address(text.strip()).compressed.encode()
    except ValueError:
        return plain


def _bytes(text: str) -> bytes:
    """In UTF-8; JSON can spell half of a pair, which is no reason to refuse a message."""
    return text.encode(errors="surrogatepass")


def _folded(text: str) -> str:
    """NFKC without case and without characters that nobody sees (soft hyphens, joiners, marks of direction)."""
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
