"""Rules as written -> Policy as run. Everything that could fail later fails here, all of it at once.

Files are read in proxy/rulebook/family.py and merged in merge.py, recognizers made in supply.py, and what the
files say about themselves is proven in proof.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Generic

from proxy.core.message import Direction
from proxy.core.policy import Policy, Rule
from proxy.pseudonyms.tokens import Vaults, restorers
from proxy.rulebook.family import Member
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.files import Files, Unreadable
from proxy.rulebook.ground import D, Ground
from proxy.rulebook.meaning import idle, twice, unheard, unspoken
from proxy.rulebook.merge import Merged, merge
from proxy.rulebook.paths import among
from proxy.rulebook.proof import unproven
from proxy.rulebook.schema import ANY, ExceptText, RuleText, moment
from proxy.rulebook.spare import Values, spare
from proxy.rulebook.structure import fields_of
from proxy.rulebook.supply import FILE_CURE, partly, supply, values_of
from proxy.rulebook.verbs import Bench, Verb, verb

NO_KEYS: Mapping[str, Sequence[str]] = MappingProxyType({})
Allowed = dict[str, tuple[Values, ...]]


@dataclass(frozen=True)
class Compiled(Generic[D]):
    """A policy, the detector for it, and what is worth saying about it."""

    policy: Policy
    detector: D
    remarks: tuple[Fault, ...]


def compile_rules(
    name: str, members: Sequence[Member], faults: Sequence[Fault], files: Files, ground: Ground[D]
) -> Compiled[D]:
    """The policy that `members` describe, the main file first. `faults` were found when they were read.

    It is called `name` unless the main file says otherwise. Raises RulesError.
    """
    fitting = all(member.rules is not None for member in members)
    merged, disputes = merge(members, shadow=ground.shadow) if fitting else (partly(members), [])
    allowed, unread = _allowed(merged, files)
    supplied = supply(merged, files)
    told = {(fault.source, fault.line, fault.column) for fault in faults}
    verbs, keyless = _verbs(merged, ground)
    every = [*faults, *disputes, *unread, *keyless]
    # what breaks the schema is told already, and in better words
    every += [fault for fault in supplied.faults if (fault.source, fault.line, fault.column) not in told]
    for member in members:
        every += [*twice(member.document), *unspoken(member.document)]
    fields = among(fields_of([] if every else [piece.written for piece in merged.subprotocols]))
    assert fields is not None  # some hold everywhere
    plain = ground.engine(supplied.recognizers, NO_KEYS, fields)
    strange: list[Fault] = []
    if supplied.whole:  # with a recognizer missing, every entity of it would be a fault too
        known = plain.entities | merged.entities.keys()
        strange = [fault for member in members for fault in unheard(member.document, known)]
    if fitting and not strange:  # who is meant by a strange name is not idle
        every += idle(merged, supplied, plain.entities)
    every += strange
    if every:
        raise RulesError(every)
    keys = {entity: tuple(piece.written) for entity, piece in merged.keys.items()}
    detector = ground.engine(supplied.recognizers, keys, fields) if keys else plain
    # what examples say is nobody's, and a vault may be away; and a rehearsal is proven as if it were none
    rehearsed = replace(merged, shadows=frozenset())
    aside, _ = _verbs(merged, replace(ground, vaults=Vaults.in_memory()))
    proven = _policy(rehearsed, name, detector.entities, allowed, files, ground.now, aside)
    if wrong := [*unproven(rehearsed, proven, detector)]:
        raise RulesError(wrong)
    policy = _policy(merged, name, detector.entities, allowed, files, ground.now, verbs)
    return Compiled(policy, detector, tuple(_ended(merged, ground.now)))


def _policy(
    merged: Merged,
    name: str,
    known: frozenset[str],
    allowed: Allowed,
    files: Files,
    now: float,
    verbs: Mapping[str, Verb],
) -> Policy:
    named = {entity for piece in merged.rules for entity in piece.written.entities}
    entities = known if ANY in named else frozenset(named)
    ends = [_end(one) for piece in merged.rules for one in piece.written.except_]
    rules = [_rule(piece.written, verbs[piece.written.id], merged, allowed, now) for piece in merged.rules]
    tokens = [(made, rule.directions) for rule in rules if (made := verbs[rule.id].tokens) and not rule.shadow]
    return Policy(
        merged.name or name,
        _digest(merged, entities, files, now),
        merged.threshold,
        entities,
        tuple(rules),
        ignores=among(piece.written for piece in merged.ignore),
        restores=restorers(tokens),
        expires=min((end for end in ends if end is not None and end > now), default=None),
    )


def _verbs(merged: Merged, ground: Ground[D]) -> tuple[dict[str, Verb], list[Fault]]:
    """By the id of a rule, what its action is made of; and keys that are not there."""
    made: dict[str, Verb] = {}
    faults = []
    for piece in merged.rules:
        bench = Bench(ground.ring, piece.member.path.parent, ground.vaults)
        try:
            made[piece.written.id] = verb(piece.written.action, piece.written.id, bench)
        except ValueError as error:
            sentence, _, cure = str(error).partition("; ")
            faults.append(piece.fault("E043", sentence, cure, at=("action", piece.written.action.operator, "key")))
    return made, faults


def _rule(written: RuleText, made: Verb, merged: Merged, allowed: Allowed, now: float) -> Rule:
    return Rule(
        written.id,
        None if ANY in written.entities else frozenset(written.entities),
        frozenset(d for d in Direction if written.direction in (d.label, "both")),
        written.action.operator,
        made.rewrite,
        made.number,
        MappingProxyType(written.action.params.model_dump(by_alias=True, exclude_none=True)),
        shadow=merged.shadow(written),
        spares=spare((Values(one.values) for one in _live(written, now)), allowed),
        slow=made.tokens is not None and made.tokens.slow,
    )


def _allowed(merged: Merged, files: Files) -> tuple[Allowed, list[Fault]]:
    """What is nobody's, by entity; and lists that cannot be read."""
    found: Allowed = {}
    faults = []
    for piece in merged.allow:
        try:
            values = Values(values_of(piece.written, piece.member, files))
        except Unreadable as error:
            faults.append(piece.fault("E023", str(error), FILE_CURE, at=("file",)))
            continue
        for entity in piece.written.entities:
            found[entity] = (*found.get(entity, ()), values)
    return found, faults


