"""What is wrong with a rule file, and where. Names of keys, entities and operators may be quoted; values may not:
examples and replacements can be personal data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; `line` and `column` count from 1, and are 0 where the file as a whole is meant."""

    source: str
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        return f"{place}: {self.sentence}"


class RulesError(Exception):
    """These rules cannot go live. Carries every fault that was found, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """A sentence about a name that means nothing here, with the one that was probably meant, or all there are."""
    names = {candidate.lower(): candidate for candidate in sorted(known)}
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.55)
    cure = f"did you mean '{names[close[0]]}'?" if close else f"known are {', '.join(names.values())}"
    return f"unknown {kind} {quoted(name)}; {cure}"


def quoted(name: str) -> str:
    """`name` in quotes, safe for a terminal and for one line."""
    return repr(name if len(name) <= 64 else f"{name[:64]}...")
