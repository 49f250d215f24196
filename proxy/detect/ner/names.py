"""The door of this room: text in, findings out. Prose only, window by window, within a deadline, remembered.

Which thread calls is the caller's business: `weight` tells how much work a text is. Several may call at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.ner.address import addresses
from proxy.detect.ner.cache import Cache
from proxy.detect.ner.doubt import doubtful
from proxy.detect.ner.model import LOCATION, PERSON, Model, Span
from proxy.detect.ner.prose import is_prose
from proxy.detect.ner.window import union, windows

CEILING = 0.85
"""No finding of a model scores more (Presidio's figure too): a key (.9) or a checksum (1.0) wins an overlap."""

_SURROGATE = re.compile("[\ud800-\udfff]")

SAMPLE = "My name is Anna Kovács and I live at 12 Market Street, Boston."


class Names:
    """What `models` find together. `entities` are what they can find; `cached` bounds the texts remembered."""

    def __init__(self, models: Sequence[Model], cached: int = 4096) -> None:
        self.models = tuple(models)
        self.name = "+".join(model.name for model in models)
        self.entities = frozenset().union(*(model.entities for model in models))
        self._cache: Cache[tuple[Finding, ...]] = Cache(cached)

    def weight(self, text: str) -> int:
        """Windows that a model must read, about 10 ms of one core each; 0: `find` answers at once (< 0.1 ms)."""
        return len(self.models) * len(windows(text)) if is_prose(text) else 0

    def known(self, text: str, threshold: float) -> bool:
        """Whether `find` would answer from memory."""
        return self._cache.get(self._cache.key(text, threshold)) is not None

    def find(self, text: str, threshold: float, deadline: Deadline) -> list[Finding]:
        """Names in `text` that score at least `threshold`; none where it is no prose.

        Raises TimeoutError when `deadline` is over, looked at before each window: one takes up to 50 ms more.
        """
        if threshold > CEILING or not is_prose(text):
            return []
        key = self._cache.key(text, threshold)
        found = self._cache.get(key)
        if found is None:
            found = tuple(self._look(text, threshold, deadline))
            self._cache.put(key, found)
        return list(found)

    def warm(self) -> None:
        """Load everything that a first text would load. Raises RuntimeError if the sample's names are missed."""
        found = self._look(SAMPLE, 0.5, Deadline(60.0))
        missed = self.entities & {PERSON, LOCATION} - {finding.entity for finding in found}
        if missed:
            raise RuntimeError(f"{self.name} misses its own sample: {', '.join(sorted(missed))}")

    def _look(self, text: str, threshold: float, deadline: Deadline) -> list[Finding]:
        text = _SURROGATE.sub("\ufffd", text)  # JSON can spell one alone; it has no UTF-8, which tokenizers need
        found: list[Finding] = []
        for model in self.models:
            spans: list[Span] = []
            for start, end in windows(text):
                deadline.left()
                read = model.read(text[start:end], threshold)
                spans += [replace(span, start=span.start + start, end=span.end + start) for span in read]
            sure = [span for span in union(spans) if not doubtful(text, span)]
            found += [
                Finding(span.entity, span.start, span.end, min(span.score, CEILING), model.name)
                for span in addresses(text, sure)
            ]
        return found
