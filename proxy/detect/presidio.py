"""The detector: which recognizers look for what, one leaf after the other, under one deadline.

Presidio's recognizers are called directly. Its AnalyzerEngine would load a language model, and for
recognizers that need none it adds nothing but time; tests/detect holds the verdicts of both side by side.
Sockets, rules and codecs are unknown here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    CryptoRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    UsSsnRecognizer,
)

from proxy.core.finding import Finding, strength
from proxy.core.message import Leaf
from proxy.core.plugs import Findings
from proxy.detect.deadline import Deadline
from proxy.detect.patterns import AnyEmailRecognizer, Ibans, Patterns, Recognizer
from proxy.detect.phones import Phones

# Some of Presidio's warnings quote the text they are about.
logging.getLogger("presidio-analyzer").disabled = True

# One text in which every recognizer finds something; the values are the examples of their standards.
SAMPLE = (
    "bob@example.com, +1 212-555-0142, 4111 1111 1111 1111, GB82 WEST 1234 5698 7654 32, 219-09-9999, "
    "192.0.2.1, 00:00:5e:00:53:01, 1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
)


def recognizers() -> tuple[Recognizer, ...]:
    """A new set of everything that can be looked for, each with a regex for what it cannot do without."""
    return (
        Patterns(AnyEmailRecognizer(), r"@"),
        Phones(),
        Patterns(CreditCardRecognizer(), r"\d{4}"),
        Ibans(IbanRecognizer(), r"[A-Z]{2}[0-9]{2}"),
        Patterns(UsSsnRecognizer(), r"[0-9]{3}"),
        Patterns(IpRecognizer(), r"[0-9]\.[0-9]|:[0-9a-f]{0,4}:"),
        Patterns(MacAddressRecognizer(), r"[0-9a-f]{2}[:.-][0-9a-f]{2}"),
        Patterns(CryptoRecognizer(), r"[13][^\W_]{25}"),
    )


class PresidioDetector:
    """A `Detector` for `entities`. `budget` is in seconds, for all leaves of one call."""

    def __init__(self, budget: float = 1.0) -> None:
        self.budget = budget
        self.recognizers = recognizers()
        self.entities = frozenset(recognizer.entity for recognizer in self.recognizers)

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        """Look in the calling thread. Raises TimeoutError when over budget, LookupError for an unknown entity."""
        unknown = entities - self.entities
        if unknown:
            raise LookupError(f"no recognizer for {', '.join(sorted(unknown))}")
        deadline = Deadline(self.budget)
        active = [recognizer for recognizer in self.recognizers if recognizer.entity in entities]
        return [_look(leaf.text, active, threshold, deadline) for leaf in leaves]

    def warm(self) -> None:
        """Make every recognizer load what it loads on first use. Raises if one of them finds nothing."""
        leaf = Leaf("", SAMPLE, 0, len(SAMPLE), 0)
        (found,) = self.find([leaf], self.entities, 0.5)
        silent = self.entities - {finding.entity for finding in found}
        if silent:
            raise RuntimeError(f"a recognizer misses its own sample: {', '.join(sorted(silent))}")


def _look(text: str, active: list[Recognizer], threshold: float, deadline: Deadline) -> list[Finding]:
    found: list[Finding] = []
    for recognizer in active:
        if recognizer.needs.search(text):
            deadline.left()
            found.extend(recognizer.find(text, threshold, deadline))
    return distinct(found) if len(found) > 1 else found


def distinct(findings: list[Finding]) -> list[Finding]:
    """Without those inside a stronger or equal one of the same entity. One sweep: a text may hold many."""
    kept: dict[str, Finding] = {}  # by entity, the one that reaches furthest so far
    result: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.start, -f.end, -f.score)):
        other = kept.get(finding.entity)
        if other is not None and finding.end <= other.end and strength(finding) <= strength(other):
            continue
        result.append(finding)
        if other is None or finding.end > other.end:
            kept[finding.entity] = finding
    return result
