"""Answers from the index: the newest events that fit a question, in well under 0.3 s over 10 million.

A question about names is settled on the small tables: it becomes the set of shapes that fit. Of each of them the
index (shape, t) has the events in order of time. The newest `limit` of all are found without sorting what there
is: no event older than the `limit`th of one shape can be among them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from proxy.audit.reading.asking import desks_of, marks, shapes_of
from proxy.audit.reading.hits import Found, Hit, hits_of
from proxy.audit.reading.index import Index
from proxy.audit.reading.question import FARTHEST, Question

__all__ = ["COUNTED", "Cursor", "Found", "Hit", "Page", "hits_of", "search"]

COUNTED = 10_000  # how many more there are is counted so far
TRIED = 64  # shapes that may say from when on to look
TOGETHER = 200  # sessions of a client that are asked for at once
FEW = 20_000  # events of shapes, below which a client's sessions are compared with them


class Cursor(NamedTuple):
    """Where a page ended: time and id of its last hit."""

    t: int
    id: int


class Page(NamedTuple):
    """Hits, newest first. `more` counts those behind them, up to COUNTED; `after` continues with them."""

    hits: list[Hit]
    more: int
    after: Cursor | None


def search(index: Index, question: Question, limit: int = 50, after: Cursor | None = None) -> Page:
    """The newest events that fit, `limit` of them, behind the page that ended `after`."""
    db = index.db
    wanted = Wanted(db, question)
    if not wanted.possible:
        return Page([], 0, None)
    before = Cursor(wanted.until, 0) if after is None else Cursor(*(min(max(one, 0), FARTHEST) for one in after))
    newest = wanted.newest(limit, before)
    hits = hits_of(db, [number for _, number in newest])
    if len(newest) < limit:
        return Page(hits, 0, None)
    last = Cursor(*newest[-1])
    more = len(wanted.newest(COUNTED, last, times=False))
    return Page(hits, more, last if more else None)


class Wanted:
    """What a question asks of the tables. `possible` is False if no event can fit."""

    def __init__(self, db: sqlite3.Connection, question: Question) -> None:
        self.db, self.question = db, question
        self.since = -FARTHEST if question.since is None else question.since
        self.until = FARTHEST if question.until is None else question.until
        self.session = _session(db, question)
        self.narrowed = question.session is None or bool(question.given().keys() - {"session", "since", "until"})
        self.shapes = shapes_of(db, question) if self.narrowed else []
        self.ends = [] if question.desks else shapes_of(db, Question(kind=("start", "stop")))
        self.hidden = desks_of(db, self.ends)
        self.possible = bool(self.shapes or not self.narrowed) and (question.session is None or bool(self.session))

    def newest(self, limit: int, before: Cursor, *, times: bool = True) -> list[tuple[int, int]]:
        """(time, id) of the newest that fit behind `before`, newest first; in no order without `times`."""
        if self.session is not None:
            return self._of_session(limit, before)
        if self.question.client:
            return self._of_client(limit, before)
        since = self._from_when(limit, before) if times else self.since
        order = "ORDER BY t DESC, events.id DESC" if times else ""
        return self.db.execute(
            "SELECT t, events.id FROM json_each(?) AS wanted CROSS JOIN events INDEXED BY events_by_shape"
            " ON shape = wanted.value AND t BETWEEN ? AND ? WHERE (t < ? OR events.id < ?)"
            f" AND events.id NOT IN (SELECT value FROM json_each(?)) {order} LIMIT ?",
            (json.dumps(self.shapes), since, *(before.t, before.t, before.id), json.dumps(self.hidden), limit),
        ).fetchall()

    def _from_when(self, limit: int, before: Cursor) -> int:
        """A time from which on one shape alone has `limit` events: older ones need not be looked at."""
        since = self.since
        for shape in [one for one in self.shapes[:TRIED] if one not in self.ends]:  # of those some may be hidden
            row = self.db.execute(
                "SELECT t FROM events WHERE shape = ? AND t >= ? AND t < ? ORDER BY t DESC LIMIT 1 OFFSET ?",
                (shape, since, before.t, limit - 1),
            ).fetchone()
            since = since if row is None else row[0]
        return since

    def _of_session(self, limit: int, before: Cursor) -> list[tuple[int, int]]:
        """A session has few events, mostly; their order is that of its log, whatever the clock did."""
        rows = self.db.execute(
            "SELECT t, id FROM events WHERE session = ? AND t BETWEEN ? AND ? AND (? = 0 OR id < ?)"
            " AND (? OR shape IN (SELECT value FROM json_each(?))) ORDER BY id DESC LIMIT ?",
            (
                *(self.session, self.since, self.until - 1, before.id, before.id),
                *(not self.narrowed, json.dumps(self.shapes) if self.narrowed else "[]", limit),
            ),
        )
        return rows.fetchall()

    def _of_client(self, limit: int, before: Cursor) -> list[tuple[int, int]]:
        """From the sessions seen last on, until older ones can have nothing newer."""
        found: list[tuple[int, int]] = []
        for sessions, seen in self._sessions(before):
            found.sort(reverse=True)
            del found[limit:]
            if len(found) == limit and found[-1][0] > seen:
                break
            found += self.db.execute(
                "SELECT t, events.id FROM json_each(?) AS one CROSS JOIN events INDEXED BY events_by_session"
                " ON session = one.value WHERE t BETWEEN ? AND ? AND (t < ? OR events.id < ?)"
                " AND shape IN (SELECT value FROM json_each(?)) ORDER BY t DESC, events.id DESC LIMIT ?",
                (json.dumps(sessions), self.since, before.t, before.t, before.id, json.dumps(self.shapes), limit),
            ).fetchall()
        return sorted(found, reverse=True)[:limit]

    def _sessions(self, before: Cursor) -> Iterator[tuple[list[int], int]]:
        """Some at a time, and when the first of them was seen last."""
        rows = self.db.execute(
            f"SELECT id, seen FROM sessions WHERE client IN ({marks(self.question.client)}) AND seen >= ?"
            " AND coalesce(opened, 0) <= ? ORDER BY seen DESC",
            (*self.question.client, self.since, before.t),
        ).fetchall()
        for start in range(0, len(rows), TOGETHER):
            part = rows[start : start + TOGETHER]
            yield [number for number, _ in part], part[0][1]


def _session(db: sqlite3.Connection, question: Question) -> int | None:
    """The number of the session asked for; None if there is none, or it is of other clients."""
    run, _, number = (question.session or "").rpartition("-")
    row = db.execute("SELECT id, client FROM sessions WHERE run = ? AND number = ?", (run, number)).fetchone()
    if row is None or (question.client and row[1] not in question.client):
        return None
    return int(row[0])
