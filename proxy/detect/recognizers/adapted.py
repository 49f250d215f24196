"""Anybody's Presidio recognizers as `Recognizer`s: pattern recognizers in a loop of our own, others as they are.

The patterns, deny lists, context words, validators and scores are theirs. Presidio's loop is not used: it goes on
after a timeout as if nothing had been there. Context words are looked for in the 48 characters before a match, or
where somebody says, whole words only; Presidio wants a language model for that. What a recognizer raises is told
without its text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import regex
from presidio_analyzer import EntityRecognizer, PatternRecognizer

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.detect.recognizers.superset import Shape, shape

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

REACH = 48  # characters before a match in which a context word counts; Presidio looks at five words
BOOST, LEAST = 0.35, 0.4  # what a context word adds to a score, and what it makes of it at least: Presidio's
UNSAID = 0.4  # the most that digits alone score where they need a word
TELLING = 6.0  # bits that a trigger must say at least; one that says less (`\\w{5}`) would hit nearly everywhere
_ENDLESS = 1 << 40


_inside_word = re.compile(r"(?<=\w)(?=\w)").match
_stamp = re.compile(r"\d{4}-\d\d-\Z")  # before `22T08:15`, which is no number plate


class Context(NamedTuple):
    """Words that, in the `within` characters before a match or the `behind` ones after it, raise its score by
    `boost`, and to `least` at least.

    How far and how much is Presidio's, unless somebody says otherwise; the words may be those of its recognizer.
    """

    words: tuple[str, ...] = ()
    within: int = REACH
    behind: int = 0
    boost: float = BOOST
    least: float = LEAST


NO_CONTEXT = Context()


class _Written(NamedTuple):
    """One pattern: compiled, with its score, and what is known about its form."""

    compiled: regex.Pattern[str]
    base: float
    shape: Shape | None


class Adapted:
    """A PatternRecognizer. With `said`, digits alone, and what stands in a timestamp, count only behind one of its
    context words: every tenth unix time has the right check digit."""

    def __init__(self, recognizer: PatternRecognizer, said: bool = False, context: Context = NO_CONTEXT) -> None:
        source: Any = recognizer  # presidio leaves its attributes untyped
        self.entity: str = source.supported_entities[0]
        self.name: str = source.name
        self.source, self.said, self.context = source, said, context
        self.threshold: float = _threshold(source, self.entity)
        self.validates = type(source).validate_result is not PatternRecognizer.validate_result
        self.words = _words(source.context or [])
        flags = source.global_regex_flags
        self.patterns = [
            _Written(regex.compile(p.regex, flags), p.score, shape(p.regex, int(flags))) for p in source.patterns
        ]
        self.triggers = self._triggers()
        longest = [one.shape.longest if one.shape else None for one in self.patterns]
        self.after = _ENDLESS if None in longest else max((size or 0 for size in longest), default=0) + 2
        self.before = 1

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every match whose score, once validated, is at least `threshold`."""
        threshold = max(threshold, self.threshold)
        for compiled, base, form in self.patterns:
            # what begins later may have been cut off by the window's end
            trusted = end if end == len(text) or form is None or form.longest is None else end - form.longest - 1
            match = compiled.search(text, start, end, timeout=deadline.left())
            while match is not None and match.start() <= trusted:
                first, last = match.span()
                score = self._score(text, first, last, base) if last > first else 0.0
                if score >= threshold and score > 0:
                    yield Finding(self.entity, first, last, score, self.name)
                again = last if score >= FLOOR else first + 1
                match = compiled.search(text, again, end, timeout=deadline.left()) if again <= end else None

    def _score(self, text: str, start: int, end: int, base: float) -> float:
        """`base`, 1.0 if the validator confirms, 0.0 if it objects; more behind a context word."""
        value = text[start:end]
        try:
            verdict = self.source.validate_result(value)
            invalid = self.source.invalidate_result(value)
        except Exception:
            # such an error likes to quote the text it failed on
            raise RuntimeError(f"{self.name} could not validate a match") from None
        if verdict is False or invalid:
            return 0.0
        score = 1.0 if verdict else base
        if self.words is not None and self._is_said(self.words, text, start, end):
            return min(1.0, max(score + self.context.boost, self.context.least))
        if self.said and (value.isdecimal() or _stamp.search(text, max(0, start - 8), start)):
            return min(score, UNSAID)
        return score

    def _is_said(self, words: re.Pattern[str], text: str, start: int, end: int) -> bool:
        """Whether one of `words` is near the value."""
        if words.search(text, max(0, start - self.context.within), start):
            return True
        limit = end + self.context.behind
        found = words.search(text, end, limit) if limit > end else None
        return found is not None and not (found.end() == limit and _inside_word(text, limit))

    def _triggers(self) -> tuple[str, ...]:
        """One for each pattern that can reach FLOOR; () if one of these cannot be told by a trigger."""
        found = []
        words = _trigger_words(self.source.context or [])
        for _, base, form in self.patterns:
            alone = self.validates or base >= FLOOR
            if not alone and (self.words is None or base + self.context.boost < FLOOR):
                continue
            told = words and (not alone or (self.said and form is not None and form.digits))
            endless = form is not None and form.longest is None and self.context.behind > 0
            if form is None or (form.bits < TELLING and (endless or not told)):
                return ()
            found += self._behind_or_before(words, form) if words and told else [form.trigger]
        return tuple(found) or (_NEVER,)

    def _behind_or_before(self, words: str, form: Shape) -> list[str]:
        """Triggers for a value that counts only near one of `words`."""
        triggers = [rf"(?:{words}).{{0,{self.context.within}}}{form.trigger}"]
        if self.context.behind and form.longest is None:
            return [form.trigger]  # where it ends is not known
        if self.context.behind:
            triggers.append(rf"{form.trigger}.{{0,{(form.longest or 0) + self.context.behind}}}(?:{words})")
        return triggers


