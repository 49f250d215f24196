"""What two sets of rules say differently: by what it means, not by how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from proxy.rulebook.closed import Closed
from proxy.rulebook.merge import Merged, Piece
from proxy.rulebook.schema import RuleText

NAMED = ("entities", "keys")
LISTED = ("countries", "recognizers", "ignore", "subprotocols", "allow", "tests")
WORDLESS = {"description", "id"}
ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"


class Change(NamedTuple):
    """One difference: `what` it is about (`rule emails`), `how`, and the `key` in it that has changed.

    `before` and `after` are plain values, as they are written.
    """

    what: str
    how: str
    key: str = ""
    before: Any = None
    after: Any = None

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return dict(self._asdict())


def differences(old: Merged, new: Merged) -> Iterator[Change]:
    """From the whole to the parts: the threshold, rules in their order, names, lists."""
    if old.threshold != new.threshold:
        yield Change("threshold", CHANGED, "", old.threshold, new.threshold)
    yield from _rules(old, new)
    for key in NAMED:
        yield from _named(key, getattr(old, key), getattr(new, key))
    for key in LISTED:
        yield from _listed(key, getattr(old, key), getattr(new, key))


def _rules(old: Merged, new: Merged) -> Iterator[Change]:
    before, after = _by_id(old), _by_id(new)
    for name, rule in after.items():
        if name not in before:
            yield Change(f"rule {name}", ADDED, "", None, rule)
        else:
            yield from _fields(f"rule {name}", before[name], rule)
    for name, rule in before.items():
        if name not in after:
            yield Change(f"rule {name}", REMOVED, "", rule, None)
    kept, now = [name for name in before if name in after], [name for name in after if name in before]
    for name in _moved(kept, now):
        yield Change(f"rule {name}", MOVED, "", _behind(kept, name), _behind(now, name))


def _by_id(merged: Merged) -> dict[str, dict[str, Any]]:
    return {piece.written.id: _rule(merged, piece.written) for piece in merged.rules}


def _rule(merged: Merged, rule: RuleText) -> dict[str, Any]:
    """As it is in force: a file can put all its rules in shadow mode."""
    mode = "shadow" if merged.shadow(rule) else "enforce"
    return {**_plain(rule), "direction": rule.direction, "mode": mode}


def _moved(before: list[str], after: list[str]) -> list[str]:
    """Few that have to move to get from one order to the other."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    stay = {name for block in blocks for name in after[block.b : block.b + block.size]}
    return [name for name in after if name not in stay]


def _behind(order: list[str], name: str) -> str | None:
    """Which rule it stands behind; None: it is the first."""
    at = order.index(name)
    return order[at - 1] if at else None


def _fields(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key) and key not in WORDLESS:
            yield Change(what, CHANGED, key, before.get(key), after.get(key))


def _named(key: str, old: Mapping[str, Piece[Any]], new: Mapping[str, Piece[Any]]) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        what = f"{'entity' if key == 'entities' else key} {name}"
        before = _plain(old[name].written) if name in old else None
        after = _plain(new[name].written) if name in new else None
        if before is None or after is None:
            yield Change(what, ADDED if before is None else REMOVED, "", before, after)
        elif isinstance(before, dict):
            yield from _fields(what, before, after)
        elif before != after:
            yield Change(what, CHANGED, "", before, after)


def _listed(key: str, old: Iterable[Piece[Any]], new: Iterable[Piece[Any]]) -> Iterator[Change]:
    before, after = [_plain(piece.written) for piece in old], [_plain(piece.written) for piece in new]
    yield from (Change(key, ADDED, "", None, one) for one in after if one not in before)
    yield from (Change(key, REMOVED, "", one, None) for one in before if one not in after)


def _plain(written: Any) -> Any:
    """Values as they are written, without what is the default anyway."""
    if isinstance(written, Closed):
        return written.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return written
