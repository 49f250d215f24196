"""One direction: offer -> (find) -> settle, or refuse. Events in, actions out.

A lane holds no payload between messages and never waits. The wire calls `work`, on the loop for small
messages and in a worker for large ones. Whatever raises on the way becomes `refuse`: there is no path from a
failed step to a Send.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from proxy.core.action import (
    ENFORCE,
    EXEMPT,
    REFUSED,
    SHADOW,
    Action,
    Cause,
    CloseSide,
    Done,
    Drop,
    Note,
    Refusal,
    Send,
)
from proxy.core.finding import Finding, clusters, strength
from proxy.core.message import Close, Direction, Edit, Kind, Leaf, Side
from proxy.core.operators import CLOSE, DROP, KEEP
from proxy.core.plugs import Choose, Codec, Detector, Findings, Mark, Restored, Rewrite
from proxy.core.policy import Policy, Rule
from proxy.core.session import Session

RESTORE = "restore"
VAULT = "vault"
_TEXT = Kind.TEXT  # 7 ns instead of 130: in Python 3.11 members of an Enum are looked up in Python


class UnsettledError(Exception):
    """A message was looked at, and what follows from that could not be done: an operator failed, or the vault was
    away. Other than what nobody could look at, it never goes on as it is, because it may be known to hold values.

    `why` names what was raised; the text of that may quote a value.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Batch:
    """One message taken apart, and the connection it belongs to."""

    session: Session
    kind: Kind
    payload: bytes
    codec: Codec
    leaves: Sequence[Leaf]


