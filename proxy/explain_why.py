"""Every candidate of a message: who found it, which rules had a say, what became of it and why.

Values only, and they hold the message itself: they are for the terminal of whoever typed it. What becomes of the
whole message is in proxy/explain.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from proxy.core.finding import Finding, clusters, strength
from proxy.core.message import Direction, Leaf
from proxy.core.operators import CLOSE, DROP, KEEP
from proxy.core.plugs import Findings
from proxy.core.policy import Policy, Rule
from proxy.detect.deadline import Deadline
from proxy.detect.encoded import Decoded
from proxy.detect.engine import Engine
from proxy.detect.normal import Normal
from proxy.detect.readings import readings
from proxy.rulebook.spare import Spare

WEAKEST = 0.01
"""Scores below are no candidates at all."""


class Verdict(Enum):
    """What became of a candidate."""

    REWRITTEN = "rewritten"
    CLOSES = "closes"  # the whole connection, so nothing is sent
    DROPS = "drops"  # the whole message
    JOINED = "joined"  # goes with a stronger one that it overlaps
    KEPT = "kept"  # a rule says so
    EXEMPT = "exempt"  # a rule would, but an exception of it or an allow list lets this value pass
    LEFT = "left"  # nobody touches it; the reasons say why


CHANGING = frozenset({Verdict.REWRITTEN, Verdict.CLOSES, Verdict.DROPS, Verdict.JOINED})


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a hidden value could be read: `how`, and the text as it was read there."""

    how: str
    text: str


