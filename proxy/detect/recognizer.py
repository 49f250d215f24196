"""What a recognizer is: the plug of this room. One file per family in recognizers/, all of them in engine.py.

A recognizer names regexes that hit every text in which it could find anything (its triggers), and how far
around a hit it must see. The gate compiles the triggers of all active recognizers into one database and scans
once; a recognizer then looks only at windows around its own hits. That is what makes detection fast, and what
makes it safe: hostile text never reaches a backtracking pattern whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline

FLOOR = 0.5
"""Triggers answer for findings of at least this score. A policy that wants less has every text looked at."""


class Recognizer(Protocol):
    """Finds one entity in one text. Used by several threads at once, so it keeps nothing between calls."""

    name: str
    entity: str
    triggers: tuple[str, ...]
    """Regexes of literals, classes, groups, `|`, `?`, `{m,n}`, `^`, `$`, `\\d`, `\\w`, `\\s`: no look-around, no
    back-reference, no `\\b`. Matched caselessly (in ASCII), but for what stands in `(?-i:...)`; `^` and `$` match
    at line ends too; `.` is any character. Every value that scores FLOOR or more contains or touches a match of
    one of them, so a text without a match is clean. Over-matching costs time, under-matching leaks: when in
    doubt match more.

    `\\b` is written `(?:^|[^\\w])`: whatever ends a text (a quote, a line end) must count as an end of the value.
    Of bounded width: `a{1,9}b`, not `a+b`; what hits is said by the end of the match. Nothing in a trigger may
    need a backslash or a zero byte. Empty: there is no such regex, and every text is looked at (a user's own)."""

    before: int
    after: int
    """Characters left and right of a trigger's match that the value and whatever delimits it may take."""

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """What scores at least `threshold` in `text[start:end]`, a window round hits; offsets are those of `text`.

        The whole text may be read for context (delimiters, hot words), by bounded steps. A window is as good as
        the whole text: `find(text, 0, len(text), ...)` finds the same. So a value is judged on its own, wherever
        the search began (`finditer` goes on behind what it rejected, and depends on that); and what ends at a
        window's end although the text goes on is not taken for ended. In no order, possibly overlapping. Raises
        TimeoutError when `deadline` is over.
        """


@runtime_checkable
class SelfGated(Recognizer, Protocol):
    """A recognizer that is a gate by itself, for what no regex says, such as 100,000 names.

    It has no triggers, and is shown whole texts.
    """

    backslashes: bool
    """Whether there may be one in a value. A payload with a backslash is not clear then."""

    def clear(self, data: bytes) -> bool:
        """Whether it would find nothing in `data`, nor in any text that stands there; False when in doubt.

        Texts are bounded by quotes, control characters or nothing. Never so if `data` is not UTF-8. Takes some
        milliseconds at most for 16 KiB, whatever they are.
        """

    def ends(self, data: bytes) -> Sequence[int] | None:
        """Where values end in `data`, in bytes and any order, also of those within others; None when in doubt."""
