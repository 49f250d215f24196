"""Rules as run: compiled, frozen, with a digest. proxy/rulebook makes them from rules as written.

The order of the rules is the only precedence: the first one that matches a finding decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from proxy.core.message import Direction
from proxy.core.operators import KEEP

NO_PARAMS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to findings of `entities` (None: of any) in `directions`."""

    id: str
    entities: frozenset[str] | None
    directions: frozenset[Direction]
    operator: str
    params: Mapping[str, object] = field(default_factory=lambda: NO_PARAMS)  # 3.11 takes a plain one for mutable

    def matches(self, entity: str, direction: Direction) -> bool:
        """Whether this rule decides about `entity` in `direction`."""
        return direction in self.directions and (self.entities is None or entity in self.entities)


@dataclass(frozen=True, slots=True)
class Policy:
    """One whole set of rules. `entities` are those the detector is asked for, `digest` names the version."""

    name: str
    digest: str
    threshold: float
    entities: frozenset[str]
    rules: tuple[Rule, ...]

    def decide(self, entity: str, direction: Direction) -> Rule | None:
        """The first rule that matches, or None: the finding is left alone."""
        return next((rule for rule in self.rules if rule.matches(entity, direction)), None)

    def wanted(self, direction: Direction) -> frozenset[str]:
        """Entities that some rule would change in `direction`; empty means that nobody needs to look."""
        decided = ((entity, self.decide(entity, direction)) for entity in self.entities)
        return frozenset(entity for entity, rule in decided if rule is not None and rule.operator != KEEP)


class Live:
    """The one pointer to the policy in force, shared by every lane. Swapped whole, never edited."""

    __slots__ = ("policy", "wanted")

    def __init__(self, policy: Policy) -> None:
        self.swap(policy)

    def swap(self, policy: Policy) -> None:
        """Put `policy` in force for every message offered from now on."""
        self.policy = policy
        # worked out once per policy: the wire asks per message whether anybody needs to look at all
        self.wanted = tuple(policy.wanted(direction) for direction in Direction)
