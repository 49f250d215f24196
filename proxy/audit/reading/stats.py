"""Statistics from the index: counts by quarters of an hour, so that they never look at events.

Whole quarters are counted: a time in between is taken back to the beginning of its quarter, or on to its end.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, NamedTuple

from proxy.audit.reading.asking import marks, outlines_sql, treatments_sql
from proxy.audit.reading.index_tables import QUARTER
from proxy.audit.reading.question import Question
from proxy.core.operators import CLOSE

SECOND = 10**9
AT_MOST = 1 << 62


class Sum(NamedTuple):
    """Findings that have all these in common. Those of kind `refuse` were stopped: nothing was redacted."""

    kind: str
    route: str
    way: str
    policy: str
    verdict: str
    entity: str
    rule: str
    operator: str
    recognizer: str
    mode: str
    findings: int

    @property
    def stopped(self) -> bool:
        """Whether a rule closed the connection: nothing of the message was passed on."""
        return self.kind == "refuse"

    @property
    def became(self) -> str:
        """The operator; of what was stopped it is the one that stopped it."""
        return CLOSE if self.stopped else self.operator


class Events(NamedTuple):
    """Events that have all these in common. Sizes are bytes of payload."""

    kind: str
    route: str | None
    way: str | None
    policy: str | None
    verdict: str | None
    cause: str | None
    events: int
    size_in: int
    size_out: int


class Sessions(NamedTuple):
    """Connections that were opened or closed in the time asked for. Seconds, messages (clean ones too) and
    findings are of those closed."""

    opened: int
    closed: int
    seconds: float
    messages: int
    findings: int


class Stats:
    """Counts of what fits a question, but for its session and client: `findings` of every combination of names,
    `events` likewise (whatever the question says about findings), `over_time`: findings in force, but for those
    that were stopped, by the beginning of their quarter of an hour (Unix time in seconds), and `sessions` of the
    routes asked for. The index is asked once for each."""

    def __init__(self, db: sqlite3.Connection, question: Question) -> None:
        self.db, self.question = db, question
        self.since = None if question.since is None else question.since // QUARTER * QUARTER
        self.until = None if question.until is None else -(-question.until // QUARTER) * QUARTER
        span = "quarter >= ? AND quarter < ?"
        ends: list[Any] = [
            (self.since or 0) // QUARTER,
            (AT_MOST if self.until is None else self.until) // QUARTER,
        ]
        outlines, given = outlines_sql(question)
        treatments, more = treatments_sql(question)
        self._outlines = f"JOIN outlines ON outlines.id = outline WHERE {span} AND {outlines}"
        self._treatments = (
            "JOIN outlines ON outlines.id = outline JOIN treatments ON treatments.id = treatment"
            f" WHERE {span} AND {outlines} AND {treatments}"
        )
        self._given, self._given_all = ends + given, ends + given + more
        self.findings, self.events = cache(self._findings), cache(self._events)
        self.over_time, self.sessions = cache(self._over_time), cache(self._sessions)

    def _findings(self) -> list[Sum]:
        rows = self.db.execute(
            "SELECT kind, route, way, policy, verdict, entity, rule, operator, recognizer, mode, sum(n) FROM"
            " (SELECT outline, treatment, sum(findings) AS n FROM finding_counts"
            f" {self._treatments} GROUP BY outline, treatment)"  # names only once they are few
            " JOIN outlines ON outlines.id = outline JOIN treatments ON treatments.id = treatment"
            " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
            self._given_all,
        )
        return [Sum._make(row) for row in rows]

    def _events(self) -> list[Events]:
        rows = self.db.execute(
            "SELECT kind, route, way, policy, verdict, cause, sum(events), sum(size_in), sum(size_out) FROM counts"
            f" {self._outlines} GROUP BY 1, 2, 3, 4, 5, 6",
            self._given,
        )
        return [Events._make(row) for row in rows]

    def _over_time(self) -> dict[int, int]:
        rows = self.db.execute(
            "SELECT quarter, sum(findings) FROM finding_counts"
            f" {self._treatments} AND mode = 'enforce' AND kind = 'message' GROUP BY quarter ORDER BY quarter",
            self._given_all,
        )
        return {quarter * QUARTER // SECOND: count for quarter, count in rows}

    def _sessions(self) -> Sessions:
        routes = self.question.route
        where = f"AND route IN ({marks(routes)})" if routes else ""
        ends = (self.since or 0, AT_MOST if self.until is None else self.until, *routes)
        opened = self.db.execute(
            f"SELECT count(*) FROM sessions WHERE opened >= ? AND opened < ? {where}", ends
        ).fetchone()
        closed = self.db.execute(
            "SELECT count(*), coalesce(sum(ms), 0) / 1000.0, coalesce(sum(messages), 0),"
            f" coalesce(sum(findings), 0) FROM sessions WHERE closed >= ? AND closed < ? {where}",
            ends,
        ).fetchone()
        return Sessions._make((*opened, *closed))


def by(
    rows: Iterable[Any], name: Callable[[Any], str | None], count: Callable[[Any], int]
) -> list[tuple[str, int]]:
    """Sums by a name, the largest first; rows without one are left out."""
    sums: Counter[str] = Counter()
    for row in rows:
        if (key := name(row)) is not None:
            sums[key] += count(row)
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def by_time(quarters: dict[int, int], *, days: bool, zone: tzinfo | None = None) -> list[tuple[datetime, int]]:
    """Sums by hour, or by day, of `zone` (this machine's), in order; those without any in between too."""
    sums: Counter[datetime] = Counter()
    for start, count in quarters.items():
        sums[_begin(start, days=days, zone=zone)] += count
    made: list[tuple[datetime, int]] = []
    when, end = min(sums, default=None), max(sums, default=None)
    while when is not None and end is not None and when <= end:
        made.append((when, sums[when]))
        when = _begin(
            when.timestamp() + (26 if days else 1) * 3600, days=days, zone=zone
        )  # a day has 23 to 25 hours
    return made


def _begin(seconds: float, *, days: bool, zone: tzinfo | None) -> datetime:
    here = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return here.replace(minute=0, second=0, microsecond=0, hour=0 if days else here.hour)
