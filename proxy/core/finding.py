"""A finding is a place, never a value; and how findings that overlap are settled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """Personal data at `start:end` (characters of one leaf's text). Made by a detector.

    Holds no text, so that whatever logs or raises it cannot leak. `score` is 0 to 1, as in Presidio. A tuple: to
    make one takes 0.3 us and to look one up 0.1, a third of what frozen dataclasses need.
    """

    entity: str
    start: int
    end: int
    score: float
    recognizer: str


def strength(finding: Finding) -> tuple[float, int, int]:
    """Sort key, strongest last: surest first, then longest, then leftmost."""
    return (finding.score, finding.end - finding.start, -finding.start)


def clusters(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Group findings that overlap, directly or through others; groups and members from left to right.

    A group is rewritten as one span by its strongest member. Cutting the weaker ones away instead would
    leave the part of them that sticks out on the wire.
    """
    groups: list[list[Finding]] = []
    reach = -1
    for finding in sorted(findings, key=lambda f: (f.start, -f.end)):
        if finding.start < reach:
            groups[-1].append(finding)
        else:
            groups.append([finding])
        reach = max(reach, finding.end)
    return groups
