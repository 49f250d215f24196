"""Counters of one process as plain ints, because the hot path bumps them; admin turns them into metrics.

Single writer (the event loop), so no locks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import TypedDict

from proxy.core.action import ENFORCE, LEAKED, REFUSED, Cause, Note
from proxy.core.message import Direction
from proxy.core.operators import KEEP

# Upper bounds in seconds of the latency histogram; one more bucket for everything slower.
BOUNDS = (0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


class RulesState(TypedDict):
    """Which rules are in force: proxy/rulebook/live.py knows.

    `in_force` counts processes by `DIGEST name`, `stale` those whose files say what cannot go live. `swapped` is
    when rules went live last, Unix time.
    """

    in_force: dict[str, int]
    reloads: dict[str, int]
    stale: int
    swapped: float


class AuditState(TypedDict):
    """What became of the audit log: proxy/audited.py knows.

    `waiting` counts legs, `stuck` processes whose log takes nothing, `unsynced` blocks, `unshipped` events by
    sink.
    """

    events: int
    blocks: int
    bytes: int
    lost: int
    waiting: int
    stuck: int
    stuck_seconds: float
    unsynced: int
    unshipped: dict[str, int]


class Snapshot(TypedDict):
    """Counters of one process, or of several added up. JSON-able; a key of `redactions` is `ENTITY direction`."""

    connections: int
    open: int
    messages: list[int]
    bytes: list[int]
    handshakes_refused: dict[str, int]
    redactions: dict[str, int]
    refusals: dict[str, int]
    leaks: dict[str, int]
    latency: list[int]
    latency_sum: float
    rules: RulesState
    audit: AuditState | None


class Tally:
    """What one process did since it started."""

    __slots__ = (
        "bytes",
        "connections",
        "handshakes_refused",
        "latency",
        "latency_sum",
        "leaks",
        "messages",
        "open",
        "redactions",
        "refusals",
    )

    def __init__(self) -> None:
        self.connections = 0  # accepted, ever
        self.open = 0  # accepted and not yet ended
        self.messages = [0, 0]  # forwarded data messages, by Direction
        self.bytes = [0, 0]  # bytes received in frames, headers included, by Direction
        self.handshakes_refused: Counter[str] = Counter()  # by reason: upstream_timeout, per_address, ...
        self.redactions: Counter[tuple[str, Direction]] = Counter()
        self.refusals: Counter[Cause] = Counter()
        self.leaks: Counter[Cause] = Counter()  # forwarded uninspected
        self.latency = [0] * (len(BOUNDS) + 1)  # messages somebody looked at, by time in the pipeline
        self.latency_sum = 0.0

    def note(self, note: Note) -> None:
        """Count a Note (a NoteSink)."""
        if note.cause is not None:
            (self.leaks if note.verdict == LEAKED else self.refusals)[note.cause] += 1
        for done in note.findings if note.verdict != REFUSED else ():  # what was stopped was not redacted
            if done.operator != KEEP and done.mode == ENFORCE:
                self.redactions[done.entity, note.direction] += 1

    def took(self, seconds: float) -> None:
        """Count the time one message spent in the pipeline."""
        self.latency[bisect_left(BOUNDS, seconds)] += 1
        self.latency_sum += seconds

    def snapshot(self) -> Snapshot:
        """All counters as JSON-able values; `merge` adds such snapshots of several processes."""
        return {
            "connections": self.connections,
            "open": self.open,
            "messages": list(self.messages),
            "bytes": list(self.bytes),
            "handshakes_refused": dict(self.handshakes_refused),
            "redactions": {f"{e} {d.label}": n for (e, d), n in self.redactions.items()},
            "refusals": {cause.value: n for cause, n in self.refusals.items()},
            "leaks": {cause.value: n for cause, n in self.leaks.items()},
            "latency": list(self.latency),
            "latency_sum": self.latency_sum,
            "rules": {"in_force": {}, "reloads": {}, "stale": 0, "swapped": 0.0},
            "audit": None,
        }


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The sum of `snapshots`; of none, a snapshot in which nothing happened."""
    total = Tally().snapshot()
    for one in snapshots:
        total["connections"] += one["connections"]
        total["open"] += one["open"]
        total["latency_sum"] += one["latency_sum"]
        total["messages"] = _add(total["messages"], one["messages"])
        total["bytes"] = _add(total["bytes"], one["bytes"])
        total["latency"] = _add(total["latency"], one["latency"])
        total["handshakes_refused"] = _count(total["handshakes_refused"], one["handshakes_refused"])
        total["redactions"] = _count(total["redactions"], one["redactions"])
        total["refusals"] = _count(total["refusals"], one["refusals"])
        total["leaks"] = _count(total["leaks"], one["leaks"])
        total["rules"] = _both(total["rules"], one["rules"])
        total["audit"] = _audits(total["audit"], one["audit"])
    return total


def left_by(dead: Snapshot) -> Snapshot:
    """What a process has counted that is gone: its connections and its rules died with it."""
    rules: RulesState = {**dead["rules"], "in_force": {}, "stale": 0}
    audit = dead["audit"]
    if audit is not None:
        audit = {**audit, "waiting": 0, "stuck": 0, "unsynced": 0, "unshipped": {}}
    return {**dead, "open": 0, "rules": rules, "audit": audit}


def _both(a: RulesState, b: RulesState) -> RulesState:
    return {
        "in_force": _count(a["in_force"], b["in_force"]),
        "reloads": _count(a["reloads"], b["reloads"]),
        "stale": a["stale"] + b["stale"],
        "swapped": max(a["swapped"], b["swapped"]),
    }


def _audits(a: AuditState | None, b: AuditState | None) -> AuditState | None:
    if a is None or b is None:
        return b if a is None else a
    return {
        "events": a["events"] + b["events"],
        "blocks": a["blocks"] + b["blocks"],
        "bytes": a["bytes"] + b["bytes"],
        "lost": a["lost"] + b["lost"],
        "waiting": a["waiting"] + b["waiting"],
        "stuck": a["stuck"] + b["stuck"],
        "stuck_seconds": a["stuck_seconds"] + b["stuck_seconds"],
        "unsynced": a["unsynced"] + b["unsynced"],
        "unshipped": _count(a["unshipped"], b["unshipped"]),
    }


def _add(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)]


def _count(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}