class Lane:
    """The pipeline of one direction under one policy. Keeps nothing between messages, so one serves every
    connection; a reload makes new lanes."""

    __slots__ = (
        "_plan",
        "_prompt",
        "choose",
        "detector",
        "direction",
        "heavy",
        "mark",
        "policy",
        "restore",
        "wanted",
        "watches",
    )

    def __init__(
        self, direction: Direction, policy: Policy, detector: Detector, choose: Choose, mark: Mark | None = None
    ) -> None:
        self.direction = direction
        self.policy = policy
        self.detector = detector
        self.choose = choose
        self.mark = mark
        """Makes fingerprints of the values that are found, where an audit log wants them."""
        self.wanted = policy.wanted(direction)
        self.restore = policy.restores[direction]
        self.watches = bool(self.wanted) or self.restore is not None
        """Whether anybody needs to look at messages at all."""
        self.heavy = self._heavy()
        """Whether looking takes too long for the event loop, however short the message is."""
        # worked out once: a message asks for every finding
        self._plan = policy.plan(direction)
        # None where it would be the lane itself: a circle would keep the detector until the next full collection
        self._prompt = Lane(direction, policy.prompt(), detector, choose, mark) if self._waits() else None

    @property
    def prompt(self) -> Lane:
        """The same for what the event loop has to look at itself, because it cannot be held up: pings and reasons
        of CLOSE. Nobody is asked; what would have to ask puts the name of the entity in the place of a value."""
        return self._prompt or self

    def _heavy(self) -> bool:
        return self._waits() or self.detector.heavy(self.wanted)

    def _waits(self) -> bool:
        """Whether looking may wait for another machine."""
        slow = any(rule.slow and self.direction in rule.directions for rule in self.policy.rules)
        return slow or (self.restore is not None and self.restore.slow)

    def work(self, kind: Kind, payload: bytes, session: Session) -> list[Action]:
        """One message from end to end, in any thread. Raises whatever a step raises: the caller refuses."""
        if not self.watches:
            return [Send(kind, payload)]
        batch = self.offer(kind, payload, session)
        if not self.wanted:
            return self.settle(batch, [()] * len(batch.leaves))
        return self.settle(batch, self.detector.find(batch.leaves, self.wanted, self.policy.threshold))

    def clear(self, kind: Kind, payload: bytes, session: Session) -> bool:
        """Whether the gate lets a message pass unread: nothing suspicious is anywhere in its bytes.

        Texts only: binary messages may spell text in ways that the gate does not know.
        """
        if kind is not _TEXT:
            return False
        if self.restore is not None and self.restore.awaits(payload, session):
            return False
        return self.detector.clear(payload, self.wanted, self.policy.threshold)

    def offer(self, kind: Kind, payload: bytes, session: Session, *, whole: bool = False) -> Batch:
        """Take a message apart. Raises Refusal for text that is not UTF-8.

        Texts in which the detector is sure to find nothing, and which hold no token, are left out, unless it is to
        be taken apart `whole`.
        """
        codec = self.choose(kind, payload)
        near = None
        if kind is _TEXT and not whole and (self.restore is None or not self.restore.awaits(payload, session)):
            near = self.detector.near(payload, self.wanted, self.policy.threshold) if self.wanted else ()
        try:
            leaves = codec.read(payload, near)
        except UnicodeDecodeError:
            raise Refusal(Cause.BAD_UTF8) from None  # its text quotes the payload
        ignores = self.policy.ignores
        if ignores is not None:
            leaves = [leaf for leaf in leaves if not (leaf.path and ignores(leaf.path))]
        return Batch(session, kind, payload, codec, leaves)

    def settle(self, batch: Batch, findings: Findings) -> list[Action]:
        """Apply the policy to what was found. Nothing found: one Send of the very payload that came in.

        Raises UnsettledError if that cannot be done.
        """
        if len(findings) != len(batch.leaves):
            raise Refusal(Cause.PIPELINE)  # somebody did not look at every leaf
        try:
            return self._settled(batch, findings)
        except Refusal:
            raise
        except Exception as error:
            raise UnsettledError(type(error).__name__) from None

    def _settled(self, batch: Batch, findings: Findings) -> list[Action]:
        edits: list[Edit] = []
        done: list[Done] = []
        drop, closing = False, None
        restore = self.restore if not batch.codec.rigid else None
        for leaf, found in zip(batch.leaves, findings, strict=True):
            restored = restore.find(leaf, batch.session) if restore is not None else ()
            if found or restored:
                settling = _Settling(self, batch.session, leaf, edits, done, closing is not None)
                drop |= settling.settle(found, restored)
                closing = closing or settling.closing
        if closing is not None:
            raise _close_refusal(closing, done)
        if not done:
            return [Send(batch.kind, batch.payload)]
        verdict = "dropped" if drop else "rewritten" if edits else "kept"
        note = Note(self.direction, batch.kind, verdict, None, self.policy.digest, tuple(done))
        if drop:
            return [note, Drop()]
        return [note, Send(batch.kind, batch.codec.write(batch.payload, edits) if edits else batch.payload)]

    def decide(self, finding: Finding) -> tuple[Rule | None, Rule | None]:
        """Whose finding it is, and whose it would be; nobody's if it is too weak."""
        if finding.score < self.policy.threshold:
            return None, None
        plan = self._plan.get(finding.entity)
        return plan if plan is not None else self.policy.decide(finding.entity, self.direction)

    def refuse(self, refusal: Refusal) -> list[Action]:
        """Close both sides and send nothing."""
        sender = Side(self.direction)
        to_sender, to_peer = refusal.closes
        note = Note(self.direction, None, REFUSED, refusal.cause, self.policy.digest, refusal.findings)
        return [note, CloseSide(sender, to_sender), CloseSide(sender.other, to_peer)]