# -- exceptions end -----------------------------------------------------------------------------------------


def _end(written: ExceptText) -> float | None:
    return None if written.expires is None else moment(written.expires)


def _live(written: RuleText, now: float) -> list[ExceptText]:
    """The exceptions of a rule that have not ended."""
    return [one for one in written.except_ if (end := _end(one)) is None or end > now]


def _ended(merged: Merged, now: float) -> Iterator[Fault]:
    """What is worth saying about those that have."""
    for piece in merged.rules:
        live = _live(piece.written, now)
        for i, one in enumerate(piece.written.except_):
            if one not in live:
                sentence = f"this exception ended {one.expires}, so it changes nothing"
                yield piece.fault("W001", sentence, "take it out", at=("except", i, "expires"))


# -- what a policy is called --------------------------------------------------------------------------------


def _digest(merged: Merged, entities: frozenset[str], files: Files, now: float) -> str:
    """A name for what the rules mean. Layout, comments and what they are called do not count; what "*" meant on
    that day does, and so does whatever stands in files of lists and recognizers."""
    rules = [piece.written for piece in merged.rules]
    own = {member.path for member in merged.members}
    written = {
        "threshold": merged.threshold,
        "entities": sorted(entities),
        "rules": [rule.model_dump(mode="json", by_alias=True, exclude={"except_", "mode"}) for rule in rules],
        "shadow": [merged.shadow(rule) for rule in rules],
        "except": [[one.model_dump(mode="json") for one in _live(rule, now)] for rule in rules],
        "definitions": {name: piece.written.model_dump(mode="json") for name, piece in merged.entities.items()},
        "keys": {name: piece.written for name, piece in merged.keys.items()},
        "countries": [piece.written for piece in merged.countries],
        "recognizers": [piece.written.model_dump(mode="json") for piece in merged.recognizers],
        "ignore": [piece.written for piece in merged.ignore],
        "fields": sorted(fields_of([piece.written for piece in merged.subprotocols])),
        "allow": [piece.written.model_dump(mode="json") for piece in merged.allow],
        "tests": [piece.written.model_dump(mode="json") for piece in merged.tests],
        "files": [file.sha256 for file in files.read if file.path not in own],
    }
    digest = sha256()
    # In pieces: `json.dumps` would hold up every other thread for 16 ms with 500 rules.
    for piece in json.JSONEncoder(sort_keys=True, separators=(",", ":")).iterencode(written):
        digest.update(piece.encode())
    return digest.hexdigest()
