"""One direction of one connection: offer -> (find) -> settle, or refuse. Events in, actions out.

A lane holds no payload between messages and never waits. The wire calls `work`, on the loop for small
messages and in a worker for large ones. Whatever raises on the way becomes `refuse`: there is no path from a
failed step to a Send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.core.action import Action, Cause, CloseSide, Done, Note, Refusal, Send
from proxy.core.finding import Finding, clusters, strength
from proxy.core.message import Close, Direction, Edit, Kind, Leaf, Side
from proxy.core.operators import CLOSE, KEEP, REWRITES
from proxy.core.plugs import Choose, Codec, Detector, Findings
from proxy.core.policy import Live, Policy, Rule

_TEXT = Kind.TEXT  # 7 ns instead of 130: in Python 3.11 members of an Enum are looked up in Python
ZERO = "0"
"""What a JSON number becomes, whatever the operator: a reader that expects a number gets one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One message taken apart, and the policy it is pinned to: a reload does not reach it any more."""

    policy: Policy
    wanted: frozenset[str]
    kind: Kind
    payload: bytes
    codec: Codec
    leaves: Sequence[Leaf]


class Lane:
    """The pipeline of one direction. Stateless between messages, so one serves every connection."""

    __slots__ = ("choose", "direction", "live")

    def __init__(self, direction: Direction, live: Live, choose: Choose) -> None:
        self.direction = direction
        self.live = live
        self.choose = choose

    def work(self, kind: Kind, payload: bytes, detector: Detector) -> list[Action]:
        """One message from end to end, in any thread. Raises whatever a step raises: the caller refuses."""
        batch = self.offer(kind, payload, detector)
        if batch is None:
            return [Send(kind, payload)]
        findings = detector.find(batch.leaves, batch.wanted, batch.policy.threshold)
        return self.settle(batch, findings)

    def clear(self, kind: Kind, payload: bytes, detector: Detector) -> bool:
        """Whether the gate lets a message pass unread: nothing suspicious is anywhere in its bytes.

        Texts only: binary messages may spell text in ways that the gate does not know.
        """
        if kind is not _TEXT:
            return False
        live = self.live
        return detector.clear(payload, live.wanted[self.direction], live.policy.threshold)

    def heavy(self, detector: Detector) -> bool:
        """Whether looking takes too long for the event loop, however short the message is."""
        return detector.heavy(self.live.wanted[self.direction])

    def offer(self, kind: Kind, payload: bytes, detector: Detector | None = None) -> Batch | None:
        """Take a message apart; None if no rule could change it. Raises Refusal for text that is not UTF-8.

        Texts in which `detector` is sure to find nothing may be left out; without one, none is.
        """
        policy, wanted = self.live.policy, self.live.wanted[self.direction]
        if not wanted:
            return None
        codec = self.choose(kind, payload)
        near = None
        if detector is not None and kind is Kind.TEXT:
            near = detector.near(payload, wanted, policy.threshold)
        try:
            leaves = codec.read(payload, near)
        except UnicodeDecodeError:
            raise Refusal(Cause.BAD_UTF8) from None  # its text quotes the payload
        return Batch(policy, wanted, kind, payload, codec, leaves)

    def settle(self, batch: Batch, findings: Findings) -> list[Action]:
        """Apply the policy to what was found. Nothing found: one Send of the very payload that came in."""
        if len(findings) != len(batch.leaves):
            raise Refusal(Cause.PIPELINE)  # somebody did not look at every leaf
        edits: list[Edit] = []
        done: list[Done] = []
        for leaf, found in zip(batch.leaves, findings, strict=True):
            if found:
                self._settle_leaf(batch.policy, leaf, found, edits, done)
        if not done:
            return [Send(batch.kind, batch.payload)]
        payload = batch.codec.write(batch.payload, edits) if edits else batch.payload
        verdict = "rewritten" if edits else "kept"
        note = Note(self.direction, batch.kind, verdict, None, batch.policy.digest, tuple(done))
        return [note, Send(batch.kind, payload)]

    def _settle_leaf(
        self, policy: Policy, leaf: Leaf, found: Sequence[Finding], edits: list[Edit], done: list[Done]
    ) -> None:
        decided: list[Finding] = []
        rules: dict[str, Rule] = {}  # by entity
        for finding in found:
            if not 0 <= finding.start < finding.end <= len(leaf.text):
                raise Refusal(Cause.PIPELINE)  # a place outside the text: the detector is not to be trusted
            rule = rules.get(finding.entity) or policy.decide(finding.entity, self.direction)
            if rule is None or finding.score < policy.threshold:
                continue
            if rule.operator == KEEP:
                done.append(_done(finding, rule))
            else:
                decided.append(finding)
                rules[finding.entity] = rule
        for group in clusters(decided):
            start, end = group[0].start, max([finding.end for finding in group])
            winner = max(group, key=strength)
            for finding in group:
                rule = rules[finding.entity]
                if rule.operator == CLOSE:
                    raise _close_refusal(rule)
                done.append(_done(finding, rule))
            rule = rules[winner.entity]
            if leaf.number:  # part of a number is no number: all of it goes
                edits[:] = [edit for edit in edits if edit.leaf is not leaf]
                edits.append(Edit(leaf, 0, len(leaf.text), ZERO))
                continue
            text = REWRITES[rule.operator](leaf.text[start:end], winner.entity, rule.params)
            edits.append(Edit(leaf, start, end, text))

    def refuse(self, refusal: Refusal) -> list[Action]:
        """Close both sides and send nothing."""
        sender = Side(self.direction)
        to_sender, to_peer = refusal.closes
        note = Note(self.direction, None, "refused", refusal.cause, self.live.policy.digest, ())
        return [note, CloseSide(sender, to_sender), CloseSide(sender.other, to_peer)]


def refusal_of(error: BaseException) -> Refusal:
    """The one door for everything that can go wrong in a pipeline: it is closed."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TimeoutError):
        return Refusal(Cause.BUDGET)
    return Refusal(Cause.PIPELINE)


def _done(finding: Finding, rule: Rule) -> Done:
    length = finding.end - finding.start
    return Done(finding.entity, rule.id, rule.operator, finding.recognizer, length, finding.score)


def _close_refusal(rule: Rule) -> Refusal:
    code, reason = rule.params.get("code", 1008), rule.params.get("reason", "policy")
    assert isinstance(code, int)  # checked when the rules were loaded
    close = Close(code, str(reason))
    return Refusal(Cause.POLICY, (close, close))
