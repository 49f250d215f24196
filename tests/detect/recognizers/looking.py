"""A small engine that holds recognizers to their contract: windows around their own triggers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import regex

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.gate import Trigger, open_gate
from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.detect.triggers import width
from proxy.detect.windows import Reach
from proxy.detect.windows import windows as gate_windows


def windows(recognizer: Recognizer, text: str, ends_only: bool = False) -> list[tuple[int, int]]:
    """What a gate would have looked at, merged. `ends_only`: it knows where a match ends, not where it began."""
    if not recognizer.triggers:
        return [(0, len(text))]
    spans = []
    for trigger in recognizer.triggers:
        widest = width(trigger)
        assert widest is not None, trigger
        for hit in regex.finditer(trigger, text, regex.I | regex.S | regex.M, overlapped=True):
            start = hit.end() - widest if ends_only else hit.start()
            spans.append((max(0, start - recognizer.before), min(len(text), hit.end() + recognizer.after)))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class Gated:
    """Several recognizers behind the gate that will run."""

    def __init__(self, recognizers: Sequence[Recognizer]) -> None:
        self.recognizers = recognizers
        triggers = [Trigger(n, regex) for n, one in enumerate(recognizers) for regex in one.triggers]
        self.gate = open_gate(triggers)
        self.reaches = [
            Reach(n, (width(regex) or 0) + one.before, one.after)
            for n, one in enumerate(recognizers)
            for regex in one.triggers
        ]

    def look(self, text: str) -> set[Finding]:
        """What is found in the gate's windows."""
        found: set[Finding] = set()
        for window in gate_windows([text], self.gate, self.reaches):
            one = self.recognizers[window.owner]
            found.update(one.find(text, window.start, window.end, FLOOR, Deadline(30)))
        return found


def look(recognizer: Recognizer, text: str, threshold: float = 0.5, ends_only: bool = False) -> set[Finding]:
    """What is found in the windows."""
    found: set[Finding] = set()
    for start, end in windows(recognizer, text, ends_only):
        found.update(recognizer.find(text, start, end, threshold, Deadline(30)))
    return found


def look_everywhere(recognizer: Recognizer, text: str, threshold: float = 0.5) -> set[Finding]:
    """What is found when the whole text is one window."""
    return set(recognizer.find(text, 0, len(text), threshold, Deadline(30)))


def values(recognizers: Recognizer | Iterable[Recognizer], text: str, threshold: float = 0.5) -> set[str]:
    """The texts found; a part of a longer one is left out."""
    several = recognizers if isinstance(recognizers, Iterable) else (recognizers,)
    found = {(f.start, f.end) for recognizer in several for f in look(recognizer, text, threshold)}
    return {
        text[start:end]
        for start, end in found
        if not any(left <= start and end <= right and (left, right) != (start, end) for left, right in found)
    }
