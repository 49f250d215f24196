"""The detector: a gate over all triggers, and behind it the recognizers, each in windows round its own hits.

Sockets, rules and codecs are unknown here; which recognizers there are is said in presidio.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from proxy.core.finding import Finding, strength
from proxy.core.message import Leaf
from proxy.core.plugs import Findings
from proxy.detect.deadline import Deadline
from proxy.detect.escapes import levels, unescaped
from proxy.detect.gate import Wish, open_gates
from proxy.detect.keygate import KeyGate
from proxy.detect.keys import NO_KEYS, KeyFinder, Keys
from proxy.detect.keys import SCORE as KEY_SCORE
from proxy.detect.look import Look, triggers_of
from proxy.detect.ner import Names
from proxy.detect.presidio import recognizers
from proxy.detect.readings import Reading, readings
from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.detect.windows import Window

# One text in which every recognizer finds something; the values are the examples of their standards.
SAMPLE = (
    "bob@example.com, +1 212-555-0142, 4111 1111 1111 1111, GB82 WEST 1234 5698 7654 32, 219-09-9999, "
    "192.0.2.1, 00:00:5e:00:53:01, 1BoatSLRHtKNngkdXEeobR76b53LETtpyT, db://bob:secret@localhost/"
)

_BACKSLASH = ord("\\")  # as a number: asking for one takes 15 ns, asking for bytes 100

Where = Callable[[Sequence[str]], Iterable[Window]]


def _no_field(_: str) -> bool:
    return False


class Engine:
    """A `Detector` for `entities`: those of everybody, and those of `more` recognizers that a policy brings along.

    `fields` says which paths hold names of a protocol: nobody guesses there.
    `budget` is in seconds, for all leaves of one call. `cache` is a directory for compiled gates; None: they are
    compiled at every start. `keys` are names of keys by entity (ownkeys.py). `names` is a language model for names
    and addresses in prose; None: they are found by their keys alone.
    """

    def __init__(
        self,
        more: Sequence[Recognizer] = (),
        keys: Mapping[str, Sequence[str]] = NO_KEYS,
        fields: Callable[[str], bool] = _no_field,
        *,
        budget: float = 1.0,
        cache: Path | None = None,
        names: Names | None = None,
    ) -> None:
        self.fields = fields
        self.budget = budget
        self.cache = cache
        self.names = names
        self.keys = KeyFinder(keys)
        self._own = recognizers()
        self.recognizers = (*self._own, *more)
        self._brought = frozenset(one.entity for one in more)
        self.entities = self._findable()
        self._looks: dict[frozenset[str], Look] = {}
        self._key_gate = KeyGate(self.keys.triggers, cache)
        self._no_key = self._key_gate.clear

    def _findable(self) -> frozenset[str]:
        by_model = self.names.entities if self.names is not None else frozenset()
        return frozenset(one.entity for one in self.recognizers) | self.keys.entities | by_model

    def heavy(self, entities: frozenset[str]) -> bool:
        """Whether looking for `entities` takes milliseconds even for a short text: the language model reads it."""
        return self.names is not None and not entities.isdisjoint(self.names.entities)

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        """Whether `find` would find nothing in any text of `payload`, told from its bytes alone.

        True only if that is certain. The texts must stand in `payload` in UTF-8, bounded by quotes, control
        characters or nothing, and possibly with backslash escapes: plain text, and JSON in any depth. Raises
        LookupError for an unknown entity.
        """
        look = self._looks.get(entities) or self.prepare(entities)
        if threshold < FLOOR or (self.names is not None and self.heavy(entities)):
            return False
        if _BACKSLASH in payload:
            if any(one.backslashes for one in look.gated):
                return False
            plain = unescaped(payload)
            return look.clear(plain) and (not look.by_key or all(map(self._no_key, levels(payload, plain))))
        return look.clear(payload) and (not look.by_key or self._no_key(payload))

    def near(self, payload: bytes, entities: frozenset[str], threshold: float) -> Sequence[int] | None:
        """Where triggers hit in `payload`, as the ends of their matches; None: every text must be looked at.

        A text that stands there as it is, bounded as `clear` wants it, is hit there where it is hit alone, or one
        character behind it; the trigger of a key hits at the first character of its value. Raises LookupError
        for an unknown entity.
        """
        look = self._looks.get(entities) or self.prepare(entities)
        if threshold < FLOOR or self.heavy(entities):
            return None
        ends = look.ends(payload)
        if ends is None or not look.by_key:
            return ends
        by_key = self._key_gate.ends(payload)
        return None if by_key is None else [*ends, *by_key]

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        """Look in the calling thread. Raises TimeoutError when over budget, LookupError for an unknown entity."""
        look = self._looks.get(entities) or self.prepare(entities)
        where = look.windows if threshold >= FLOOR else look.everywhere
        deadline = Deadline(self.budget)
        brought = self._brought & entities
        texts = ["" if leaf.number and not (brought or Keys.hot(leaf.path)) else leaf.text for leaf in leaves]
        found = self._find(texts, look, where, entities, threshold, deadline)
        for nth, leaf in enumerate(leaves):
            # A bare number is a value only where its key agrees: by its check digit alone one id in ten is a card.
            # What a policy brings along is its own matter; countries want a context word for digits alone.
            if leaf.number and found[nth]:
                told = brought | Keys.hot(leaf.path)
                found[nth] = [one for one in found[nth] if one.entity in told]
        if look.by_key and threshold <= KEY_SCORE:
            for nth, leaf in enumerate(leaves):
                if leaf.path and leaf.text:
                    found[nth] += [one for one in self.keys.find(leaf) if one.entity in entities]
        if self.names is not None and self.heavy(entities):
            for nth, leaf in enumerate(leaves):
                if not leaf.number and leaf.text and not self.fields(leaf.path):  # no protocol field is prose
                    named = self.names.find(leaf.text, threshold, deadline)
                    found[nth] += [one for one in named if one.entity in entities]
        return found

    def search(self, texts: Sequence[str], entities: frozenset[str], threshold: float) -> Findings:
        """What `find` must find: every recognizer looks at all of every text. Slow, and for proofs."""
        look = self._looks.get(entities) or self.prepare(entities)
        return self._find(texts, look, look.everywhere, entities, threshold, Deadline(self.budget))

    def _find(
        self,
        texts: Sequence[str],
        look: Look,
        where: Where,
        entities: frozenset[str],
        threshold: float,
        deadline: Deadline,
    ) -> list[list[Finding]]:
        found: list[list[Finding]] = [[] for _ in texts]
        veiled: set[int] = set()
        for nth, owner, start, end in where(texts):
            deadline.left()
            if owner == look.veil:
                veiled.add(nth)
            elif look.recognizers[owner].entity in entities:
                found[nth].extend(look.recognizers[owner].find(texts[nth], start, end, threshold, deadline))
        behind: list[tuple[int, Reading]] = []
        for nth in sorted(veiled):
            deadline.left()
            behind += [(nth, reading) for reading in readings(texts[nth])]
        for nth, owner, start, end in where([reading.text for _, reading in behind]) if behind else ():
            deadline.left()
            if owner != look.veil and look.recognizers[owner].entity in entities:
                original, reading = behind[nth]
                for finding in look.recognizers[owner].find(reading.text, start, end, threshold, deadline):
                    first, last = reading.span(finding.start, finding.end)
                    found[original].append(finding._replace(start=first, end=last))
        return [distinct(findings) if len(findings) > 1 else findings for findings in found]

    def prepare(self, entities: frozenset[str]) -> Look:
        """Compile what looks for `entities` (seconds, or 0.1 s from the cache), so that no message waits for it.

        What was compiled for more serves too: the gate then stops a little more than it must. Raises LookupError
        for an unknown entity.
        """
        for known, look in list(self._looks.items()):
            if entities <= known:
                return self._looks.setdefault(entities, look)
        unknown = entities - self.entities
        if unknown:
            raise LookupError(f"no recognizer for {', '.join(sorted(unknown))}")
        active = [one for one in self.recognizers if one.entity in entities]
        by_key = not entities.isdisjoint(self.keys.entities)
        wishes = [Wish(triggers_of(active), places=True), *(self._key_gate.wishes if by_key else ())]
        open_gates(wishes, self.cache)  # all at once, for those below: half the time on two cores
        look = Look(active, by_key=by_key, cache=self.cache)
        if by_key:
            self._key_gate.open()
        return self._looks.setdefault(entities, look)

    def warm(self) -> None:
        """Make everything load what it loads on first use: every recognizer, and the looks that were prepared.

        Raises RuntimeError if a recognizer finds nothing. Compiles nothing.
        """
        leaf, deadline = Leaf("", SAMPLE, 0, len(SAMPLE), 0), Deadline(self.budget)
        found = {f.entity for one in self.recognizers for f in one.find(SAMPLE, 0, len(SAMPLE), FLOOR, deadline)}
        for entities in list(self._looks):
            self.find([leaf], entities, FLOOR)
        silent = {one.entity for one in self._own} - found
        if silent:
            raise RuntimeError(f"a recognizer misses its own sample: {', '.join(sorted(silent))}")
        if self.names is not None:
            self.names.warm()


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
