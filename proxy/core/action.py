"""What a lane wants done. Values only: the wire performs them, in order.

A Note always stands before the Send it speaks of, so nothing leaves that was not noted.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from proxy.core.message import Close, Direction, Kind, Side


class Cause(enum.Enum):
    """Why a message was refused or a connection ended by the proxy. The value names it in notes and metrics."""

    PIPELINE = "pipeline"  # a step raised
    BUDGET = "budget"  # a step took too long
    POLICY = "policy"  # a rule says close
    TOO_BIG = "too_big"
    BAD_UTF8 = "bad_utf8"
    PROTOCOL = "protocol"  # RFC 6455 framing
    DEFLATE = "deflate"  # RFC 7692 data that does not inflate
    BINARY = "binary"  # the route denies binary messages
    SHUTDOWN = "shutdown"
    IDLE = "idle"
    LIFETIME = "lifetime"
    STALL = "stall"  # a peer stopped reading
    AUDIT = "audit"  # the audit log could not take it down in time


UNINSPECTED = Close(1011, "message could not be inspected")
SLOW = Close(1011, "inspection took too long")
DENIED = Close(1008, "policy")
RESTART = Close(1012, "service restart")
UNLOGGED = Close(1013, "audit log unavailable")

# Cause -> (CLOSE to the side that sent the message, CLOSE to its peer); RFC 6455 section 7.4.1.
# The sender of something bad learns what was bad; its peer did nothing wrong and hears 1001 "going away"
# (as Kong does, and unlike a relayed 1009, which blames the innocent side). Reasons are constants.
CLOSES: dict[Cause, tuple[Close, Close]] = {
    Cause.PIPELINE: (UNINSPECTED, UNINSPECTED),
    Cause.BUDGET: (SLOW, SLOW),
    Cause.POLICY: (DENIED, DENIED),
    Cause.TOO_BIG: (Close(1009, "message too big"), Close(1001, "peer sent a message too big")),
    Cause.BAD_UTF8: (Close(1007, "invalid UTF-8"), Close(1001, "peer sent invalid UTF-8")),
    Cause.PROTOCOL: (Close(1002, "protocol error"), Close(1001, "peer broke the protocol")),
    Cause.DEFLATE: (Close(1002, "invalid compressed data"), Close(1001, "peer broke the protocol")),
    Cause.BINARY: (
        Close(1003, "binary messages are not accepted"),
        Close(1001, "peer sent a binary message"),
    ),
    Cause.SHUTDOWN: (RESTART, RESTART),
    Cause.IDLE: (Close(1001, "idle timeout"), Close(1001, "idle timeout")),
    Cause.LIFETIME: (Close(1001, "lifetime reached"), Close(1001, "lifetime reached")),
    Cause.STALL: (Close(1001, "peer stopped reading"), Close(1001, "peer stopped reading")),
    Cause.AUDIT: (UNLOGGED, UNLOGGED),
}


class Refusal(Exception):  # noqa: N818 - a verdict that travels as an exception, not a malfunction
    """Raised inside the pipeline to end the connection for a stated cause. Never carries payload.

    `closes` overrides the table above: (CLOSE to the sender, CLOSE to its peer). `findings` are those of the
    message, where a rule closes because of them.
    """

    def __init__(
        self, cause: Cause, closes: tuple[Close, Close] | None = None, findings: tuple[Done, ...] = ()
    ) -> None:
        super().__init__(cause.value)
        self.cause = cause
        self.closes = closes or CLOSES[cause]
        self.findings = findings


CLEAN, UNSEEN, LEAKED = "clean", "unseen", "leaked"
"""Verdicts of messages that go on as they came: looked at, not looked at, and could not be looked at."""
REFUSED = "refused"
ENFORCE, SHADOW, EXEMPT = "enforce", "shadow", "exempt"


class Done(NamedTuple):
    """One finding as it was dealt with: entity, rule, operator, recognizer, place (characters), score.

    `path` is left out on purpose: object keys can be personal data themselves. `mode` says whether it happened:
    "enforce"; "shadow" if it only would have; "exempt" if an exception of the rule let the value pass.
    `mark` is the keyed fingerprint of the value, where an audit log wants one (plugs.Mark).
    """

    entity: str
    rule: str
    operator: str
    recognizer: str
    length: int
    score: float
    mode: str = ENFORCE
    mark: bytes | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """For the audit and the metrics: what became of one message. Holds no payload and no value.

    `verdict` is `rewritten`, `kept` (findings, but nothing was changed), `dropped`, `refused` or `leaked`: what
    could not be inspected went on as it was, because its route says so. The last two have a `cause`. The `kind` of
    what was refused is None: it may be no message; it has findings if a rule closed because of them. A `clean`
    message, or one at which nobody had to look (`unseen`: the rules look at nothing, or binary messages pass), has
    a Note only where the audit log wants every message.
    """

    direction: Direction
    kind: Kind | None
    verdict: str
    cause: Cause | None
    digest: str
    findings: tuple[Done, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Send `payload` onwards as one message. The very object that came in, when nothing was changed."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Send nothing for this message, and go on: a rule says drop. Stands where a Send would."""


@dataclass(frozen=True, slots=True)
class CloseSide:
    """Send CLOSE to one side and forward nothing more from it."""

    side: Side
    close: Close


Action = Note | Send | Drop | CloseSide
