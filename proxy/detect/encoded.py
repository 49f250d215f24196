"""Texts inside texts: runs of base64 (RFC 4648, both alphabets) and hex that are plain text once decoded.

Decoded once; a text in there that holds another is not followed. Ids, hashes, UUIDs, images and sound decode
to bytes that are no text, and give nothing. What is found in a decoded run is not cut out of it: whoever finds
something rewrites the whole run.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

SHORTEST = 16  # characters of a run: 12 bytes in base64, 8 in hex

# Four characters that stand for three bytes of ASCII. Nine such bytes in a row are what a value takes at least,
# and are rare by chance: 1 in 1,000 places of a random id.
_GROUP = r"[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_BASE64 = rf"(?:{_GROUP}){{3}}"
_HEX = r"(?:[2-7][0-9A-Fa-f]|0[9aAdD]){8}"

VEILS = (_BASE64, _HEX)
"""Hit every text in which `decoded` finds a run. Case matters."""

_LIKELY = re.compile(rf"{_BASE64}|{_HEX}").search
_RUN = re.compile(
    r"(?P<token>eyJ[A-Za-z0-9_-]++\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]*+)"
    rf"|[A-Za-z0-9+/_-]{{{SHORTEST - 1},}}+"  # and a `=`
)
_LIKE_BASE64 = re.compile(_BASE64).search
_LIKE_HEX = re.compile(_HEX).search
_HEX_RUN = re.compile(rf"[0-9A-Fa-f]{{{SHORTEST},}}+").finditer
_PIECE = re.compile(rf"[A-Za-z0-9]{{{SHORTEST},}}+").finditer  # `/`, `-` and `_` also join words and ids
_STANDARD = str.maketrans("-_", "+/")

_NO_TEXT = re.compile(r"[^\w\s!-~\u00a0-\u02af\u2000-\u2bff\U0001f000-\U0001faff]|[\x0b\x0c\x1c-\x1f]").findall
_RARE = re.compile(r"[^\w\s@.,:;+()'\"{}\[\]/=-]").findall
_ODD = re.compile(r"[a-z](?=[A-Z0-9])|[0-9](?=[A-Za-z])|[A-Z](?=[0-9])|[\t\r\n'\"{}\[\]/=;]").findall
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}").fullmatch  # looks like chance, but has a check of its own
_CUT = bytes(range(0x80, 0x100))  # the beginning of a text may end within a character


@dataclass(frozen=True, slots=True)
class Decoded:
    """What `start:end` of a text becomes once decoded."""

    text: str
    start: int
    end: int

    def span(self, _start: int, _end: int) -> tuple[int, int]:
        """The span of the original that stands for `text[_start:_end]`: all of the run."""
        return self.start, self.end


def decoded(text: str) -> list[Decoded]:
    """Every run of `text` that is text once decoded, in order. Takes linear time, makes less than it reads.

    The runs of a JSON web token (RFC 7519) answer for the whole token.
    """
    if _LIKELY(text) is None:
        return []
    return [found for match in _RUN.finditer(text) for found in _read(match)]


def _read(match: re.Match[str]) -> Iterator[Decoded]:
    start, end = match.span()
    if match["token"]:
        for part in match[0].split(".")[:2]:
            if (inside := _base64(part)) is not None:
                yield Decoded(inside, start, end)
        return
    run = match[0]
    if _LIKE_HEX(run):
        for piece in _HEX_RUN(run):
            if (inside := _hex(piece[0])) is not None:
                yield Decoded(inside, start + piece.start(), start + piece.end())
    if not _LIKE_BASE64(run):
        return
    if (inside := _base64(run)) is not None:
        yield Decoded(inside, start, end)
        return
    for piece in _PIECE(run):
        if len(piece[0]) < len(run) and (inside := _base64(piece[0])) is not None:
            yield Decoded(inside, start + piece.start(), start + piece.end())


def _base64(run: str) -> str | None:
    """Decoded leniently, as most readers do: padding may be missing, a last character too many is left out."""
    if _LIKE_BASE64(run) is None or (len(run) > 128 and _text(_bytes(run[:128]).rstrip(_CUT)) is None):
        return None  # the second saves the time to decode what is sound or image
    return _text(_bytes(run), thin=run.isupper() or run.islower())


def _bytes(run: str) -> bytes:
    whole = run[: len(run) - 1] if len(run) % 4 == 1 else run
    return b64decode(whole.translate(_STANDARD) + "=" * (-len(whole) % 4))


def _hex(run: str) -> str | None:
    return None if len(run) % 2 or _LIKE_HEX(run) is None else _text(bytes.fromhex(run), thin=run.isdecimal())


def _text(data: bytes, thin: bool = False) -> str | None:
    """`data` as UTF-8, if next to nothing of it is no text. `thin`: no letters, or of one case, in its run."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if len(_NO_TEXT(text)) > len(text) // 16:
        return None
    # Short ones may be text by chance. Then they are full of what texts hardly hold.
    if thin and len(text) < 40:
        return text if _IBAN(text) or (len(text) > 8 and not _RARE(text) and not _ODD(text)) else None
    if len(text) >= 24:
        return text
    rare = len(_RARE(text)) + (len(_ODD(text)) if len(text) < 12 else 0)
    return text if rare <= len(text) // 8 else None
