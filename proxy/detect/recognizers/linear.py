"""Whether a regex can be trusted with anybody's text: what needs backtracking can take exponential time.

RE2 says what needs none. What it takes may still be slow elsewhere, so repetitions without end inside each other
are refused as well: `(.*)*=` takes minutes for 30 characters. No recognizer is known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from re import error as SyntaxFault  # noqa: N812 - what `re` calls `error`
from typing import Any

import re2

_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)


def backtracks(regex: str) -> str | None:
    """What in `regex`, a valid one, can take exponential time, in a few words; None if nothing does."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(regex, options)
        parsed = _parser.parse(regex)
    except (re2.error, SyntaxFault, OverflowError, RecursionError):
        return "look-around, a back-reference or the like needs backtracking"
    if _nested(parsed, False):
        return "a repetition without end stands in another one"
    return None


def _nested(items: Iterable[tuple[Any, Any]], endless: bool) -> bool:
    for code, value in items:
        inside = endless
        if code in _REPEATS:
            inside = endless or value[1] is op.MAXREPEAT
            if endless and value[1] is op.MAXREPEAT:
                return True
        if any(_nested(part, inside) for part in _parts(code, value)):
            return True
    return False


def _parts(code: Any, value: Any) -> list[Any]:
    """The regexes that one element of a parsed regex consists of."""
    if code is op.BRANCH:
        return list(value[1])
    if code is op.SUBPATTERN:
        return [value[3]]
    return [value[2]] if code in _REPEATS else []
