"""Where people live: streets, cities, postcodes, and whole addresses, on one line or on several.

Hosts, wallets and paths are addresses too, and are none of these.
"""

from __future__ import annotations

import re

from proxy.detect.plausible.other import NOBODY, SENTENCE, is_id, is_link
from proxy.detect.plausible.people import name

_NUMBERED = re.compile(r"\d{1,6}[a-zA-Z]?,? [^\W\d_]{2,}\.? [\w .,'\n-]*[^\W_]").fullmatch
_POSTED = re.compile(
    r"\b(?:suite|apt|apartment|unit|floor|street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|square"
    r"|way|box|rue|calle|via|rua|ulica|ul)\b\.?|(?:stra(?:ss|ß)e|str\.|straat|weg|platz|gasse)\b",
    re.IGNORECASE,
).search
_NOT_POSTAL = frozenset("@_={}[]<>|\\$*")


def street(text: str) -> bool:
    """A street, with or without a number; or the number of a house."""
    if re.fullmatch(r"[0-9]{1,6} ?[A-Za-z]?(?:[/-][0-9A-Za-z]{1,5})?", text):
        return True
    # one small word is what games and traffic call streets: `river`, `main`
    return _postal(text) and len(text) >= 3 and not (text.isalpha() and text.islower() and text.isascii())


def road(text: str) -> bool:
    """A street that nothing else is called: with a number, or several words in capitals."""
    return _postal(text) and " " in text and (any(map(str.isdigit, text)) or text.istitle())


def address(text: str) -> bool:
    """Several words, or lines, of which one has letters."""
    return _postal(text) and len(text) >= 5 and len(text.replace(",", " ").split()) > 1


def place(text: str) -> bool:
    """What only an address is written like: a number before several words, or beside one like `Suite`."""
    if not address(text) or not any(map(str.isdigit, text)):
        return False
    return _NUMBERED(text) is not None or _POSTED(text) is not None


def _postal(text: str) -> bool:
    if is_link(text) or is_id(text) or text.startswith("0x") or not _NOT_POSTAL.isdisjoint(text):
        return False
    if text.lower() in NOBODY or not any(map(str.isalpha, text)) or not SENTENCE.isdisjoint(text.lower().split()):
        return False
    # one word: no host (`db-1.internal`), no id (`Ab3xK`)
    return len(text.split()) > 1 or re.fullmatch(r"[^\W\d_]{2,}(?:-[^\W\d_]+)*\.?", text) is not None


def city(text: str) -> bool:
    """Letters, and what stands between those of `Saint-Denis` and `St. John's`."""
    return len(text) <= 60 and name(text)


def postcode(text: str) -> bool:
    """`94105`, `94105-1234`, `SW1A 1AA`, `1012 AB`, `00-950`."""
    if not re.fullmatch(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)?", text) or not 4 <= len(text) <= 10:
        return False
    return sum(char.isdigit() for char in text) >= 2
