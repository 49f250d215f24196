"""Other readings of a text: folded (normal.py), decoded (encoded.py), and both, each with the way back.

The text itself is always looked at too. Nothing is found here.
"""

from __future__ import annotations

from typing import Protocol

from proxy.detect.encoded import decoded
from proxy.detect.normal import normalise


class Reading(Protocol):
    """What somebody may read in a text."""

    @property
    def text(self) -> str: ...

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that `text[start:end]`, which is not empty, stands for."""


class _Through:
    """A reading of a reading."""

    __slots__ = ("inner", "outer", "text")
    text: str

    def __init__(self, outer: Reading, inner: Reading) -> None:
        self.outer, self.inner, self.text = outer, inner, inner.text

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.outer.span(*self.inner.span(start, end))


def readings(text: str) -> list[Reading]:
    """All other readings of `text`; none if no VEILS hit. Takes linear time."""
    found: list[Reading] = [*decoded(text)]
    folded = normalise(text)
    if folded is not None:
        found.append(folded)
        found += [_Through(folded, inner) for inner in decoded(folded.text)]
    return found
