"""The plug of this room: what a model is, and the span it answers with. No library is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

PERSON, LOCATION = "PERSON", "LOCATION"
ENTITIES = frozenset({PERSON, LOCATION})


class MissingError(ImportError):
    """A library or model that is not installed; the text names the command that installs it."""


@dataclass(frozen=True, slots=True)
class Span:
    """`start:end` of a text is an `entity`, with the model's probability `score`. Made by a model."""

    entity: str
    start: int
    end: int
    score: float


class Model(Protocol):
    """Reads one window of prose. Used by several threads at once, so it keeps nothing between calls."""

    name: str
    entities: frozenset[str]

    def read(self, text: str, threshold: float) -> list[Span]:
        """What `text` (at most window.SIZE characters) names, whole words; in order, possibly overlapping.

        A span whose spelling speaks for it (a capital where the model saw none) may have a lower probability
        than `threshold`; its score is then raised to it.
        """
