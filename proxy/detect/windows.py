"""Where to look: windows round the hits of a gate, in characters of each text. Knows no recognizer and no engine.

Several texts are scanned as one, because a scan costs 0.2 us before it begins; a window never leaves its text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from proxy.detect.gate import JOINT, Gate, Scan


class Reach(NamedTuple):
    """Whose trigger it is, and how many characters left and right of its match's end are to be seen."""

    owner: int
    left: int
    right: int


class Window(NamedTuple):
    """`start:end` of the text number `text` is for `owner` to look at."""

    text: int
    owner: int
    start: int
    end: int


def windows(texts: Sequence[str], gate: Gate, reaches: Sequence[Reach]) -> Iterable[Window]:
    """Every window of `texts`. Those of one owner in one text are in order and, as a rule, do not overlap."""
    joined = texts[0] if len(texts) == 1 else JOINT.join(texts)
    # a lone surrogate (JSON can spell one) has no UTF-8; it matches nothing that "?" does not match
    data = joined.encode(errors="replace")
    scan = gate.scan(data)
    if not scan.hits and not scan.whole:
        return ()
    return _windows(texts, joined, data, scan, reaches)


def _windows(
    texts: Sequence[str], joined: str, data: bytes, scan: Scan, reaches: Sequence[Reach]
) -> Iterator[Window]:
    for owner in scan.whole:
        yield from (Window(number, owner, 0, len(text)) for number, text in enumerate(texts) if text)
    starts = list(accumulate((len(text) + len(JOINT) for text in texts[:-1]), initial=0))
    open_: dict[int, Window] = {}  # by owner
    for trigger, at in _in_characters(scan.hits, joined, data):
        owner, left, right = reaches[trigger]
        if owner in scan.whole:
            continue
        number = bisect_right(starts, at) - 1
        base, length = starts[number], len(texts[number])
        start, end = max(at - base - left, 0), min(at - base + right, length)
        if start >= end:
            continue  # all of the hit lies between two texts
        last = open_.get(owner)
        if last is None:
            open_[owner] = Window(number, owner, start, end)
        elif last.text == number and start <= last.end:
            open_[owner] = Window(number, owner, min(start, last.start), max(end, last.end))
        else:
            yield last
            open_[owner] = Window(number, owner, start, end)
    yield from open_.values()


def _in_characters(hits: Sequence[tuple[int, int]], joined: str, data: bytes) -> Iterator[tuple[int, int]]:
    """The hits from left to right, with their ends counted in characters instead of bytes."""
    ordered = sorted(hits, key=_end)
    if len(joined) == len(data):
        yield from ordered
        return
    at = characters = 0
    for trigger, end in ordered:
        if end != at:
            characters += len(data[at:end].decode())
            at = end
        yield trigger, characters


def _end(hit: tuple[int, int]) -> int:
    return hit[1]
