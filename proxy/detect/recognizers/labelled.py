"""Values that are only digits, told by the label in front of them: `ssn: 219099999`, `"mac":["0123456789ab"]`.

For JSON the keys say the same (proxy/detect/keys.py); this is for what reaches the detector as plain text: frames
of protocols that no codec reads, and what people write.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline

SCORE = 0.6  # a weak form beside a hot word


class Labelled:
    """`value` behind `label` and at most eight characters that are no letters or digits."""

    name: str = "label"
    after: int = 2

    def __init__(self, entity: str, label: str, value: str) -> None:
        self.entity = entity
        self.triggers: tuple[str, ...] = (rf"{label}[^0-9a-z]{{1,8}}{value}",)
        self.before = 1
        self._match = regex.compile(
            rf"(?<![a-z0-9]){label}[^0-9a-z]{{1,8}}({value})(?![a-z0-9])", regex.IGNORECASE
        )

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """As in Recognizer."""
        if threshold > SCORE:
            return
        for match in self._match.finditer(
            text, max(0, start - 1), min(len(text), end + 1), timeout=deadline.left()
        ):
            first, last = match.span(1)
            yield Finding(self.entity, first, last, SCORE, self.name)


LABELLED = (
    Labelled("US_SSN", r"[a-z]{0,12}(?:ssn|social[ _-]?security)[ _-]?(?:number|no|nr|num)?", "[0-9]{9}"),
    Labelled("MAC_ADDRESS", r"[a-z_-]{0,12}mac[ _-]?(?:address|addr)?", "[0-9a-f]{12}"),
)
