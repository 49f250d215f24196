"""Exceptions end. One that has changes nothing any more: it is as if it were not written."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.rulebook.faults import Fault
from proxy.rulebook.merge import Merged
from proxy.rulebook.schema import ExceptText, RuleText, moment


def _end(written: ExceptText) -> float | None:
    return None if written.expires is None else moment(written.expires)


def live(written: RuleText, now: float) -> list[tuple[int, ExceptText]]:
    """The exceptions of a rule that have not ended at `now`, with their places in its list."""
    return [(i, one) for i, one in enumerate(written.except_) if (end := _end(one)) is None or end > now]


def next_end(merged: Merged, now: float) -> float | None:
    """When the first of those ends, in Unix time."""
    ends = [_end(one) for piece in merged.rules for _, one in live(piece.written, now)]
    return min((end for end in ends if end is not None), default=None)


def ended(merged: Merged, now: float) -> Iterator[Fault]:
    """What is worth saying about those that have."""
    for piece in merged.rules:
        kept = {i for i, _ in live(piece.written, now)}
        for i, one in enumerate(piece.written.except_):
            if i not in kept:
                sentence = f"this exception ended {one.expires}, so it changes nothing"
                yield piece.fault("W001", sentence, "take it out", at=("except", i, "expires"))