class Considered(NamedTuple):
    """A rule that is about an entity, and what came of that."""

    rule: Rule
    says: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be personal at `start:end` (characters) of the leaf at `path`."""

    path: str
    text: str
    finding: Finding
    verdict: Verdict
    reasons: tuple[str, ...]  # why it was not rewritten, or not by its own rule; empty if it was
    rule: Rule | None  # the one that decides about its entity in this direction
    key: str | None  # the key that spoke for it
    seen: Seen | None  # None: it stands there as it is
    rules: tuple[Considered, ...]  # all that are about its entity, in their order

    @property
    def acted(self) -> bool:
        """Whether the message is not what it was because of this."""
        return self.verdict in CHANGING


class Telling:
    """Tells candidates as `policy` treats them in one direction."""

    def __init__(self, policy: Policy, direction: Direction, engine: Engine) -> None:
        self.policy = policy
        self.direction = direction
        self.engine = engine

    def candidates(
        self, every: Sequence[Leaf], looked_at: Sequence[Leaf], reported: Findings
    ) -> Iterator[Candidate]:
        """Whatever anybody takes for personal, however unsure, whether or not a rule asks for it."""
        found = dict(zip(looked_at, reported, strict=True))
        guessed = self.engine.search([leaf.text for leaf in every], self.engine.entities, WEAKEST)
        for leaf, some in zip(every, guessed, strict=True):
            keyed = self.engine.keys.find(leaf) if leaf.path and leaf.text else ()
            yield from self._of_leaf(leaf, found.get(leaf), [*some, *keyed])

    def _of_leaf(
        self, leaf: Leaf, found: Sequence[Finding] | None, every: Sequence[Finding]
    ) -> Iterator[Candidate]:
        """`found` is None where nobody looked."""
        reported = found or ()
        acting = [one for one in reported if self._acts(one, leaf.text)]
        winners = {one: max(group, key=strength) for group in clusters(acting) for one in group}
        for one in sorted({*reported, *every}, key=lambda f: (f.start, -f.end, -f.score, f.entity)):
            rule = self.policy.decide(one.entity, self.direction).rule
            if one in winners and rule is not None:
                verdict, reasons = _fate(one, rule, winners[one])
            else:
                verdict, reasons = self._why_not(one, leaf, rule, acting, ignored=found is None)
            key = _key(leaf.path, one.entity, self.engine) if one.recognizer == self.engine.keys.name else None
            text = leaf.text[one.start : one.end]
            seen = None if key is not None else _seen(self.engine, leaf.text, one)
            rules = tuple(self._considered(one.entity))
            yield Candidate(leaf.path, text, one, verdict, reasons, rule, key, seen, rules)

    def _acts(self, one: Finding, text: str) -> bool:
        rule = self.policy.decide(one.entity, self.direction).rule
        return rule is not None and rule.operator != KEEP and _exempt(rule, one, text) is None

    def _considered(self, entity: str) -> Iterator[Considered]:
        """Which rule won, which lost, and why."""
        decider, noting = self.policy.decide(entity, self.direction)
        before = True
        for rule in self.policy.rules:
            if rule.entities is not None and entity not in rule.entities:
                continue
            if self.direction not in rule.directions:
                says = f"is not for {self.direction.label}"
            elif rule is decider:
                says, before = "decides", False
            elif rule is noting:
                says = f"is in shadow mode: only notes that it would {rule.operator}"
            elif before or decider is None:
                says = "is in shadow mode, and another one notes already"
            else:
                says = f"stands behind '{decider.id}'"
            yield Considered(rule, says)

    def _why_not(
        self, one: Finding, leaf: Leaf, rule: Rule | None, acting: Sequence[Finding], *, ignored: bool
    ) -> tuple[Verdict, tuple[str, ...]]:
        """Every reason that alone is enough to leave `one` as it is."""
        reasons = []
        if ignored:
            reasons.append("nobody looks at this path: structure says ignore")
        if one.score < self.policy.threshold:
            reasons.append(f"score {one.score:.2f} is below the threshold {self.policy.threshold:.2f}")
        exempt = None if rule is None else _exempt(rule, one, leaf.text)
        if rule is None:
            reasons.append(self._nobody(one.entity))
        elif rule.operator == KEEP:
            reasons.append(f"rule '{rule.id}' says keep")
        elif exempt is not None:
            reasons.append(exempt)
        if leaf.number and one.recognizer != "keys":
            reasons.append("a bare JSON number counts only under a key that says what it is")
        over = [other for other in acting if other.start < one.end and one.start < other.end]
        if over:
            strongest = max(over, key=strength)
            word = "overlapped by a stronger" if strength(strongest) > strength(one) else "overlaps"
            reasons.append(f"{word} {_called(strongest)}")
        if len(reasons) == 1 and rule is not None and exempt == reasons[0]:
            return Verdict.EXEMPT, tuple(reasons)
        kept = len(reasons) == 1 and rule is not None and rule.operator == KEEP
        return (Verdict.KEPT if kept else Verdict.LEFT), tuple(reasons)

    def _nobody(self, entity: str) -> str:
        shadow = self.policy.decide(entity, self.direction).shadow
        if shadow is None:
            return f"no rule wants {entity} in this direction"
        return f"rule '{shadow.id}' is in shadow mode: it would {shadow.operator}"


def _fate(one: Finding, rule: Rule, winner: Finding) -> tuple[Verdict, tuple[str, ...]]:
    """Of something that a rule acts on."""
    if rule.operator == CLOSE:
        return Verdict.CLOSES, ()
    if rule.operator == DROP:
        return Verdict.DROPS, ()
    if winner == one:
        return Verdict.REWRITTEN, ()
    return Verdict.JOINED, (f"overlapped by a stronger {_called(winner)}",)


def _exempt(rule: Rule, one: Finding, text: str) -> str | None:
    """Why the value passes all the same; None: it does not."""
    value = text[one.start : one.end]
    if rule.spares is None or not rule.spares(value, one.entity):
        return None
    reason = rule.spares.why(value, one.entity) if isinstance(rule.spares, Spare) else None
    return f"rule '{rule.id}' lets this value pass{f': {reason}' if reason else ''}"


def _called(one: Finding) -> str:
    return f"{one.entity} ({one.score:.2f}, {one.recognizer})"


_STEPS = re.compile(r'\.[^.\["]+|\["(?:[^"\\]|\\.)*"\]').findall


def _key(path: str, entity: str, engine: Engine) -> str:
    """The key that says `entity`: the last of `path`, and the one above it where that is needed to tell."""
    steps = _STEPS(path)
    alone = engine.keys.says(f"${''.join(steps[-1:])}")
    return "".join(steps[-1:] if alone == entity else steps[-2:]).removeprefix(".")


def _seen(engine: Engine, text: str, one: Finding) -> Seen | None:
    """The reading in which `one` was found; None: it stands in `text` as it is."""
    deadline = Deadline(engine.budget)
    makers = [maker for maker in engine.recognizers if (maker.name, maker.entity) == (one.recognizer, one.entity)]
    for maker in makers:
        if one in maker.find(text, 0, len(text), one.score, deadline):
            return None
    for reading in readings(text) if makers else ():
        for maker in makers:
            for inner in maker.find(reading.text, 0, len(reading.text), one.score, deadline):
                start, end = reading.span(inner.start, inner.end)
                if inner._replace(start=start, end=end) == one:
                    how = {Decoded: "decoded", Normal: "folded"}.get(type(reading), "folded and decoded")
                    return Seen(how, reading.text[inner.start : inner.end])
    return None
