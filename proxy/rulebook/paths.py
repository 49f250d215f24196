"""Paths as people write them -> one question: is this leaf's path among them?

    $.id   $.items[].id   $.items[0].id   $["odd key"]   $..trace_id (at any depth)   $.meta.* (one step)

Each means exactly the values that stand there, not what is below them, and never the names of keys. The paths of
leaves are those of proxy/codecs/scan.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from json import JSONDecodeError, dumps, loads

REMEMBERED = 4096
"""Paths. They may hold keys that are personal themselves: they stay in memory, and not for long."""

Paths = Callable[[str], bool]
_STEP = re.compile(r'(\.\.?)(\*|[^.\[\]"*\s~]+)|\[([0-9]*)\]|(\["(?:[^"\\]|\\.)*"\])')
_PLAIN = re.compile(r"[\w$@-]+").fullmatch
_ANY = r'(?:\.[^.\["~]+|\["(?:[^"\\]|\\.)*"\]|\[[0-9]+\])'
_INSIDE = rf"(?:{_ANY})*"


def spelt(path: str) -> str:
    """A regex for the leaves at `path`. Raises ValueError, whose text says what is wrong."""
    if not path.startswith("$"):
        raise ValueError("a path begins with $")
    out, at = [r"\$"], 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(f"this is no path from character {at + 1} on")
        dots, name, index, odd = step.groups()
        out.append(_INSIDE * (dots == ".."))
        if name == "*":
            out.append(_ANY)
        elif index is not None:
            out.append(rf"\[{index or '[0-9]+'}\]")
        else:
            out.append(_key(name if name is not None else _loaded(odd)))
        at = step.end()
    return "".join(out)


def nearly(text: str) -> str:
    """The path that was probably meant by one that is none; an empty text if nothing is like it."""
    stripped = re.sub(r"\s*([.\[\]])\s*", r"\1", text.strip()).rstrip(".")
    stripped = stripped.replace("[*]", "[]").replace("['", '["').replace("']", '"]').replace("**", "")
    stripped = re.sub(r"^\$?\.?(?=[^$.\[])", "$.", stripped.replace("/", ".")) or "$"
    try:
        spelt(stripped)
    except ValueError:
        return ""
    return stripped if stripped != "$" else ""


def _loaded(odd: str) -> str:
    try:
        (name,) = loads(odd)
    except JSONDecodeError:
        raise ValueError("what stands in quotes is written as in JSON") from None
    return str(name)


def _key(name: str) -> str:
    return re.escape(f".{name}" if _PLAIN(name) else f"[{dumps(name)}]")


def among(paths: Iterable[str]) -> Paths | None:
    """Whether a path is one of `paths`; None if there are none. Raises ValueError."""
    spellings = sorted({spelt(path) for path in paths})
    if not spellings:
        return None
    matches = re.compile("|".join(spellings)).fullmatch
    return lru_cache(REMEMBERED)(lambda path: matches(path) is not None)