class _Settling:
    """What becomes of one leaf. Appends to the `edits` and the `done` of its message."""

    __slots__ = (
        "before",
        "closing",
        "done",
        "edits",
        "lane",
        "leaf",
        "mark",
        "only",
        "rules",
        "session",
        "tokens",
    )

    def __init__(
        self, lane: Lane, session: Session, leaf: Leaf, edits: list[Edit], done: list[Done], only: bool
    ) -> None:
        self.lane = lane
        self.mark = lane.mark
        self.session = session
        self.leaf = leaf
        self.edits = edits
        self.before = len(edits)
        """How many of `edits` are of other leaves."""
        self.done = done
        self.only = only
        """Whether findings are noted and nothing else is done, because a rule closes: nothing leaves, and no vault
        needs to remember it."""
        self.closing: Rule | None = None
        """The rule that closes, if one does."""
        self.rules: dict[Finding, Rule] = {}
        self.tokens: dict[Finding, Restored] = {}

    def settle(self, found: Sequence[Finding], restored: Sequence[Restored]) -> bool:
        """Whether the message is to be dropped."""
        for token in restored:
            self.tokens[Finding(token.entity, token.start, token.end, 0.0, VAULT)] = token
        starts = [token.start for token in restored]
        for finding in dict.fromkeys(found):  # two readings of a text can find the same
            behind = bisect_right(starts, finding.start) if starts else 0
            if not behind or finding.end > restored[behind - 1].end:  # else our own token looks like something
                self._decide(finding)
        operators = {rule.operator for rule in self.rules.values()}
        if CLOSE in operators:
            self.only = True
            self.closing = next(rule for rule in self.rules.values() if rule.operator == CLOSE)
        for group in clusters([*self.rules, *self.tokens]):
            self._rewrite(group)
        return DROP in operators

    def _decide(self, finding: Finding) -> None:
        text = self.leaf.text
        if not 0 <= finding.start < finding.end <= len(text):
            raise Refusal(Cause.PIPELINE)  # a place outside the text: the detector is not to be trusted
        rule, shadow = self.lane.decide(finding)
        if shadow is not None and not _spared(shadow, finding, text):
            self._note(finding, shadow, SHADOW)
        if rule is None:
            return
        if _spared(rule, finding, text):
            self._note(finding, rule, EXEMPT)
        elif rule.operator == KEEP:
            self._note(finding, rule)
        else:
            self.rules[finding] = rule

    def _rewrite(self, group: list[Finding]) -> None:
        """One edit for findings that overlap. A token that one of them reaches out of is but a part of it."""
        winner = group[0]
        if len(group) == 1:
            if winner in self.tokens:
                self._restore(winner)
                return
            start, end = winner.start, winner.end
        else:
            group = [finding for finding in group if finding in self.rules]
            start, end = group[0].start, max(finding.end for finding in group)
            winner = max(group, key=strength)
        rule = self.rules[winner]
        for finding in group:
            self._note(finding, self.rules[finding])
        if rule.rewrite is None or self.only:  # closes or drops: nothing of this message leaves
            return
        if self.leaf.number:  # part of a number is no number: all of it goes
            del self.edits[self.before :]  # no search: a message may have 60,000 numbers
            whole = self.leaf.text
            self.edits.append(Edit(self.leaf, 0, len(whole), self._made(rule.number, whole, winner)))
            return
        text = self._made(rule.rewrite, self.leaf.text[start:end], winner)
        self.edits.append(Edit(self.leaf, start, end, text))

    def _note(self, finding: Finding, rule: Rule, mode: str = ENFORCE) -> None:
        entity, start, end, score, recognizer = finding
        operator = KEEP if mode == EXEMPT else rule.operator
        # the finding's own part of a cluster: the value that somebody may ask for one day
        mark = self.mark(self.leaf.text[start:end], entity) if self.mark is not None else None
        self.done.append(Done(entity, rule.id, operator, recognizer, end - start, score, mode, mark))

    def _made(self, rewrite: Rewrite, text: str, finding: Finding) -> str:
        return rewrite(text, finding.entity, self.session, self.lane.direction)

    def _restore(self, finding: Finding) -> None:
        token = self.tokens[finding]
        length = token.end - token.start
        self.done.append(Done(token.entity, token.rule, RESTORE, VAULT, length, 1.0))
        self.edits.append(Edit(self.leaf, token.start, token.end, token.text))


def refusal_of(error: BaseException) -> Refusal:
    """The one door for everything that can go wrong in a pipeline: it is closed."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TimeoutError):
        return Refusal(Cause.BUDGET)
    return Refusal(Cause.PIPELINE)


def _spared(rule: Rule, finding: Finding, text: str) -> bool:
    return rule.spares is not None and rule.spares(text[finding.start : finding.end], finding.entity)


def _close_refusal(rule: Rule, done: list[Done]) -> Refusal:
    code, reason = rule.params.get("code", 1008), rule.params.get("reason", "policy")
    assert isinstance(code, int)  # checked when the rules were loaded
    close = Close(code, str(reason))
    return Refusal(Cause.POLICY, (close, close), tuple(done))
