"""The words in which tests of lanes are written, so that a test reads like the conversation it is about.

    Script(EMAILS).client("mail bob@example.com").noted("EMAIL_ADDRESS", rule="emails")
        .upstream_gets("mail <EMAIL_ADDRESS>").over()

Detection is a small table of patterns: what is found is plain to see, and Presidio is not loaded. The words for
whole connections (frames, FIN, RST) are in tests/wire/wiring.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Self

from proxy.codecs import choose
from proxy.core.action import Action, Cause, CloseSide, Drop, Note, Send
from proxy.core.finding import Finding
from proxy.core.lane import Lane, refusal_of
from proxy.core.live import Live
from proxy.core.message import Direction, Kind, Leaf, Side
from proxy.core.operators import mask, redact, replace
from proxy.core.plugs import Choose, Detector, Findings, Rewrite
from proxy.core.policy import Policy, Rule
from proxy.core.session import Session

UP, DOWN = Direction.CLIENT_TO_UPSTREAM, Direction.UPSTREAM_TO_CLIENT
BOTH = frozenset(Direction)

PATTERNS: Mapping[str, tuple[str, float]] = {
    "EMAIL_ADDRESS": (r"\b[a-z]+@[a-z]+\.[a-z]+", 1.0),
    "PHONE_NUMBER": (r"\+\d{6,}", 0.8),
    "PERSON": (r"\b(?:Alice|Bob|Zoë)\b", 0.6),
    "BADGE": (r"\bB-\d\d\b", 0.4),  # below the threshold of `policy`
}


class InDoubt:
    """The gate of a detector that cannot tell anything from the bytes alone."""

    def heavy(self, entities: frozenset[str]) -> bool:
        return False

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        return False

    def near(self, payload: bytes, entities: frozenset[str], threshold: float) -> Sequence[int] | None:
        return None


class Table(InDoubt):
    """A detector that looks up `PATTERNS`, all of them: what was not asked for is the lane's to leave alone."""

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        return [list(look_up(leaf.text)) for leaf in leaves]


def look_up(text: str) -> Iterable[Finding]:
    for entity, (pattern, score) in PATTERNS.items():
        for match in re.finditer(pattern, text):
            yield Finding(entity, *match.span(), score, "table")


class Given(InDoubt):
    """A detector that says what it was told to: the findings of each leaf."""

    def __init__(self, *findings: Sequence[Finding]) -> None:
        self.findings = findings

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        return self.findings


class Broken(InDoubt):
    """A detector that raises `error`, at leaves with `word` in them only (or at all of them)."""

    def __init__(self, error: BaseException, word: str = "") -> None:
        self.error = error
        self.word = word

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        if any(self.word in leaf.text for leaf in leaves):
            raise self.error
        return Table().find(leaves, entities, threshold)


def rule(
    name: str,
    *entities: str,
    operator: str = "replace",
    directions: Iterable[Direction] = BOTH,
    params: Mapping[str, object] | None = None,
    shadow: bool = False,
    spares: Callable[[str, str], bool] | None = None,
) -> Rule:
    """A rule as run; without `entities` it is about any."""
    made: Mapping[str, Callable[..., Rewrite]] = {"replace": replace, "mask": mask, "redact": redact}
    given = params or {}
    named = {{"with": "text"}.get(name, name): value for name, value in given.items()}
    rewrite = made[operator](**named) if operator in made else None
    about = frozenset(entities) or None
    return Rule(name, about, frozenset(directions), operator, rewrite, params=given, shadow=shadow, spares=spares)


def policy(*rules: Rule, threshold: float = 0.5, digest: str = "d1") -> Policy:
    """A policy that asks for every entity of the table."""
    return Policy("test", digest, threshold, frozenset(PATTERNS), rules)


EMAILS = rule("emails", "EMAIL_ADDRESS")
PHONES = rule("phones", "PHONE_NUMBER", operator="mask", params={"keep_last": 2})
PEOPLE = rule("people", "PERSON")


SESSION = Session(1)


def lane(*rules: Rule, detector: Detector | None = None, choose: Choose = choose, way: Direction = UP) -> Lane:
    """One direction under `rules`."""
    return Lane(way, policy(*rules), detector or Table(), choose)


class Script:
    """Two lanes under `rules`. What they want done waits here until the test has named it."""

    def __init__(self, *rules: Rule, detector: Detector | None = None, choose: Choose = choose) -> None:
        self.detector = detector or Table()
        self.live = Live(policy(*rules), self.detector, choose)
        self.session = SESSION
        self.actions: list[Action] = []

    # -- what comes in ------------------------------------------------------------------------------------

    def client(self, payload: str | bytes) -> Self:
        """A text message from the client (bytes: a binary one)."""
        return self._comes(UP, payload)

    def upstream(self, payload: str | bytes) -> Self:
        return self._comes(DOWN, payload)

    def _comes(self, direction: Direction, payload: str | bytes) -> Self:
        self.over()
        kind = Kind.TEXT if isinstance(payload, str) else Kind.BINARY
        lane, raw = self.live.lanes[direction], payload.encode() if isinstance(payload, str) else payload
        try:
            self.actions = lane.work(kind, raw, self.session)
        except Exception as error:
            self.actions = lane.refuse(refusal_of(error))
        return self

    def reload(self, *rules: Rule) -> Self:
        """New rules come into force."""
        self.live.swap(policy(*rules, digest="d2"), self.detector)
        return self

    # -- what must have become of it, in this order -------------------------------------------------------

    def upstream_gets(self, payload: str | bytes) -> Self:
        return self._gets(payload)

    def client_gets(self, payload: str | bytes) -> Self:
        return self._gets(payload)

    def _gets(self, payload: str | bytes) -> Self:
        action = self._next()
        raw = payload.encode() if isinstance(payload, str) else payload
        assert action == Send(Kind.TEXT if isinstance(payload, str) else Kind.BINARY, raw)
        return self

    def noted(
        self, *entities: str, rule: str | None = None, verdict: str = "rewritten", mode: str | None = None
    ) -> Self:
        """A note of findings of `entities`, from left to right; `rule` dealt with all of them."""
        action = self._next()
        assert isinstance(action, Note)
        assert (action.verdict, tuple(done.entity for done in action.findings)) == (verdict, entities)
        assert rule is None or {done.rule for done in action.findings} == {rule}
        assert mode is None or {done.mode for done in action.findings} == {mode}
        assert action.digest == self.live.policy.digest
        return self

    def dropped(self) -> Self:
        """Nothing is sent, and nothing is closed."""
        assert self._next() == Drop()
        return self

    def refused(self, cause: Cause, *found: str) -> Self:
        """A note that says why, with these findings (`ENTITY operator`)."""
        action = self._next()
        assert isinstance(action, Note)
        assert (action.verdict, action.cause) == ("refused", cause)
        assert [f"{done.entity} {done.operator}" for done in action.findings] == list(found)
        return self

    def closed(self, client: int, upstream: int) -> Self:
        """CLOSE to both sides, with these codes."""
        codes = {}
        for action in (self._next(), self._next()):
            assert isinstance(action, CloseSide)
            codes[action.side] = action.close.code
        assert codes == {Side.CLIENT: client, Side.UPSTREAM: upstream}
        return self

    def over(self) -> None:
        """Nothing else was wanted."""
        assert self.actions == [], "the test does not mention all that was done"

    def _next(self) -> Action:
        assert self.actions, "nothing (more) was done"
        return self.actions.pop(0)
