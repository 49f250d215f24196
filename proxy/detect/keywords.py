"""Keys as words: splitting them, also where they are joined, and looking up what a row of words is a name of.

The names are in aliases.py; what a path says as a whole is judged in keys.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proxy.detect.aliases import ENDINGS, HARMLESS, KINDS, LEADS, NUMBERS, PERSONS, ROLES
from proxy.detect.normal import normalise

LONGEST_KEY = 64  # characters; proxy/codecs/scan.py cuts them there too
SHORT = 6  # letters: such a word is not taken apart, and a longer name is sure to be the end of what it ends
NOTHING = "harmless"
"""The kind of names that are never personal."""


class Word(NamedTuple):
    """A piece of a key; `apart` unless it was joined to the one before it."""

    text: str
    apart: bool


class Vocabulary(NamedTuple):
    """What is needed to split joined words: `known` ones, and those that are sure to be the `ends` of others."""

    known: frozenset[str]
    ends: frozenset[str]


class Name(NamedTuple):
    """What a row of words means. `joints`: where the next word of the name may begin, in letters."""

    kind: str
    words: tuple[str, ...]
    joints: frozenset[int]


_UNACCENTED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "\u0131": "i", "Ł": "L", "Ø": "O"}
)
_ONE_WORD = re.compile("IPv(?=[46])|OAuth")
_POSSESSIVE = re.compile(r"'(?=[sS](?![A-Za-z]))")  # `driver's license`
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+").findall


def unaccented(text: str) -> str:
    """`text` without marks: `prénom` and `prenom` are one key."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.translate(_UNACCENTED))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _names() -> Iterator[Name]:
    for kind, listed in ({NOTHING: HARMLESS} | KINDS).items():
        for one in listed.replace("\n", ",").split(","):
            said = tuple(_WORD(unaccented(one.lower())))
            if said:
                yield Name(kind, said, frozenset(len("".join(said[:n])) for n in range(1, len(said))))


NAMES: dict[str, Name] = {}
"""Every name, by its letters without spaces."""
for _name in _names():
    _joined = "".join(_name.words)
    _other = NAMES.setdefault(_joined, _name)
    if _name.joints > _other.joints and _name.kind == _other.kind:  # `birthday` is `birth day` too
        NAMES[_joined] = _name

PEOPLE = frozenset(map(unaccented, PERSONS))
_WORDS = frozenset(word for name in NAMES.values() for word in name.words)
_KNOWN = _WORDS | NAMES.keys() | PEOPLE | ROLES | ENDINGS | NUMBERS | LEADS
_LONGEST_NAME = max(len(name.words) for name in NAMES.values())
_LONGEST_WORD = 24
# In a joined word whose beginning is unknown, only these are sure to be its end.
_ENDS = frozenset(
    joined for joined, name in NAMES.items() if len(joined) > SHORT and name.kind not in ("address", NOTHING)
)
OURS = Vocabulary(frozenset(_KNOWN), _ENDS)


def words(key: str, vocabulary: Vocabulary = OURS) -> list[Word]:
    """`dateOfBirth`, `date_of_birth`, `DATE-OF-BIRTH` and `dateofbirth` -> date, of, birth."""
    if not key.isascii():
        folded = normalise(key)
        key = unaccented(folded.text if folded else key)
    found: list[Word] = []
    for word in _WORD(_ONE_WORD.sub(lambda match: match[0].capitalize(), _POSSESSIVE.sub("", key[:LONGEST_KEY]))):
        found += (Word(part, n == 0) for n, part in enumerate(_parts(word.lower(), vocabulary)))
    return found


def _parts(word: str, vocabulary: Vocabulary) -> Sequence[str]:
    """A word, or the known words that it is joined from, as few as possible."""
    known = vocabulary.known
    if len(word) < SHORT or word in known:
        return (word,)
    ends = [word[-size:] for size in range(2, min(len(word), _LONGEST_WORD) + 1)]
    if not any(end in known for end in ends):
        return (word,)
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]  # how to spell the first n letters
    for start in range(len(word)):
        before = best[start]
        if before is None:
            continue
        for end in range(start + 2, min(start + _LONGEST_WORD, len(word)) + 1):
            now = best[end]
            if (now is None or len(before) + 1 < len(now)) and word[start:end] in known:
                best[end] = (*before, word[start:end])
    if best[-1] is not None:
        return best[-1]
    last = next((end for end in reversed(ends) if end in vocabulary.ends), "")
    return (word[: -len(last)], last) if last else (word,)


def singulars(word: str) -> Iterator[str]:
    """`word`, and what it may be the plural of."""
    yield word
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]


def named(said: Sequence[Word]) -> tuple[Name, int] | None:
    """The longest name that `said` ends with, and how many words of `said` it takes."""
    if not said or not any(one in _KNOWN for one in singulars(said[-1].text)):
        return None
    joined, best = "", None
    joints: list[int] = []  # where words begin, in letters from the end
    for size in range(1, min(len(said), _LONGEST_NAME + 2) + 1):
        word = said[-size]
        joined = word.text + joined
        for one in singulars(joined):
            name = NAMES.get(one)
            if name is not None and all(len(joined) - joint in name.joints for joint in joints):
                best = name, size
                break
        if word.apart:
            joints.append(len(joined))
    return best
