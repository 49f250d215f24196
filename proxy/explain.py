"""Why a message becomes what it becomes. How candidates are judged is in proxy/explain_why.py, how all of it looks
in explain_show.py.

Values only. What is told here holds the message itself: it is for the terminal of whoever typed it, and for
nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.codecs import choose
from proxy.core.action import Cause, Refusal, Send
from proxy.core.lane import Lane
from proxy.core.message import Close, Direction, Kind
from proxy.core.plugs import Findings
from proxy.core.policy import Policy
from proxy.core.session import Session
from proxy.detect.engine import Engine
from proxy.explain_why import Candidate, Telling


@dataclass(frozen=True, slots=True)
class Explanation:
    """One message under one policy. `becomes` is what is sent on; None: nothing. Then `cause` and `close` say why,
    or a rule dropped it."""

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
    """What `policy` makes of the text message `payload`, the first one of a connection.

    Raises TimeoutError when over the engine's budget.
    """
    message = payload.decode(errors="replace")
    lane, session = Lane(direction, policy, engine, choose), Session(0)
    codec = choose(Kind.TEXT, payload)
    try:
        batch = lane.offer(Kind.TEXT, payload, session, whole=True)
    except Refusal as refusal:
        cause, close = refusal.cause, refusal.closes[0]
        return Explanation(policy, direction, codec.name, 0, (), message, None, cause, close)
    nothing: Findings = [()] * len(batch.leaves)
    reported = engine.find(batch.leaves, lane.wanted, policy.threshold) if lane.wanted else nothing
    candidates = tuple(Telling(policy, direction, engine).candidates(codec.read(payload), batch.leaves, reported))
    so_far = Explanation(policy, direction, codec.name, len(batch.leaves), candidates, message, message)
    if not lane.watches:
        return so_far
    try:
        actions = lane.settle(batch, reported)
    except Refusal as refusal:
        return replace(so_far, becomes=None, cause=refusal.cause, close=refusal.closes[0])
    sent = next((action.payload.decode() for action in actions if isinstance(action, Send)), None)
    return replace(so_far, becomes=sent)
