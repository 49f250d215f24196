"""Which triggers share a database that scans ASCII. No engine is known here, only how triggers are spelt.

A trigger without a literal to wait for is looked for at every byte, and Vectorscan does so for all such triggers
at once, as slowly as for the worst of them. Those that a word of prose sets going stand apart, and cost the others
nothing: a clean kilobyte of JSON takes 2.8 us in two databases, 4.8 us in one. Those that no ASCII text can match
are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from proxy.detect.triggers import spelt

WORD = 5  # letters that begin a match, from which on a trigger is restless
_LETTERS = frozenset(range(ord("a"), ord("z") + 1))
_MANY = 6  # letters in a class that words of prose often begin with

_Item = tuple[Any, Any]  # what the parser of `re` makes of a regex: (operation, its arguments)


def herds(triggers: Sequence[str]) -> list[list[int]]:
    """The triggers that belong together, as places in their list, for each herd that is not empty."""
    calm: list[int] = []
    restless: list[int] = []
    for number, trigger in enumerate(triggers):
        try:
            items = list(parser.parse(spelt(trigger, beyond_ascii=False)))
        except (ValueError, RecursionError, OverflowError, re.error):
            calm.append(number)  # whether an engine takes it is for the engine to say
            continue
        if _can_match(items):
            (restless if _begins(items) >= WORD else calm).append(number)
    return [herd for herd in (calm, restless) if herd]


def _can_match(items: Iterable[_Item]) -> bool:
    """Whether some ASCII text may match: nothing that must be there is beyond ASCII."""
    for op, of in items:
        if op is ops.LITERAL and of > 127:
            return False
        if op is ops.IN and of[0][0] is not ops.NEGATE and not _members(of):
            return False
        if op is ops.BRANCH and not any(map(_can_match, of[1])):
            return False
        if op is ops.SUBPATTERN and not _can_match(of[3]):
            return False
        if op is ops.MAX_REPEAT and of[0] and not _can_match(of[2]):
            return False
    return True


def _begins(items: Iterable[_Item]) -> int:
    """How many characters at the beginning of a match may be letters of any word; WORD if that is not fixed."""
    count = 0
    for op, of in items:
        if op is ops.IN and len(_members(of) & _LETTERS) >= _MANY:
            count += 1
        elif op is ops.MAX_REPEAT and of[0]:
            inside = _begins(of[2])
            if inside < len(of[2]):
                return count + inside
            count += inside * of[0] if of[0] == of[1] else WORD
        elif op is ops.SUBPATTERN:
            return count + _begins(of[3])
        elif op is ops.BRANCH:
            return count + max(map(_begins, of[1]))
        elif op is not ops.MAX_REPEAT and op is not ops.AT:  # a match may begin behind what is optional
            return count
    return count


def _members(of: Iterable[_Item]) -> set[int]:
    """The ASCII members of a class."""
    found: set[int] = set()
    negated = False
    for op, what in of:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            found.add(what)
        else:
            found.update(range(what[0], what[1] + 1))
    ascii_ones = set(range(128))
    return ascii_ones - found if negated else ascii_ones & found
