"""From what a model says of sub-word tokens to spans of whole words. Pure; no model, no numpy.

The model is uncased. The case of a word is therefore evidence that it has not seen: where the writer uses
capitals, a capitalised word needs less probability to be a name and a small one much more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from proxy.detect.ner.model import LOCATION, PERSON, Span

WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")

CAPITAL, SMALL, CHAT = 0.4, 0.8, 0.6
"""A capitalised word needs `threshold` times the first; a small one of a careful writer at least the second, of
another writer the third."""

# What may stand between two words of one value.
_PARTICLE = r"(?:(?:de|da|do|dos|del|della|di|du|la|le|el|al|bin|ibn|van|von|der|den|ter|ten|zu|y|e)[ \t]+)"
_INITIAL = r"(?:[^\W\d_]\.?[ \t]+)"
_GAPS = {
    # a dot without a space behind it only after an initial: J.R. Smith, not sys.stderr
    PERSON: re.compile(
        rf"(?:\.?[ \t]+|(?<=\b[^\W\d_])\.)(?:{_PARTICLE}{{1,2}}|{_INITIAL})?|[ \t]*-[ \t]*", re.IGNORECASE
    ),
    LOCATION: re.compile(rf"[ \t]*[.,;#/-]?[ \t]*(?:{_PARTICLE}{{1,2}})?", re.IGNORECASE),
}
# What people write before their own or somebody's name, whatever the case of the name.
_INTRODUCED = re.compile(
    r"(?:\b(?:i['\u2019]?m|i am|name(?:['\u2019]?s| is)?|this is|call me|called"
    r"|mr|mrs|ms|miss|dr|prof|dear|hi|hello|hey|regards|cheers|thanks|from|in|at|to|near|by|with|user|contact|sir"
    r"|herr|frau|signed|née|se(?:ñ|n)ora?|je m['\u2019]appelle|ich bin|me llamo|mi chiamo|vagyok)[.,:]?[ \t]+)\Z",
    re.IGNORECASE,
)
_LOOK_BACK = 24


class Word(NamedTuple):
    """A word of the text and the entity it most likely belongs to. `score` is the model's probability."""

    start: int
    end: int
    entity: str
    score: float


def spans(text: str, words: Iterable[Word], threshold: float) -> list[Span]:
    """Words that are sure enough, neighbours of one entity joined; in order."""
    careful = _careful(text)
    result: list[Span] = []
    for word in words:
        if word.score < need(text, word, threshold, careful, result[-1] if result else None):
            continue
        score = max(word.score, threshold)
        last = result[-1] if result else None
        if last is not None and joins(text, last, word):
            result[-1] = Span(last.entity, last.start, word.end, max(last.score, score))
        else:
            result.append(Span(word.entity, word.start, word.end, score))
    return result


def joins(text: str, last: Span, word: Word | Span) -> bool:
    """Whether what stands between the two lets them be one value."""
    return last.entity == word.entity and _GAPS[last.entity].fullmatch(text, last.end, word.start) is not None


def need(text: str, word: Word, threshold: float, careful: bool, last: Span | None) -> float:
    """The probability at which `word` counts."""
    if not text[word.start].isalpha():
        return threshold
    if text[word.start].isupper():
        return threshold * CAPITAL if not text[word.start : word.end].isupper() else threshold
    if last is not None and joins(text, last, word):
        return threshold
    before = text[max(0, word.start - _LOOK_BACK) : word.start]
    return threshold if _INTRODUCED.search(before) else max(threshold, SMALL if careful else CHAT)


def _careful(text: str) -> bool:
    """Whether the writer uses capitals: the first letter is one, and others are not."""
    first = next(_letters(text), "")
    return first.isupper() and any(char.islower() for char in text)


def _letters(text: str) -> Iterator[str]:
    return (char for char in text if char.isalpha())
