"""Every example of a set of rules, tried as it stands and written otherwise; and what has none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from proxy.commands.mutate import Mutation, respelt, wrapped
from proxy.core.finding import Finding
from proxy.core.message import Direction
from proxy.core.policy import Policy, Rule
from proxy.detect.engine import Engine
from proxy.rulebook.defined import EntityText
from proxy.rulebook.faults import Fault
from proxy.rulebook.load import Draft
from proxy.rulebook.merge import Merged, Piece
from proxy.rulebook.proof import SLOW, Found, Proof
from proxy.rulebook.schema import ConversationText, RuleText

CASE_BLIND = frozenset({"email", "phone", "card", "IpRecognizer", "MacAddressRecognizer"})
"""Recognizers that come along and read either case alike. Keys, checksums of letters and secrets do not."""

Holds = Callable[[Found], bool]


@dataclass(slots=True)
class Trial:
    """How a rule, an entity or a conversation does: examples, mutations of them, and how many came out right."""

    kind: str
    name: str
    source: str
    line: int
    examples: int = 0
    passed: int = 0
    mutations: int = 0
    mutations_passed: int = 0
    proven: bool = True
    """Whether it has an example that shows what it is for."""
    faults: list[Fault] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether anything came out wrong."""
        return bool(self.faults)


def trials(draft: Draft[Engine]) -> Iterator[Trial]:
    """One after the other: entities, rules, conversations."""
    merged = replace(draft.merged, shadows=frozenset())
    tester = _Tester(merged, draft.staged, Proof(merged, draft.staged, draft.detector, draft.now))
    for name, entity in merged.entities.items():
        if name in draft.staged.entities:
            yield tester.entity(name, entity)
    for piece, rule in zip(merged.rules, draft.staged.rules, strict=True):
        yield tester.rule(piece, rule)
    for talk in merged.tests:
        yield tester.conversation(talk)


class _Tester:
    def __init__(self, merged: Merged, policy: Policy, proof: Proof) -> None:
        self.merged = merged
        self.policy = policy
        self.proof = proof

    def rule(self, piece: Piece[RuleText], rule: Rule) -> Trial:
        """Its examples: a match acts in every direction in which it does as it stands."""
        trial = _trial("rule", rule.id, piece)
        tests = piece.written.tests
        trial.proven = bool(tests.match)
        wrong = [*self.proof.rule(piece, rule)]
        self._stands(trial, len(tests.match) + len(tests.no_match), wrong)
        for i, text in enumerate(tests.match):
            if (found := self._found(text)) is None:
                continue
            ways = [way for way in rule.directions if self.proof.acts(rule, found, way)]
            about = [(leaf, one) for leaf, one in found if self.proof.about(rule, one)]
            if ways:
                self._vary(
                    trial, piece, ("match", i), self._mutations(text, about), _acting(self.proof, rule, ways)
                )
        for i, text in enumerate(tests.no_match):
            quiet = _silent(self.proof, rule)
            self._vary(trial, piece, ("no_match", i), wrapped(text, self.policy), quiet)
        return trial

    def entity(self, name: str, piece: Piece[EntityText]) -> Trial:
        """Its examples, whatever a rule makes of them."""
        trial = _trial("entity", name, piece)
        tests = piece.written.tests
        trial.proven = bool(tests.match)
        wrong = [*self.proof.entity(name, piece)]
        self._stands(trial, len(tests.match) + len(tests.no_match), wrong)
        for i, example in enumerate(tests.match):
            if about := [(leaf, one) for leaf, one in self._found(example.text) or () if one.entity == name]:
                self._vary(trial, piece, ("match", i), self._mutations(example.text, about), _finding(name))
        for i, text in enumerate(tests.no_match):
            self._vary(trial, piece, ("no_match", i), wrapped(text, self.policy), _not_finding(name))
        return trial

    def conversation(self, piece: Piece[ConversationText]) -> Trial:
        """One as it is written: what it says is exact."""
        trial = _trial("conversation", piece.written.name, piece)
        wrong = [*self.proof.conversation(piece)]
        trial.examples, trial.passed, trial.faults = 1, int(not wrong), wrong
        return trial

    # -- examples -----------------------------------------------------------------------------------------

    def _found(self, text: str) -> Found | None:
        try:
            return self.proof.find(text)
        except TimeoutError:
            return None  # told as a fault of the example itself

    @staticmethod
    def _stands(trial: Trial, examples: int, wrong: list[Fault]) -> None:
        trial.examples = examples
        trial.passed = max(examples - len(wrong), 0)
        trial.faults += wrong

    def _mutations(self, text: str, about: Found) -> Iterator[Mutation]:
        yield from wrapped(text, self.policy)
        yield from respelt(text, about, self._blind)

    def _vary(
        self, trial: Trial, piece: Piece[object], at: tuple[str, int], others: Iterator[Mutation], holds: Holds
    ) -> None:
        """Try an example written otherwise; one that fails as it stands has been told already."""
        place = piece.fault("E037", "", at=("tests", *at))
        if any((one.line, one.column) == (place.line, place.column) for one in trial.faults):
            return
        for how, text in others:
            trial.mutations += 1
            found = self._found(text)
            if found is not None and holds(found):
                trial.mutations_passed += 1
                continue
            why = SLOW if found is None else "it is not found" if at[0] == "match" else "something is found"
            sentence = f"{trial.kind} '{trial.name}': {why} in this example when it stands {how}"
            trial.faults.append(replace(place, sentence=sentence))

    def _blind(self, one: Finding) -> bool:
        """Whether what was found would be found in either case."""
        if one.recognizer in CASE_BLIND:
            return True
        piece = self.merged.entities.get(one.entity)
        if piece is None or one.recognizer == "keys" or piece.written.presidio is not None:
            return False
        listed, patterns = piece.written.deny_list, piece.written.patterns or ()
        return (listed is None or listed.ignore_case) and not any(_minds_case(one.regex) for one in patterns)


_minds_case = re.compile(r"\(\?[a-zA-Z]*-[a-z]*i").search  # (?-i:AC), in part of it at least


def _trial(kind: str, name: str, piece: Piece[object]) -> Trial:
    fault = piece.fault("E031", "", at_key=kind == "entity")
    return Trial(kind, name, fault.source, fault.line)


def _acting(proof: Proof, rule: Rule, ways: list[Direction]) -> Holds:
    return lambda found: all(proof.acts(rule, found, way) for way in ways)


def _silent(proof: Proof, rule: Rule) -> Holds:
    return lambda found: not any(proof.acts(rule, found, way) for way in rule.directions)


def _finding(name: str) -> Holds:
    return lambda found: any(one.entity == name for _, one in found)


def _not_finding(name: str) -> Holds:
    return lambda found: not any(one.entity == name for _, one in found)
