"""The gate in RE2, where there is no Vectorscan. It tells who hits, not where: slower, and no less sure.

One alternation, not an `re2.Set`: a set answers "nothing" when its automaton runs out of memory, and from
Python that looks like a text without hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import re2

from proxy.detect.gate import Scan, Trigger, Wish
from proxy.detect.triggers import odd_digits, spelt


def open_all(wishes: Sequence[Wish], _: Path | None = None) -> list[Re2Gate]:
    """A gate for each wish, compiled in milliseconds."""
    return [Re2Gate(wish.triggers) for wish in wishes]


class Re2Gate:
    """A `Gate`."""

    engine = "re2"

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        blind: set[int] = set()
        regexes: dict[int, list[str]] = {}
        for owner, regex in triggers:
            try:
                written = spelt(regex, beyond_ascii=True)
                _compile([written])
            except (ValueError, re2.error):
                blind.add(owner)
            else:
                regexes.setdefault(owner, []).append(written)
        self.blind = frozenset(blind)
        self._owners = {owner: _compile(several) for owner, several in regexes.items()}
        self._odd = _compile([odd_digits()])
        self._all = _compile([odd_digits(), *(regex for several in regexes.values() for regex in several)])

    def clear(self, data: bytes) -> bool:
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
        return not self.blind and not self._all.search(data)

    def ends(self, _: bytes) -> Sequence[int] | None:
        return None

    def scan(self, data: bytes) -> Scan:
        if not self._all.search(data):
            return Scan((), self.blind)
        if self._odd.search(data):
            return Scan((), self.blind.union(self._owners))
        hit = (owner for owner, regex in self._owners.items() if regex.search(data))
        return Scan((), self.blind.union(hit))


def _compile(regexes: list[str]) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    alternatives = "|".join(f"(?:{regex})" for regex in regexes)
    return re2.compile(f"(?ms:{alternatives})".encode(), options)
