"""Names of people: as one of them is spelled, and what a thing, a team or a firm is called instead.

How strictly is said by the key: below `firstName` nearly any word will do, below `author` it takes two.
"""

# ruff: noqa: SIM905 - words are easier to read than lists of them

from __future__ import annotations

import re

from proxy.detect.plausible.other import NOBODY, SENTENCE, humps

_LETTER = r"[^\W\d_]"
_WORD = rf"{_LETTER}(?:{_LETTER}|[\u0300-\u036f'\u2019\u02bc.\-]){{0,39}}"
_NAME = re.compile(rf"{_WORD}(?:,? {_WORD}){{0,6}}").fullmatch
# In what is written like a name, these make it a thing, a team or a firm.
_THINGS = frozenset(
    """
    the and of for a an in on at to my our new team inc ltd llc gmbh ag corp co company group bank service
    services system room channel server admin support bot user users test account office department shop store
    club school university hospital center centre foundation institute association committee project program api
    app desk help north south east west street road avenue lane city county station airport park hotel building
    floor suite inc. ltd. co. corp. limited main default general public private sales marketing billing customer
    global corporation industries holding holdings solutions technologies technology labs studio studios media
    partners capital ventures consulting international shipping standard express priority economy delivery order
    orders invoice saver data service-account engineering engineers operations product research development human
    resources finance legal it
    """.split()
)
_PARTICLES = frozenset(
    "de da do dos das di del della der den van von zu zum zur la le el al bin ibn y e ten ter af".split()
)


def name(text: str) -> bool:
    """One name or several, as people spell them; `van der Berg`, `O'Neill`, `Mary-Jane`, `J. R.`, `山田`."""
    if not 1 < len(text) <= 80 or not _NAME(text) or text.lower() in NOBODY:
        return False
    return all(_worn(word) and word.lower() not in SENTENCE for word in text.split())


def spoken_name(text: str) -> bool:
    """A name after a word for a person: lower case is all right where there are two."""
    return name(text) and (not text[0].islower() or " " in text)


def full_name(text: str) -> bool:
    """Two names at least, and nothing that things and firms are called."""
    words = text.replace(",", " ").split()
    if not 2 <= len(words) <= 5 or not name(text) or any(word.lower() in _THINGS for word in words):
        return False
    if sum(map(len, words)) < 5:
        return False
    return all(not word[0].islower() or word in _PARTICLES for word in words) and not words[-1][0].islower()


def _worn(word: str) -> bool:
    """Whether the capitals of `word` are those of a name: `McDonald`, not `gUeRv` or `JgwBuNOn`."""
    bends = len(humps(word))
    return bends == 0 or (bends == 1 and word[0].isupper() and not word[-1].isupper())
