"""Rules as run: compiled, frozen, with a digest. proxy/rulebook makes them from rules as written.

The order of the rules is the only precedence: the first one that matches a finding decides. A rule in shadow mode
is passed over, so that it can never change what another one does; what it would have done is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from proxy.core import operators
from proxy.core.message import Direction
from proxy.core.operators import KEEP, REPLACE, zero
from proxy.core.plugs import Restore, Rewrite

Params = Mapping[str, object]
NO_PARAMS: Params = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to findings of `entities` (None: of any) in `directions`.

    `rewrite` makes the new text of a found one, `number` that of a bare JSON number, which must be one again; both
    come with their parameters bound. `rewrite` is None for the operators that are no rewrites: keep, drop, close.
    `params` are for those, and for people. `spares` says of a value and its entity whether it passes all the same,
    by an exception or an allow list.
    """

    id: str
    entities: frozenset[str] | None
    directions: frozenset[Direction]
    operator: str
    rewrite: Rewrite | None = None
    number: Rewrite = zero
    params: Params = field(default_factory=lambda: NO_PARAMS)  # 3.11 takes a plain one for mutable
    shadow: bool = False
    spares: Callable[[str, str], bool] | None = None
    slow: bool = False
    """Whether rewriting may wait for another machine, so that the event loop must not do it."""

    def matches(self, entity: str, direction: Direction) -> bool:
        """Whether this rule is about `entity` in `direction`."""
        return direction in self.directions and (self.entities is None or entity in self.entities)

    def prompt(self) -> Rule:
        """The same if nobody has to be waited for; else with the name of the entity for a value."""
        if not self.slow:
            return self
        return replace(self, operator=REPLACE, rewrite=operators.replace(), number=zero, slow=False)


class Decision(NamedTuple):
    """Who decides about an entity in one direction, and who would if it were not in shadow mode."""

    rule: Rule | None
    shadow: Rule | None


@dataclass(frozen=True, slots=True)
class Policy:
    """One whole set of rules. `entities` are those the detector is asked for, `digest` names the version."""

    name: str
    digest: str
    threshold: float
    entities: frozenset[str]
    rules: tuple[Rule, ...]
    ignores: Callable[[str], bool] | None = None
    """Paths of leaves that nobody looks at: the structure of a protocol."""
    restores: tuple[Restore | None, Restore | None] = (None, None)
    """By Direction: what finds the tokens that turn into their values again."""
    expires: float | None = None
    """Unix time at which an exception ends, so that these rules have to be made anew."""

    def decide(self, entity: str, direction: Direction) -> Decision:
        """The first rule that matches and is in force, if any, and the first before it that is in shadow mode."""
        shadow: Rule | None = None
        for rule in self.rules:
            if rule.matches(entity, direction):
                if not rule.shadow:
                    return Decision(rule, shadow)
                shadow = shadow or rule
        return Decision(None, shadow)

    def plan(self, direction: Direction) -> dict[str, Decision]:
        """What `decide` says about each of `entities`, in one pass: of 500 rules and entities in 1 ms, not 60."""
        decided: dict[str, Decision] = {}
        shadows: dict[str, Rule] = {}
        left = set(self.entities)
        for rule in self.rules:
            if direction not in rule.directions:
                continue
            about = list(left if rule.entities is None else left & rule.entities)
            if rule.shadow:
                shadows |= {entity: rule for entity in about if entity not in shadows}
            else:
                decided |= {entity: Decision(rule, shadows.get(entity)) for entity in about}
                left.difference_update(about)
        return decided | {entity: Decision(None, shadows.get(entity)) for entity in left}

    def wanted(self, direction: Direction) -> frozenset[str]:
        """Entities that some rule would change in `direction`; empty means that nobody needs to look."""
        plan = self.plan(direction).items()
        return frozenset(
            entity
            for entity, deciding in plan
            if any(rule is not None and rule.operator != KEEP for rule in deciding)
        )

    def prompt(self) -> Policy:
        """The same without what may wait for another machine."""
        up, down = (None if one is None or one.slow else one for one in self.restores)
        return replace(self, rules=tuple(rule.prompt() for rule in self.rules), restores=(up, down))
