"""Digits, and what is left without them: the shape that runs share. Pure; what they mean is not known here."""

from __future__ import annotations

import re

_odd = re.compile(r"(?![0-9])\d")
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def ascii_digits(text: str) -> str:
    """`text` with digits of any script as those of ASCII."""
    return text if text.isascii() else _odd.sub(_of_ascii, text)


def only_digits(text: str) -> str:
    """The ASCII digits of `text`. As bytes: 0.3 us, a regex takes twice that."""
    return text.encode().translate(None, _NO_DIGITS).decode()


def shape_of(text: str) -> bytes:
    """`text` in UTF-8 with zeros for its ASCII digits: the same for texts that differ in digits only."""
    return text.encode().translate(_ZEROS)


def _of_ascii(digit: re.Match[str]) -> str:
    return str(int(digit[0]))
