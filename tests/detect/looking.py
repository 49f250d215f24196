"""What the tests of this room share: one detector, and a short way to ask it."""

from __future__ import annotations

from functools import cache

from proxy.core.finding import Finding
from proxy.core.message import Leaf
from proxy.detect.engine import Engine


@cache
def detector() -> Engine:
    """The detector under test, made once; it has no threads until `find_later` is called."""
    return Engine(budget=5.0)


def leaf(text: str) -> Leaf:
    return Leaf("$", text, 0, len(text), 0)


def look(text: str, threshold: float = 0.5, *entities: str) -> list[Finding]:
    wanted = frozenset(entities) or detector().entities
    (found,) = detector().find([leaf(text)], wanted, threshold)
    return list(found)


def values(text: str, threshold: float = 0.5) -> set[tuple[str, str]]:
    """(entity, found text) of everything in `text`."""
    return {(f.entity, text[f.start : f.end]) for f in look(text, threshold)}
