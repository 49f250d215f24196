"""How well detectors find: spans, what is covered of them, recall and precision. Knows no detector and no corpus.

A gold span counts as found when at least 90 % of its characters are covered by what was predicted, of any type:
what is covered does not leak. Predicted spans that overlap are merged; one is right if it touches any gold span.
Gold spans without a type are neutral: what touches only those counts neither way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

COVERED = 0.9


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start:end` of a message; `entity` None is neutral."""

    start: int
    end: int
    entity: str | None


@dataclass(slots=True)
class Score:
    """Counts, and what one wants to know of them; None where there is nothing to divide by."""

    gold: int = 0
    found: int = 0
    predicted: int = 0
    right: int = 0

    @property
    def recall(self) -> float | None:
        return self.found / self.gold if self.gold else None

    @property
    def precision(self) -> float | None:
        return self.right / self.predicted if self.predicted else None

    @property
    def f2(self) -> float | None:
        """Recall weighs double: (1 + 4) P R / (4 P + R)."""
        recall, precision = self.recall, self.precision
        if recall is None or precision is None:
            return None
        return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


@dataclass(slots=True)
class Board:
    """Scores of one detector on one set: of all together, and by entity (`label` of a hiding place instead)."""

    total: Score = field(default_factory=Score)
    by: dict[str, Score] = field(default_factory=dict)

    def add(
        self, gold: Sequence[Span], spans: Iterable[Span], label: str | None = None
    ) -> tuple[list[Span], list[Span]]:
        """Count one message; returns the gold spans that were missed, and the spans that were wrong."""
        spans = list(spans)
        reach = merged(spans)
        missed = [one for one in gold if one.entity and not is_covered(one, reach)]
        for one in gold:
            if one.entity:
                for score in (self.total, self._of(label or one.entity)):
                    score.gold += 1
                    score.found += one not in missed
        for start, end in reach:
            self._judge(self.total, Span(start, end, None), gold)
        for entity in {span.entity for span in spans if span.entity}:
            for start, end in merged(span for span in spans if span.entity == entity):
                self._judge(self._of(label or entity), Span(start, end, entity), gold)
        wrong = [span for span in spans if not any(touches(span, one) for one in gold)]
        return missed, wrong

    def _of(self, label: str) -> Score:
        return self.by.setdefault(label, Score())

    @staticmethod
    def _judge(score: Score, span: Span, gold: Sequence[Span]) -> None:
        touched = [one for one in gold if touches(span, one)]
        right = any(one.entity for one in touched)
        if right or not touched:
            score.predicted += 1
            score.right += right


def merged(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """What the spans cover, as places that do not overlap, from left to right."""
    places: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda s: s.start):
        if places and span.start < places[-1][1]:
            places[-1] = (places[-1][0], max(places[-1][1], span.end))
        else:
            places.append((span.start, span.end))
    return places


def is_covered(gold: Span, places: Iterable[tuple[int, int]]) -> bool:
    """Whether at least 90 % of `gold` lies in `places`."""
    covered = sum(max(0, min(end, gold.end) - max(start, gold.start)) for start, end in places)
    return covered >= COVERED * (gold.end - gold.start)


def touches(one: Span, other: Span) -> bool:
    """Whether they share a character."""
    return one.start < other.end and other.start < one.end


def only(spans: Iterable[Span], entities: Collection[str]) -> list[Span]:
    """Spans of `entities`; others that have a type become neutral."""
    return [span if span.entity in entities else Span(span.start, span.end, None) for span in spans]
