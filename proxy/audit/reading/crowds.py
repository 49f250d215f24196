"""An event with very many findings, made small: the first LISTED of them, and how many there are of each sort.

One message can have 65,536 findings, which are 7 MB of JSON: a page of such events would be of no use to anybody.
The log has all of them; `hushwire audit export` and the admin API's door of one event hand them on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from proxy.audit import events

LISTED = 100
"""Findings of one event that answers list: 10 kB of JSON."""


class Sort(NamedTuple):
    """Findings of one event that were dealt with alike: how many, their shortest and longest length, their lowest
    and highest score."""

    entity: str
    rule: str
    recognizer: str
    operator: str
    mode: str
    findings: int
    length: tuple[int, int]
    score: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """With the names that the log has for a finding."""
        told = named(self.entity, self.rule, self.recognizer, self.operator, self.mode)
        return told | {"count": self.findings, "len": self.length, "score": self.score}


def named(entity: str, rule: str, recognizer: str, operator: str, mode: str) -> dict[str, Any]:
    """How a finding was dealt with, as the log says it."""
    told = {"entity": entity, "rule": rule, "recognizer": recognizer, "op": operator}
    return told if mode == "enforce" else told | {"mode": mode}


def sorts(dealt: Iterable[tuple[tuple[str, str, str, str, str], int, float]]) -> tuple[Sort, ...]:
    """Findings, each by how it was dealt with, its length and its score; the sort that comes first, first."""
    found: dict[tuple[str, str, str, str, str], list[tuple[int, float]]] = {}
    for how, length, score in dealt:
        found.setdefault(how, []).append((length, score))
    made = []
    for how, sizes in found.items():
        lengths, scores = zip(*sizes, strict=True)
        made.append(Sort(*how, len(sizes), (min(lengths), max(lengths)), (min(scores), max(scores))))
    return tuple(made)


def ordered(made: Iterable[Sort]) -> tuple[Sort, ...]:
    """The most frequent first."""
    return tuple(sorted(made, key=lambda one: (-one.findings, one)))


def sorts_of(found: Sequence[events.Finding]) -> tuple[Sort, ...]:
    """Of an event's findings, however many; the most frequent sort first."""
    dealt = (((one.entity, one.rule, one.recognizer, one.op, one.mode), one.len, one.score) for one in found)
    return ordered(sorts(dealt))


def summary(every: Sequence[Sort]) -> dict[str, Any]:
    """What answers have as `f_all` beside the `f` of an event that has more than LISTED."""
    return {"count": sum(one.findings for one in every), "sorts": [one.as_json() for one in every]}


def short(event: events.Any) -> bytes:
    """An event as JSON: as it stands in the log, but for findings that are not listed."""
    found = events.findings(event)
    if len(found) <= LISTED:
        return events.encode(event)
    told = msgspec.to_builtins(msgspec.structs.replace(event, f=found[:LISTED]))
    return events.encode(told | {"f_all": summary(sorts_of(found))})
