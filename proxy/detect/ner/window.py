"""Cutting a text into windows for a model, and putting what was found in them together again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from proxy.detect.ner.model import Span

SIZE = 480  # characters; rampart was trained on about that much context, and its input ends at 512 tokens
OVERLAP = 64  # more than a name, so that each name is seen whole with some words beside it

_LAST_GAP = re.compile(r"\s(?=\S*\Z)")


def windows(text: str, size: int = SIZE, overlap: int = OVERLAP) -> list[tuple[int, int]]:
    """Spans of at most `size` characters that cover `text`; neighbours share about `overlap` characters.

    Cut between words where there is white space in the last quarter of a window, else where it ends.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > size:
        end = _gap(text, start + size - size // 4, start + size)
        spans.append((start, end))
        start = _gap(text, max(start + 1, end - 2 * overlap), max(start + 2, end - overlap))
    spans.append((start, len(text)))
    return spans


def _gap(text: str, low: int, high: int) -> int:
    """Just behind the last white space in `text[low:high]`; `high` if there is none."""
    found = _LAST_GAP.search(text, low, high)
    return found.end() if found else high


def union(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those of one entity that overlap as one with the best score of them."""
    result: list[Span] = []
    last: dict[str, int] = {}  # entity -> place in result
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        at = last.get(span.entity)
        if at is not None and span.start < result[at].end:
            old = result[at]
            result[at] = replace(old, end=max(old.end, span.end), score=max(old.score, span.score))
        else:
            last[span.entity] = len(result)
            result.append(span)
    return result
