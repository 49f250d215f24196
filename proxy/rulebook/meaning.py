"""What is wrong with rules that fit the schema: names that mean nothing or too much, and work for nobody.

Names are checked on the raw values of the files, so that they are told together with what breaks the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.core.policy import Policy, Rule
from proxy.rulebook.document import Document
from proxy.rulebook.faults import Fault, quoted, unknown
from proxy.rulebook.merge import Merged
from proxy.rulebook.schema import ANY
from proxy.rulebook.structure import subprotocols
from proxy.rulebook.supply import Supplied


def twice(document: Document) -> Iterator[Fault]:
    """Rules of one file that share an id."""
    seen: set[str] = set()
    for i, rule in enumerate(_list(document.data, "rules")):
        name = rule.get("id") if isinstance(rule, dict) else None
        if isinstance(name, str):
            if name in seen:
                yield document.fault(("rules", i, "id"), "E030", f"the id {quoted(name)} is taken by a rule above")
            seen.add(name)


def unheard(document: Document, known: frozenset[str]) -> Iterator[Fault]:
    """Entities that nobody finds; `known` are the others."""
    for kind in ("rules", "allow"):
        for i, one in enumerate(_list(document.data, kind)):
            for j, name in enumerate(_list(one, "entities")):
                if isinstance(name, str) and name and name != ANY and name not in known:
                    yield document.fault((kind, i, "entities", j), "E016", *unknown("entity", name, known))
    keys = document.data.get("keys") if isinstance(document.data, dict) else None
    for name in keys if isinstance(keys, dict) else ():
        if name not in known:
            yield document.fault(("keys", name), "E016", *unknown("entity", name, known), at_key=True)


def unspoken(document: Document) -> Iterator[Fault]:
    """Subprotocols whose fields nobody has listed."""
    structure = document.data.get("structure") if isinstance(document.data, dict) else None
    known = subprotocols()
    for i, name in enumerate(_list(structure, "subprotocols")):
        if isinstance(name, str) and name not in known:
            yield document.fault(("structure", "subprotocols", i), "E018", *unknown("subprotocol", name, known))


def idle(merged: Merged, supplied: Supplied, found: frozenset[str]) -> Iterator[Fault]:
    """Entities of the files that nothing finds (`found` are those that the recognizers do), and whatever the main
    file brings along without a rule that says what happens to it."""
    named = {entity for piece in merged.rules for entity in piece.written.entities}
    for name, piece in merged.entities.items():
        if supplied.whole and name not in found and name not in merged.keys:
            cure = "write patterns, a deny_list, presidio, or keys for it"
            yield piece.fault("E025", f"nothing says how {name} is to be found", cure, at_key=True)
    if ANY in named:
        return
    main = merged.members[0]
    yield from supplied.unused(main, named)
    for name, keyed in merged.keys.items():
        if keyed.member is main and name not in named:
            yield keyed.fault("E035", f"no rule is about {name}", at_key=True)


def outdone(merged: Merged, policy: Policy) -> Iterator[Fault]:
    """Rules of the main file that never decide, because one before them does, and entities that they name in vain.

    That an inherited rule is overruled is what one's own rules are for.
    """
    for i, (piece, rule) in enumerate(zip(merged.rules, policy.rules, strict=True)):
        if piece.member is not merged.members[0]:
            continue
        before = [other for other in policy.rules[:i] if not other.shadow]
        winners = {entity: _winner(entity, rule, before) for entity in rule.entities or policy.entities}
        cure = "move it up, or take it out"
        if all(winners.values()):
            names = " and ".join(f"'{name}'" for name in sorted({name for name in winners.values() if name}))
            sentence = f"rule '{rule.id}' never decides: {names} before it always will"
            yield piece.fault("W002", sentence, cure, at=("id",))
            continue
        for j, entity in enumerate(piece.written.entities):
            if winner := winners.get(entity):
                sentence = f"rule '{rule.id}' never decides about {entity}: '{winner}' before it always will"
                yield piece.fault("W002", sentence, "take it out here", at=("entities", j))


def _winner(entity: str, rule: Rule, before: Iterable[Rule]) -> str | None:
    """The first of those `before` that take `entity` from `rule`, in every direction it is for."""
    takers = [other for other in before if other.entities is None or entity in other.entities]
    taken = {way: other.id for other in reversed(takers) for way in other.directions}
    return taken[min(rule.directions)] if rule.directions <= taken.keys() else None


def _list(value: object, key: str) -> list[object]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, list) else []
