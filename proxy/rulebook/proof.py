"""Rules prove themselves before they go live: on the examples of their entities and rules, and in conversations.

All of it is judged by the lanes and the detector that will run. What fails is told without the text it failed on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from proxy.codecs import choose
from proxy.core.action import Action, CloseSide, Drop, Send
from proxy.core.finding import Finding
from proxy.core.lane import Lane, refusal_of
from proxy.core.message import Direction, Kind, Leaf
from proxy.core.policy import Policy, Rule
from proxy.core.session import Session
from proxy.rulebook.defined import EntityText
from proxy.rulebook.expiry import live
from proxy.rulebook.faults import Fault
from proxy.rulebook.ground import Prover
from proxy.rulebook.merge import Merged, Piece
from proxy.rulebook.pace import breathe
from proxy.rulebook.schema import ConversationText, RuleText, SaidText
from proxy.rulebook.spare import Values

SLOW = "looking takes too long"


def unproven(merged: Merged, policy: Policy, detector: Prover, now: float) -> list[Fault]:
    """What does not come out as it is written; `now` as exceptions see it."""
    proof = Proof(merged, policy, detector, now)
    faults: list[Fault] = []
    for name, entity in merged.entities.items():
        faults += proof.entity(name, entity)
    for written, rule in zip(merged.rules, policy.rules, strict=True):
        faults += proof.rule(written, rule)
    if not faults:  # they would only tell the same, and less precisely
        for talk in merged.tests:
            faults += proof.conversation(talk)
    return faults


Found = Sequence[tuple[Leaf, Finding]]


class Proof:
    """Examples held against `policy`, whose rules are those of `merged`."""

    def __init__(self, merged: Merged, policy: Policy, detector: Prover, now: float) -> None:
        self.now = now
        self.main = merged.members[0]
        self.policy = policy
        self.detector = detector
        self.lanes = [Lane(direction, policy, detector, choose) for direction in Direction]

    def find(self, text: str) -> Found:
        """What is found in an example, which is read as a message: JSON, so that keys can be proven too.

        Raises TimeoutError.
        """
        breathe()
        lane = self.lanes[0]
        leaves = lane.offer(Kind.TEXT, text.encode(), Session(0), whole=True).leaves
        # all that the policy looks for, as it will be when it runs: each set of entities is compiled anew
        found = self.detector.find(leaves, self.policy.entities, self.policy.threshold)
        return [(leaf, one) for leaf, some in zip(leaves, found, strict=True) for one in some]

    # -- entities -----------------------------------------------------------------------------------------

    def entity(self, name: str, piece: Piece[EntityText]) -> Iterator[Fault]:
        """The examples of an entity."""
        if name not in self.policy.entities:
            return  # inherited, and no rule is about it any more
        tests = piece.written.tests
        for kind, examples in (("match", [(one.text, one.span) for one in tests.match]), ("no_match", None)):
            wanted = examples if examples is not None else [(text, None) for text in tests.no_match]
            for i, (text, span) in enumerate(wanted):
                if wrong := self._misses(name, text, span, kind == "match"):
                    sentence = f"{name} fails its own example: {wrong} in this text"
                    yield piece.fault("E033", sentence, at=("tests", kind, i))

    def _misses(self, name: str, text: str, span: str | None, wanted: bool) -> str | None:
        try:
            found = [leaf.text[one.start : one.end] for leaf, one in self.find(text) if one.entity == name]
        except TimeoutError:
            return SLOW
        if not wanted:
            return "something is found" if found else None
        if not found:
            return "nothing is found"
        return None if span is None or span in found else "something else than the span is found"

    # -- rules --------------------------------------------------------------------------------------------

    def rule(self, piece: Piece[RuleText], rule: Rule) -> Iterator[Fault]:
        """The examples of a rule, and whether its exceptions leave anything of it."""
        tests = piece.written.tests
        values: list[str] = []
        wrong: list[Fault] = []
        for kind, texts in (("match", tests.match), ("no_match", tests.no_match)):
            for i, text in enumerate(texts):
                try:
                    found = self.find(text)
                except TimeoutError:
                    why: str | None = SLOW
                else:
                    why = self._strays(rule, found, wanted=kind == "match", own=piece.member is self.main)
                    values += [leaf.text[one.start : one.end] for leaf, one in found if self.about(rule, one)]
                if why:
                    sentence = f"rule '{rule.id}' fails its own example: {why}"
                    cure = (
                        "" if piece.member is self.main else "it is inherited: write a rule with its id, or undo"
                    )
                    wrong.append(piece.fault("E031", sentence, cure, at=("tests", kind, i)))
        wide = [*self._wide(piece, values if tests.match else [])]
        yield from wide or wrong

    def about(self, rule: Rule, one: Finding) -> bool:
        """Whether `rule` names what was found."""
        return rule.entities is None or one.entity in rule.entities

    def _strays(self, rule: Rule, found: Found, *, wanted: bool, own: bool) -> str | None:
        """What is wrong with what `rule` makes of `found`; None if nothing is.

        A rule of the main file must be the one that decides. One that is inherited was proven where it stands, and
        may have been overruled here.
        """
        about = [(leaf, one) for leaf, one in found if self.about(rule, one)]
        acts = any(self.acts(rule, found, way) for way in rule.directions)
        if not wanted:
            return "something is found in this text" if acts else None
        if not about:
            return "nothing is found in this text"
        if acts or not own:
            return None
        others = {self._decider(one, way) for _, one in about for way in rule.directions} - {rule.id, None}
        if others:
            return f"rule '{min(filter(None, others))}' stands before it and decides about what is found"
        return "what is found in this text is exempt"

    def acts(self, rule: Rule, found: Found, way: Direction) -> bool:
        """Whether `rule` decides about something of `found` in that direction, and does not exempt it."""
        spares = rule.spares or (lambda _value, _entity: False)
        return any(
            rule in self.lanes[way].decide(one) and not spares(leaf.text[one.start : one.end], one.entity)
            for leaf, one in found
            if way in rule.directions and self.about(rule, one)
        )

    def _decider(self, one: Finding, way: Direction) -> str | None:
        rule = self.lanes[way].decide(one)[0]
        return rule.id if rule is not None else None

    def _wide(self, piece: Piece[RuleText], values: Sequence[str]) -> Iterator[Fault]:
        for i, one in live(piece.written, self.now):
            exempt = Values(one.values)
            if values and all(value in exempt for value in values):
                sentence = f"this exception would exempt every test value of rule '{piece.written.id}'"
                yield piece.fault("E032", sentence, "narrow it", at=("except", i))

    # -- conversations ------------------------------------------------------------------------------------

    def conversation(self, piece: Piece[ConversationText]) -> Iterator[Fault]:
        """One connection, through both lanes."""
        talk, session = piece.written, Session(0)
        for way, sent, got, place in (
            (Direction.CLIENT_TO_UPSTREAM, talk.send, talk.upstream_gets, "upstream_gets"),
            (Direction.UPSTREAM_TO_CLIENT, talk.upstream_sends, talk.client_gets, "client_gets"),
        ):
            if sent is not None and got is not None and (wrong := self._differs(way, sent, got, session)):
                yield piece.fault("E034", f"this conversation does not go as written: {wrong}", at=(place,))

    def _differs(self, way: Direction, sent: SaidText, got: SaidText, session: Session) -> str | None:
        lane = self.lanes[way]
        try:
            actions: Sequence[Action] = lane.work(Kind.TEXT, _payload(sent), session)
        except Exception as error:  # whatever a step raises: the wire does the same
            actions = lane.refuse(refusal_of(error))
        for action in actions:
            if isinstance(action, Drop):
                return "the message is dropped"
            if isinstance(action, CloseSide):
                return f"the connection is closed with {action.close.code}"
        (payload,) = (action.payload for action in actions if isinstance(action, Send))
        return None if _same(payload, got) else "something else arrives"


def _payload(said: SaidText) -> bytes:
    return (said.text if said.text is not None else json.dumps(said.body, ensure_ascii=False)).encode()


def _same(payload: bytes, said: SaidText) -> bool:
    if said.text is not None:
        return payload == said.text.encode()
    try:
        return json.dumps(json.loads(payload), sort_keys=True) == json.dumps(said.body, sort_keys=True)
    except ValueError:
        return False
