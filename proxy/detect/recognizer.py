"""What a recognizer is: the plug of this room. One file per family beside it, a dict of them in engine.

A recognizer names regexes that hit every text in which it could find anything (its triggers), and how far
around a hit it must see. The gate compiles the triggers of all active recognizers into one database and scans
once; a recognizer then looks only at windows around its own hits. That is what makes detection fast, and what
makes it safe: hostile text never reaches a backtracking pattern whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline


class Recognizer(Protocol):
    """Finds one entity in one text. Used by several threads at once, so it keeps nothing between calls."""

    name: str
    entity: str
    triggers: tuple[str, ...]
    """Regexes in the syntax that Vectorscan, RE2 and `re` share (no lookaround, no back-reference, no \\b),
    matched caselessly. Every value the recognizer could find contains, or touches, a match of one of them, so
    a text without a match is clean. Over-matching costs time, under-matching leaks: when in doubt match more.
    Empty: the recognizer has no such regex and looks at every text (a user's own)."""

    before: int
    after: int
    """Characters left and right of a trigger's match that the value and whatever delimits it may take."""

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """What scores at least `threshold` in `text[start:end]`, a window around hits; offsets as in `text`.

        The whole text may be read for context (delimiters, hot words), never more than `before`/`after` beyond
        a window. In no order, possibly overlapping. Raises TimeoutError when `deadline` is over; a match that
        ends at a window's end although the text goes on is not reported unless the value really ends there.
        """
