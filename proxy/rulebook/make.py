"""Merged rules -> the policy as run: each rule with its rewrite, its keys, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proxy.core.message import Direction
from proxy.core.policy import Policy, Rule
from proxy.pseudonyms.tokens import restorers
from proxy.rulebook.digest import digest
from proxy.rulebook.expiry import live, next_end
from proxy.rulebook.faults import Fault
from proxy.rulebook.files import Files, Unreadable
from proxy.rulebook.ground import D, Ground
from proxy.rulebook.merge import Merged
from proxy.rulebook.paths import among
from proxy.rulebook.schema import ANY, EVERY_VALUE, RuleText, fits_all
from proxy.rulebook.spare import Values, spare
from proxy.rulebook.supply import FILE_CURE, values_of
from proxy.rulebook.verbs import Bench, Verb, verb


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes policies called `name`. `allowed` is what is nobody's, by entity; `files` are all that were read."""

    name: str
    allowed: Mapping[str, tuple[Values, ...]]
    files: Files
    now: float

    def policy(self, merged: Merged, known: frozenset[str], verbs: Mapping[str, Verb]) -> Policy:
        """The policy of `merged` for a detector of `known` entities; `verbs` are by the ids of rules."""
        named = {entity for piece in merged.rules for entity in piece.written.entities}
        entities = known if ANY in named else frozenset(named)
        rules = [self._rule(piece.written, verbs[piece.written.id], merged) for piece in merged.rules]
        tokens = [(made, rule.directions) for rule in rules if (made := verbs[rule.id].tokens) and not rule.shadow]
        return Policy(
            merged.name or self.name,
            digest(merged, entities, self.files, self.now),
            merged.threshold,
            entities,
            tuple(rules),
            ignores=among(piece.written for piece in merged.ignore),
            restores=restorers(tokens),
            expires=next_end(merged, self.now),
        )

    def _rule(self, written: RuleText, made: Verb, merged: Merged) -> Rule:
        return Rule(
            written.id,
            None if ANY in written.entities else frozenset(written.entities),
            frozenset(d for d in Direction if written.direction in (d.label, "both")),
            written.action.operator,
            made.rewrite,
            made.number,
            MappingProxyType(written.action.params.model_dump(by_alias=True, exclude_none=True)),
            shadow=merged.shadow(written),
            spares=spare((Values(one.values, one.reason) for _, one in live(written, self.now)), self.allowed),
            slow=made.tokens is not None and made.tokens.slow,
        )


def verbs_of(merged: Merged, ground: Ground[D]) -> tuple[dict[str, Verb], list[Fault]]:
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


def allowed_of(merged: Merged, files: Files) -> tuple[dict[str, tuple[Values, ...]], list[Fault]]:
    """What is nobody's, by entity; and lists that cannot be read, or would let everything pass."""
    found: dict[str, tuple[Values, ...]] = {}
    faults = []
    for piece in merged.allow:
        try:
            written = values_of(piece.written, piece.member, files)
        except Unreadable as error:
            faults.append(piece.fault("E023", str(error), FILE_CURE, at=("file",)))
            continue
        if any(map(fits_all, written)):
            faults.append(piece.fault(*EVERY_VALUE, at=("file",)))
        for entity in piece.written.entities:
            found[entity] = (*found.get(entity, ()), Values(written, piece.written.reason))
    return found, faults
