"""Which name was probably meant: for keys, operators, entities, rules, whatever a file can name wrongly.

Nothing is decided here: a suggestion is for people, who take it or leave it. How often it is right is measured in
tests/rulebook/test_meant.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rapidfuzz.distance import OSA, JaroWinkler

from proxy.rulebook.synonyms import CALLED

NEAR = 0.55
"""How alike two names are at least (1: the same). Below is somebody's own name, and no suggestion."""

_WORDS: dict[str, tuple[str, ...]] = {}
for _name, _words in CALLED.items():
    for _word in _words.split():
        _WORDS[_word] = (*_WORDS.get(_word, ()), _name)


def meant(name: str, known: Collection[str]) -> str | None:
    """The one of `known` that whoever wrote `name` probably meant; None if it is like none of them."""
    names = {_plain(one): one for one in sorted(known, reverse=True)}
    written = _plain(name)
    if written in names:
        return names[written]
    for called in (_same, _said_otherwise, _nearest, _part, _nearly_said_otherwise):
        if written and (right := called(written, names)) is not None:
            return names[right]
    return None


def _plain(name: str) -> str:
    """Without what only spelling is: `keepLast`, `Keep-Last` and `keep last` are one."""
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).strip("_").casefold() or name


def _same(written: str, names: Collection[str]) -> str | None:
    """Singular for plural, or with other separators."""
    bare = _bare(written)
    return next((name for name in names if _bare(name) == bare), None)


def _bare(name: str) -> str:
    return re.sub(r"ies$", "y", name.replace("_", "")).removesuffix("s")


def _said_otherwise(written: str, names: Collection[str]) -> str | None:
    """Another word for it."""
    for word in (written, written.removesuffix("s")):
        if right := next((right for right in _WORDS.get(word, ()) if right in names), None):
            return right
    return None


def _nearest(written: str, names: Collection[str]) -> str | None:
    """Letters swapped, lost, doubled or beside the right ones. Two letters are like too many others."""
    if len(written) < 3:
        return None
    near = [name for name in names if _alike(written, name)]
    return max(near, key=lambda name: _likeness(written, name), default=None)


def _alike(written: str, name: str) -> bool:
    slips = OSA.distance(written, name)
    return slips <= 1 or OSA.normalized_similarity(written, name) >= NEAR


def _likeness(written: str, name: str) -> tuple[float, float]:
    return OSA.normalized_similarity(written, name), JaroWinkler.similarity(written, name)


def _part(written: str, names: Collection[str]) -> str | None:
    """One that has all of its words, or whose words it has."""
    words = set(written.split("_"))
    found = [name for name in names if words < set(name.split("_")) or words > set(name.split("_"))]
    return max(found, key=lambda name: _likeness(written, name), default=None)


def _nearly_said_otherwise(written: str, names: Collection[str]) -> str | None:
    """Another word for it, misspelt. Short words are like too many others."""
    words = [word for word, rights in _WORDS.items() if len(word) > 4 and any(right in names for right in rights)]
    near = _nearest(written, [word for word in words if len(written) > 4])
    return None if near is None else _said_otherwise(near, names)
