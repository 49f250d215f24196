"""What a change of rule files comes to, before it is made: which rules come, go, differ or change places.

Told by names only. What becomes of messages is another question: whoever has some can try them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proxy.rulebook.family import gather
from proxy.rulebook.faults import RulesError
from proxy.rulebook.files import Files
from proxy.rulebook.merge import Merged, merge

Contents = Mapping[Path, bytes]
ELSEWHERE = (
    "name",
    "threshold",
    "entities",
    "keys",
    "countries",
    "recognizers",
    "ignore",
    "subprotocols",
    "allow",
)


def changes(name_or_path: str, before: Contents, after: Contents) -> dict[str, list[str]]:
    """Ids of rules that are `added`, `removed`, `changed` or `moved`, and what `else` differs, by its key.

    `before` and `after` stand in for files, as in `build`. Raises RulesError.
    """
    old, new = _merged(name_or_path, before), _merged(name_or_path, after)
    was = {piece.written.id: (piece.written, old.shadow(piece.written)) for piece in old.rules}
    now = {piece.written.id: (piece.written, new.shadow(piece.written)) for piece in new.rules}
    both = [name for name in was if name in now]
    order = [name for name in now if name in was]
    return {
        "added": [name for name in now if name not in was],
        "removed": [name for name in was if name not in now],
        "changed": [name for name in order if was[name] != now[name]],
        "moved": [name for name, other in zip(order, both, strict=True) if name != other],
        "else": [key for key in ELSEWHERE if _said(old, key) != _said(new, key)],
    }


def _merged(name_or_path: str, contents: Contents) -> Merged:
    members, faults = gather(name_or_path, Files(contents))
    if not faults:
        merged, faults = merge(members)
    if faults:
        raise RulesError(faults)
    return merged


def _said(merged: Merged, key: str) -> object:
    """What the rules say under `key`, wherever it stands."""
    value = getattr(merged, key)
    if isinstance(value, dict):
        return {name: piece.written for name, piece in value.items()}
    return [piece.written for piece in value] if isinstance(value, list) else value
