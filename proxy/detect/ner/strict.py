"""The strict profile: rampart, and spaCy's small English model for what rampart is not sure of.

spaCy alone takes "Convert", "Popen" and "Guilty Pleasures" for people. So it proposes and rampart must second: a
word of the proposal has to have at least SECONDED of rampart's probability. On synthetic prose that keeps nearly
all of the recall of both together at the precision of the better one.
"""

from __future__ import annotations

from proxy.detect.ner.model import ENTITIES, Model, Span
from proxy.detect.ner.rampart import Rampart

SECONDED = 0.02


class Strict:
    """Both models, loaded: some 180 MB, and twice the time of one."""

    name = "rampart+spacy"
    entities = ENTITIES

    def __init__(self, rampart: Rampart, spacy: Model) -> None:
        self._rampart = rampart
        self._spacy = spacy

    def read(self, text: str, threshold: float) -> list[Span]:
        """See Model."""
        own, hints = self._rampart.hinted(text, threshold)
        seconds = [h for h in hints if h.score >= SECONDED]
        proposed = self._spacy.read(text, threshold)
        return own + [span for span in proposed if any(h.start < span.end and span.start < h.end for h in seconds)]
