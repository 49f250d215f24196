"""Regexes -> a Vectorscan database: called by database.py, or the whole work of a process that it starts.

Compiling some hundred regexes takes seconds, and leaves 30 MB that the allocator never gives back; in a process of
its own that ends with it. Such a process reads one job from stdin and writes what it made to stdout. It starts in
0.1 s because nothing else of Hushwire is imported here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import hyperscan


def compiled(regexes: Mapping[int, str], flags: int, anonymous: bool) -> tuple[hyperscan.Database, set[int]]:
    """A database of what the engine takes of `regexes`, and the numbers of these.

    The numbers are the ids; if `anonymous`, all have id 0.
    """
    try:
        return _compile(regexes, flags, anonymous), set(regexes)
    except hyperscan.error:
        good = {number: regex for number, regex in regexes.items() if _compiles(number, regex, flags)}
        return _compile(good, flags, anonymous), set(good)


def _compile(regexes: Mapping[int, str], flags: int, anonymous: bool = False) -> hyperscan.Database:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    ids = [0] * len(regexes) if anonymous else list(regexes)
    made.compile([regex.encode() for regex in regexes.values()], ids, len(regexes), [flags] * len(regexes))
    return made


def _compiles(number: int, regex: str, flags: int) -> bool:
    try:
        _compile({number: regex}, flags)
    except hyperscan.error:
        return False
    return True


def main() -> None:
    """One job: a JSON array of what `compiled` takes, regexes as pairs. Answered by a line of JSON, the numbers of
    the regexes that were taken, and behind it the serialized database."""
    with os.fdopen(0, "rb") as given:
        regexes, flags, anonymous = json.load(given)
    database, taken = compiled(dict(regexes), flags, anonymous)
    with os.fdopen(1, "wb") as answer:
        answer.write(json.dumps(sorted(taken)).encode() + b"\n" + hyperscan.dumpb(database))


if __name__ == "__main__":
    main()