_NEVER = r"\x07{9}"
"""For a recognizer of which nothing can reach FLOOR: nine bells."""


class Foreign:
    """Any other recognizer, for one of its entities: looks at every text as a whole, in its own way."""

    triggers: tuple[str, ...] = ()
    before = after = 0

    def __init__(self, recognizer: EntityRecognizer, entity: str) -> None:
        source: Any = recognizer
        self.source, self.entity, self.name = source, entity, str(source.name)
        self.threshold: float = _threshold(source, entity)
        self.artifacts = _nothing(source.supported_language)

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """What it reports between `start` and `end`. Raises TimeoutError if that took too long, and RuntimeError
        for whatever it raises, or if it reports places that are none."""
        threshold = max(threshold, self.threshold)
        deadline.left()
        try:
            results = self.source.analyze(text, [self.entity], self.artifacts)
            places = [(r.entity_type, int(r.start), int(r.end), float(r.score)) for r in results or ()]
        except Exception:
            raise RuntimeError(f"{self.name} failed") from None
        deadline.left()  # Presidio's own loop passes over a pattern that takes too long
        for entity, first, last, score in places:
            if not (0 <= first < last <= len(text) and 0 <= score <= 1):
                raise RuntimeError(f"{self.name} reported a place that is not in the text")
            if entity == self.entity and score >= threshold and score > 0 and start <= first and last <= end:
                yield Finding(entity, first, last, score, self.name)


def adapt(recognizer: EntityRecognizer, said: bool = False) -> tuple[Recognizer, ...]:
    """`recognizer` as one Recognizer for each of its entities. Raises ValueError if it needs a language model."""
    if _reads_spacy(recognizer):
        raise ValueError(f"{type(recognizer).__name__} needs a language model, which is not loaded here")
    kind = type(recognizer)
    if isinstance(recognizer, PatternRecognizer) and kind.analyze is PatternRecognizer.analyze:
        return (Adapted(recognizer, said),)
    entities: list[str] = recognizer.get_supported_entities()
    return tuple(Foreign(recognizer, entity) for entity in entities)


SPACY = "presidio_analyzer.predefined_recognizers.nlp_engine_recognizers.spacy_recognizer"


def _reads_spacy(recognizer: EntityRecognizer) -> bool:
    """Whether it is a SpacyRecognizer: never, as long as nobody has imported that class (and with it spaCy)."""
    module = sys.modules.get(SPACY)
    return module is not None and isinstance(recognizer, module.SpacyRecognizer)


def _nothing(language: str) -> NlpArtifacts:
    """What Presidio hands to recognizers when there is no language model. It is made of spaCy's classes."""
    from presidio_analyzer.nlp_engine import NoOpNlpEngine  # noqa: PLC0415

    engine = NoOpNlpEngine([{"lang_code": language, "model_name": "none"}])
    engine.load()
    return engine.process_text("", language)


def _threshold(source: Any, entity: str) -> float:
    """The least score that the recognizer's own settings let through."""
    own = source.score_thresholds
    return float(own.get(entity, own.get("default", 0.0)))


def _words(context: list[str]) -> re.Pattern[str] | None:
    words = "|".join(re.escape(word) for word in sorted(context, key=len, reverse=True) if word.strip())
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None


def _trigger_words(context: list[str]) -> str | None:
    """The words as one part of a trigger; None if one of them is too short to tell anything."""
    parts = [shape(re.escape(word), re.IGNORECASE) for word in context if word.strip()]
    if any(part is None or part.bits < TELLING for part in parts):
        return None
    return "|".join(part.trigger for part in parts if part)
