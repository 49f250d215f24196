"""What is wrong with a rule file, and where. Names of keys, entities and operators may be quoted; values may not:
examples and replacements can be personal data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from proxy.rulebook.meant import meant

CODES = {
    "E001": "This file cannot be read.",
    "E002": "A rule file is UTF-8.",
    "E003": "This is not YAML.",
    "E004": "Of YAML only plain values, lists and mappings are supported: no tags and no anchors.",
    "E005": "A key stands once: of two, one would count and the other be lost.",
    "E006": "The file is empty, too long or too deep.",
    "E010": "A key is missing that must be there.",
    "E011": "Nobody knows this key, so it would do nothing.",
    "E012": "A value is of another type here; nothing is converted.",
    "E013": "A value is not one of those that are possible here.",
    "E014": "A secret is only named in a rule file (env: or file:), it never stands there.",
    "E015": "An action is one operator of those that there are.",
    "E016": "Nobody finds this entity, so nothing would ever happen to it.",
    "E017": "There are no recognizers for this country.",
    "E018": "There are no rules of this name.",
    "E019": "Rules that extend themselves have no end.",
    "E020": "This is no regex.",
    "E021": "A regex that needs backtracking can take exponential time for a text that somebody sends.",
    "E022": "This recognizer cannot be made.",
    "E023": "A list of values cannot be used.",
    "E024": "This is no path.",
    "E025": "Nothing says how this entity is to be found.",
    "E026": "Building these rules failed for a reason that is not in them.",
    "E030": "An id names one rule.",
    "E031": "A rule does not do what its own example says.",
    "E032": "An exception that exempts everything turns its rule off.",
    "E033": "An entity is not found as its own example says.",
    "E034": "A conversation does not go as it is written.",
    "E035": "Something is looked for, and no rule says what happens to it.",
    "E036": "Rules that are extended disagree about a name that both use.",
    "E037": "An example is not found, or something else is, when it is written otherwise.",
    "E040": "A route that no request can reach would protect nothing.",
    "E041": "The path at the upstream uses parameters of the route's own path only.",
    "E042": "A file that is named here cannot be used.",
    "E043": "A secret that is named here is not there, or no header can carry it.",
    "E044": "What lets personal data pass is said twice, so that nobody does it by accident.",
    "E045": "A name stands for one route.",
    "W001": "An exception has ended; it changes nothing any more.",
    "W002": "A rule that another one always forestalls does nothing.",
    "W003": "Nothing proves what has no example.",
}
"""What each fault means, in a sentence. Those with a W are remarks: such rules go live."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; `line` and `column` count from 1, and are 0 where the file as a whole is meant.

    `help` says how to cure it, as far as that can be told. `width` is the number of characters that are meant, 0
    if that is not known. `instead` is the name that was probably meant where a wrong one stands.
    """

    source: str
    line: int
    column: int
    code: str
    sentence: str
    help: str = ""
    width: int = field(default=0, compare=False)
    instead: str = field(default="", compare=False)

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        word = "error" if self.code.startswith("E") else "warning"
        cure = f"; {self.help}" if self.help else ""
        return f"{place}: {word}[{self.code}] {self.sentence}{cure}"


class RulesError(Exception):
    """These rules cannot go live. Carries every fault that was found, file by file, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = in_order(faults)
        super().__init__("\n".join(map(str, self.faults)))


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Each once, file by file, in the order of the file."""
    every = list(dict.fromkeys(faults))
    first = {fault.source: i for i, fault in reversed(list(enumerate(every)))}
    return tuple(sorted(every, key=lambda fault: (first[fault.source], fault)))


class Unknown(NamedTuple):
    """What there is to say about a name that means nothing."""

    sentence: str
    help: str
    instead: str = ""
    """The name that was probably meant."""


def unknown(kind: str, name: str, known: Iterable[str]) -> Unknown:
    """About a name that means nothing here: the one that was probably meant, or all there are."""
    names = sorted(known)
    sentence = f"unknown {kind} {quoted(name)}"
    if (right := meant(name, names)) is not None:
        return Unknown(sentence, f"did you mean '{right}'?", right)
    return Unknown(sentence, f"known are {', '.join(names)}" if names else "there is none")


def quoted(name: str) -> str:
    """`name` in quotes, safe for a terminal and for one line."""
    return repr(name if len(name) <= 64 else f"{name[:64]}...")
