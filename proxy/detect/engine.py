"""The detector: a gate over all triggers, and behind it the recognizers, each in windows round its own hits.

Sockets, rules and codecs are unknown here; which recognizers there are is said in presidio.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from proxy.core.finding import Finding, strength
from proxy.core.message import Leaf
from proxy.core.plugs import Findings
from proxy.detect.deadline import Deadline
from proxy.detect.escapes import unescaped
from proxy.detect.look import Look
from proxy.detect.presidio import recognizers
from proxy.detect.readings import Reading, readings
from proxy.detect.recognizer import FLOOR
from proxy.detect.windows import Window

# One text in which every recognizer finds something; the values are the examples of their standards.
SAMPLE = (
    "bob@example.com, +1 212-555-0142, 4111 1111 1111 1111, GB82 WEST 1234 5698 7654 32, 219-09-9999, "
    "192.0.2.1, 00:00:5e:00:53:01, 1BoatSLRHtKNngkdXEeobR76b53LETtpyT, db://bob:secret@localhost/"
)


Where = Callable[[Sequence[str]], Iterable[Window]]


class Engine:
    """A `Detector` for `entities`. `budget` is in seconds, for all leaves of one call.

    `cache` is a directory for compiled gates; None: they are compiled at every start.
    """

    def __init__(self, budget: float = 1.0, cache: Path | None = None) -> None:
        self.budget = budget
        self.cache = cache
        self.recognizers = recognizers()
        self.entities = frozenset(recognizer.entity for recognizer in self.recognizers)
        self._looks: dict[frozenset[str], Look] = {}

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        """Whether `find` would find nothing in any text of `payload`, told from its bytes alone.

        True only if that is certain. The texts must stand in `payload` in UTF-8, bounded by quotes, control
        characters or nothing, and possibly with backslash escapes: plain text, and JSON in any depth. Raises
        LookupError for an unknown entity.
        """
        look = self._looks.get(entities) or self.prepare(entities)
        if threshold < FLOOR:
            return False
        return look.clear(unescaped(payload) if b"\\" in payload else payload)

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        """Look in the calling thread. Raises TimeoutError when over budget, LookupError for an unknown entity."""
        look = self._looks.get(entities) or self.prepare(entities)
        where = look.windows if threshold >= FLOOR else look.everywhere
        return self._find([leaf.text for leaf in leaves], look, where, threshold)

    def search(self, texts: Sequence[str], entities: frozenset[str], threshold: float) -> Findings:
        """What `find` must find: every recognizer looks at all of every text. Slow, and for proofs."""
        look = self._looks.get(entities) or self.prepare(entities)
        return self._find(texts, look, look.everywhere, threshold)

    def _find(self, texts: Sequence[str], look: Look, where: Where, threshold: float) -> list[list[Finding]]:
        deadline = Deadline(self.budget)
        found: list[list[Finding]] = [[] for _ in texts]
        veiled: set[int] = set()
        for nth, owner, start, end in where(texts):
            deadline.left()
            if owner == look.veil:
                veiled.add(nth)
            else:
                found[nth].extend(look.recognizers[owner].find(texts[nth], start, end, threshold, deadline))
        behind: list[tuple[int, Reading]] = []
        for nth in sorted(veiled):
            deadline.left()
            behind += [(nth, reading) for reading in readings(texts[nth])]
        for nth, owner, start, end in where([reading.text for _, reading in behind]) if behind else ():
            deadline.left()
            if owner != look.veil:
                original, reading = behind[nth]
                for finding in look.recognizers[owner].find(reading.text, start, end, threshold, deadline):
                    first, last = reading.span(finding.start, finding.end)
                    found[original].append(replace(finding, start=first, end=last))
        return [distinct(findings) if len(findings) > 1 else findings for findings in found]

    def prepare(self, entities: frozenset[str]) -> Look:
        """Compile what looks for `entities` (0.3 s), so that the first message need not wait for it.

        Raises LookupError for an unknown entity.
        """
        unknown = entities - self.entities
        if unknown:
            raise LookupError(f"no recognizer for {', '.join(sorted(unknown))}")
        look = Look([one for one in self.recognizers if one.entity in entities], self.cache)
        return self._looks.setdefault(entities, look)

    def warm(self) -> None:
        """Make every recognizer load what it loads on first use. Raises if one of them finds nothing."""
        leaf = Leaf("", SAMPLE, 0, len(SAMPLE), 0)
        (found,) = self.find([leaf], self.entities, FLOOR)
        silent = self.entities - {finding.entity for finding in found}
        if silent:
            raise RuntimeError(f"a recognizer misses its own sample: {', '.join(sorted(silent))}")


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
