"""Surrogates by shape alone: digits stay digits, letters stay letters in their case and script, the rest stays."""

from __future__ import annotations

from proxy.pseudonyms.fakes.draw import Draw

# Ranges in which every code point is a letter of one case, or of none.
_SCRIPTS = (
    range(0x0061, 0x007B),
    range(0x0041, 0x005B),  # Latin
    range(0x03B1, 0x03C2),
    range(0x0391, 0x03A2),  # Greek
    range(0x0430, 0x0450),
    range(0x0410, 0x0430),  # Cyrillic
    range(0x05D0, 0x05EB),  # Hebrew
    range(0x0628, 0x064B),  # Arabic
    range(0x0905, 0x093A),  # Devanagari
    range(0x0E01, 0x0E2F),  # Thai
    range(0x3041, 0x3094),  # Hiragana
    range(0x30A1, 0x30F4),  # Katakana
    range(0x4E00, 0x9FCC),  # Han
    range(0xAC00, 0xD7A4),  # Hangul
    range(0xFF41, 0xFF5B),
    range(0xFF21, 0xFF3B),  # full width
)
_LOWER, _UPPER = _SCRIPTS[:2]


def shaped(text: str, draw: Draw) -> str:
    """Another text of the shape of `text`. Leading zeros stay, and no other digit in front becomes one."""
    out = []
    inside = False  # of a run of digits, behind its first
    for char in text:
        if char.isdecimal():
            out.append(_digit(char, draw, inside))
            inside = inside or int(char) != 0
        else:
            inside = False
            out.append(_letter(char, draw) if char.isalpha() else char)
    return "".join(out)


def refilled(text: str, digits: str, draw: Draw) -> str:
    """`text` with its decimal digits replaced by `digits`, as many as it has, and other letters by shape."""
    left = iter(digits)
    return "".join(next(left) if c.isdecimal() else _letter(c, draw) if c.isalpha() else c for c in text)


def digits_of(text: str) -> str:
    """The decimal digits of `text`, in ASCII."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def _digit(char: str, draw: Draw, inside: bool) -> str:
    value = int(char)
    new = draw.below(10) if inside else 1 + draw.below(9) if value else 0
    return chr(ord(char) - value + new)


def _letter(char: str, draw: Draw) -> str:
    code = ord(char)
    for script in _SCRIPTS:
        if code in script:
            return chr(draw.pick(script))
    return chr(draw.pick(_UPPER if char.isupper() else _LOWER))
