"""Why a message becomes what it becomes: every candidate in it, what spoke for it and what against.

Values only. What is told here holds the message itself: it is for the terminal of whoever typed it, and for
nothing else. How it looks is in proxy/explain_show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from proxy.codecs import choose
from proxy.core.action import CLOSES, Cause, Refusal, Send
from proxy.core.finding import Finding, clusters, strength
from proxy.core.lane import Batch, Lane
from proxy.core.message import Close, Direction, Kind, Leaf
from proxy.core.operators import CLOSE, KEEP
from proxy.core.policy import Policy, Rule
from proxy.core.session import Session
from proxy.detect.deadline import Deadline
from proxy.detect.encoded import Decoded
from proxy.detect.engine import Engine
from proxy.detect.normal import Normal
from proxy.detect.readings import readings

WEAKEST = 0.01
"""Scores below are no candidates at all."""


class Verdict(Enum):
    """What became of a candidate."""

    REWRITTEN = "rewritten"
    CLOSES = "closes"  # the whole connection, so nothing is sent
    JOINED = "joined"  # goes with a stronger one that it overlaps
    KEPT = "kept"  # a rule says so
    LEFT = "left"  # nobody touches it; the reasons say why


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a hidden value could be read: `how`, and the text as it was read there."""

    how: str
    text: str


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

    @property
    def acted(self) -> bool:
        """Whether the message is not what it was because of this."""
        return self.verdict in (Verdict.REWRITTEN, Verdict.CLOSES, Verdict.JOINED)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One message under one policy. `becomes` is what is sent on; None: nothing, `cause` and `close` say why."""

    policy: Policy
    direction: Direction
    codec: str
    leaves: int
    candidates: tuple[Candidate, ...]
    message: str
    becomes: str | None
    cause: Cause | None = None
    close: Close | None = None  # what the sender gets

    @property
    def found(self) -> list[Candidate]:
        """What changed the message."""
        return [one for one in self.candidates if one.acted]

    @property
    def spared(self) -> list[Candidate]:
        """What did not."""
        return [one for one in self.candidates if not one.acted]


def explain(payload: bytes, policy: Policy, direction: Direction, engine: Engine) -> Explanation:
    """What `policy` makes of the text message `payload`. Raises TimeoutError when over the engine's budget."""
    message = payload.decode(errors="replace")
    codec = choose(Kind.TEXT, payload)
    wanted = policy.wanted(direction)
    try:
        leaves = codec.read(payload)
    except UnicodeDecodeError:
        close = CLOSES[Cause.BAD_UTF8][0]
        return Explanation(policy, direction, codec.name, 0, (), message, None, Cause.BAD_UTF8, close)
    reported = engine.find(leaves, wanted, policy.threshold) if wanted else [() for _ in leaves]
    candidates = tuple(
        one
        for leaf, found, every in zip(leaves, reported, _everything(leaves, engine), strict=True)
        for one in _of_leaf(leaf, found, every, policy, direction, engine)
    )
    so_far = Explanation(policy, direction, codec.name, len(leaves), candidates, message, message)
    if not wanted:
        return so_far
    lane = Lane(direction, policy, engine, choose)
    try:
        actions = lane.settle(Batch(Session(0), Kind.TEXT, payload, codec, leaves), reported)
    except Refusal as refusal:
        return replace(so_far, becomes=None, cause=refusal.cause, close=refusal.closes[0])
    (sent,) = (action.payload for action in actions if isinstance(action, Send))
    return replace(so_far, becomes=sent.decode())


def _everything(leaves: Sequence[Leaf], engine: Engine) -> Iterator[list[Finding]]:
    """For each leaf whatever anybody takes for personal, however unsure, whether or not a rule asks for it."""
    for leaf, found in zip(
        leaves, engine.search([leaf.text for leaf in leaves], engine.entities, WEAKEST), strict=True
    ):
        yield [*found, *(engine.keys.find(leaf) if leaf.path and leaf.text else ())]


def _of_leaf(
    leaf: Leaf,
    reported: Sequence[Finding],
    every: Sequence[Finding],
    policy: Policy,
    direction: Direction,
    engine: Engine,
) -> Iterator[Candidate]:
    winners = {one: max(group, key=strength) for group in clusters(reported) for one in group}
    for one in sorted({*reported, *every}, key=lambda f: (f.start, -f.end, -f.score, f.entity)):
        rule, winner = policy.decide(one.entity, direction).rule, winners.get(one)
        if winner is None:
            verdict, reasons = _why_not(one, leaf, rule, reported, policy.threshold)
        elif rule is not None and rule.operator == CLOSE:
            verdict, reasons = Verdict.CLOSES, ()
        elif winner is one or winner == one:
            verdict, reasons = Verdict.REWRITTEN, ()
        else:
            verdict, reasons = Verdict.JOINED, (f"overlapped by a stronger {_called(winner)}",)
        key = _key(leaf.path, one.entity, engine) if one.recognizer == engine.keys.name else None
        text = leaf.text[one.start : one.end]
        seen = None if key is not None else _seen(engine, leaf.text, one)
        yield Candidate(leaf.path, text, one, verdict, reasons, rule, key, seen)


def _why_not(
    one: Finding, leaf: Leaf, rule: Rule | None, reported: Sequence[Finding], threshold: float
) -> tuple[Verdict, tuple[str, ...]]:
    """Every reason that alone is enough to leave `one`, which was not reported, as it is."""
    reasons = []
    if one.score < threshold:
        reasons.append(f"score {one.score:.2f} is below the threshold {threshold:.2f}")
    if rule is None:
        reasons.append(f"no rule wants {one.entity} in this direction")
    elif rule.operator == KEEP:
        reasons.append(f"rule '{rule.id}' says keep")
    if leaf.number and one.recognizer != "keys":
        reasons.append("a bare JSON number counts only under a key that says what it is")
    over = [other for other in reported if other.start < one.end and one.start < other.end]
    if over:
        strongest = max(over, key=strength)
        word = "overlapped by a stronger" if strength(strongest) > strength(one) else "overlaps"
        reasons.append(f"{word} {_called(strongest)}")
    kept = len(reasons) == 1 and rule is not None and rule.operator == KEEP
    return (Verdict.KEPT if kept else Verdict.LEFT), tuple(reasons)


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
