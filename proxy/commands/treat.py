"""What rules make of messages, one after the other, as in a connection: the lanes that run, without a socket."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.codecs import choose
from proxy.core.action import Cause, CloseSide, Done, Note, Send
from proxy.core.lane import Lane, refusal_of
from proxy.core.message import Close, Direction, Kind
from proxy.core.policy import Policy, Rule
from proxy.core.session import Session
from proxy.detect.engine import Engine


@dataclass(frozen=True, slots=True)
class Treated:
    """One message. `sent` is what leaves; None: nothing does. Then `close` says with what the connection ends, and
    why; or a rule dropped the message."""

    sent: bytes | None
    done: tuple[Done, ...]
    close: Close | None = None
    cause: Cause | None = None

    @property
    def verdict(self) -> str:
        """`passed`, `rewritten`, `dropped` or `refused`, with nothing of the message."""
        if self.sent is not None:
            changed = any(one.mode == "enforce" and one.operator != "keep" for one in self.done)
            return "rewritten" if changed else "passed"
        return "dropped" if self.close is None else "refused"


class Connection:
    """One connection under one policy; where a rule closes it, the next message is the first of another one."""

    def __init__(self, policy: Policy, engine: Engine) -> None:
        self.rules: dict[str, Rule] = {rule.id: rule for rule in policy.rules}
        self._lanes = [Lane(direction, policy, engine, choose) for direction in Direction]
        self._session = Session(0)

    def treat(self, direction: Direction, payload: bytes, kind: Kind = Kind.TEXT) -> Treated:
        """What becomes of a message."""
        lane = self._lanes[direction]
        try:
            if lane.clear(kind, payload, self._session):  # as the wire does: most of a recording is clean
                return Treated(payload, ())
            actions = lane.work(kind, payload, self._session)
        except Exception as error:  # whatever a step raises: the wire does the same
            actions = lane.refuse(refusal_of(error))
        done: tuple[Done, ...] = ()
        cause = None
        for action in actions:
            if isinstance(action, Note):
                done, cause = action.findings, action.cause
            elif isinstance(action, Send):
                return Treated(action.payload, done)
            elif isinstance(action, CloseSide):
                self._session = Session(self._session.sid + 1)
                return Treated(None, done, action.close, cause)
        return Treated(None, done)
