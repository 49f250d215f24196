"""One connection, from the index: which one is meant, and everything that happened on it, in order."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import NamedTuple

from proxy.audit.reading.asking import shapes_of
from proxy.audit.reading.hits import Hit, hits_of
from proxy.audit.reading.index import Index
from proxy.audit.reading.index_tables import SEQ_BITS
from proxy.audit.reading.question import Question

MOST = 20  # sessions that are named when several may be meant
POLICIES = ("policy.apply", "policy.reject")


class Timeline(NamedTuple):
    """What happened on a session, in the order of its log. `policies` are events about the rules of its route
    meanwhile; `policy` is the digest under which it began, as far as the log still says so."""

    sid: str
    route: str
    client: str | None
    opened: int | None
    closed: int | None
    ms: int | None
    hits: list[Hit]
    policies: list[Hit]
    policy: str | None


def meant(db: sqlite3.Connection, written: str) -> list[str]:
    """Names of the sessions that somebody may mean: `RUN-SID`, the first digits of a run and `-SID`, or SID
    alone; newest first, at most MOST + 1."""
    match = re.fullmatch(r"(?:([0-9a-f]*)-)?(\d+)", written.strip().lower())
    if match is None:
        return []
    rows = db.execute(
        "SELECT run || '-' || number FROM sessions WHERE number = ? AND substr(run, 1, length(?)) = ?"
        " ORDER BY seen DESC LIMIT ?",
        (int(match[2]), match[1] or "", match[1] or "", MOST + 1),
    )
    return [name for (name,) in rows]


def timeline(index: Index, sid: str) -> Timeline | None:
    """Everything of session `RUN-SID`; None if there is no such session (any more)."""
    db = index.db
    run, _, number = sid.rpartition("-")
    row = db.execute(
        "SELECT id, route, client, opened, closed, ms FROM sessions WHERE run = ? AND number = ?", (run, number)
    ).fetchone()
    if row is None:
        return None
    session, route, client, opened, closed, ms = row
    numbers = [one for (one,) in db.execute("SELECT id FROM events WHERE session = ? ORDER BY id", (session,))]
    hits = hits_of(db, numbers)
    meanwhile = _about_rules(db, POLICIES, numbers[0], numbers[-1])
    changes = [hit for hit in meanwhile if route in hit.routes]
    begun = _begun_under(db, route, numbers[0])
    return Timeline(sid, route, client, opened, closed, ms, hits, changes, begun)


def _about_rules(db: sqlite3.Connection, kinds: tuple[str, ...], first: int, last: int) -> list[Hit]:
    """Events of these kinds between two events of a log."""
    rows = db.execute(
        "SELECT events.id FROM json_each(?) AS wanted CROSS JOIN events INDEXED BY events_by_shape"
        " ON shape = wanted.value WHERE events.id BETWEEN ? AND ? ORDER BY events.id",
        (json.dumps(shapes_of(db, Question(kind=kinds))), first, last),
    )
    return hits_of(db, [number for (number,) in rows])


def _begun_under(db: sqlite3.Connection, route: str, first: int) -> str | None:
    """The digest of the rules of a route at event `first` of a log."""
    for hit in reversed(_about_rules(db, ("start", "policy.apply"), first >> SEQ_BITS << SEQ_BITS, first)):
        policy = hit.policy if route in hit.routes else hit.more.get("policies", {}).get(route)
        if policy is not None:
            return str(policy)
    return None
