"""Our recognizers as Presidio's, for its AnalyzerEngine: `registry.add_recognizer(AsPresidio(Email()))`."""

from __future__ import annotations

from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from proxy.detect.deadline import Deadline
from proxy.detect.recognizer import FLOOR, Recognizer


class AsPresidio(LocalRecognizer):
    """One `Recognizer`. `budget` is in seconds, for one text; over it, `analyze` raises TimeoutError."""

    def __init__(
        self, recognizer: Recognizer, threshold: float = FLOOR, budget: float = 1.0, supported_language: str = "en"
    ) -> None:
        self.recognizer, self.threshold, self.budget = recognizer, threshold, budget
        super().__init__(
            supported_entities=[recognizer.entity], name=recognizer.name, supported_language=supported_language
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """Everything of at least `threshold` in `text`, if `entities` ask for it."""
        del nlp_artifacts  # no language model is needed
        if self.recognizer.entity not in entities:
            return []
        found = self.recognizer.find(text, 0, len(text), self.threshold, Deadline(self.budget))
        return [RecognizerResult(f.entity, f.start, f.end, f.score) for f in found]
