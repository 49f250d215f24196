"""A question as SQL: conditions on the small tables of the index, with what their question marks stand for.

All words of the SQL are ours, everything that somebody gave is a parameter.
"""

from __future__ import annotations

import json
import sqlite3

from proxy.audit.reading.question import Names, Question

OUTLINES = ("kind", "way", "verdict", "cause")
TREATMENTS = ("entity", "rule", "operator", "recognizer", "mode")
DESKS = """
WITH ends AS (
    SELECT events.id, more ->> 'run' AS run, more ->> 'who' AS who
    FROM json_each(?) AS wanted CROSS JOIN events INDEXED BY events_by_shape ON shape = wanted.value
)
SELECT id FROM ends WHERE run IN (SELECT run FROM ends WHERE who = 'desk')
"""


def outlines_sql(question: Question) -> tuple[str, list[str]]:
    """A condition on `outlines`, and what its question marks stand for."""
    terms, given = ["1"], []
    for field in OUTLINES:
        if wanted := getattr(question, field):
            terms.append(f"{field} IN ({marks(wanted)})")
            given += wanted
    if question.route:
        routes = marks(question.route)
        terms.append(
            f"(route IN ({routes}) OR EXISTS (SELECT 1 FROM json_each(routes) WHERE value IN ({routes})))"
        )
        given += question.route * 2
    if question.policy:
        terms.append(f"({' OR '.join(['substr(policy, 1, length(?)) = ?'] * len(question.policy))})")
        given += [digits for one in question.policy for digits in (one, one)]
    return " AND ".join(terms), given


def treatments_sql(question: Question) -> tuple[str, list[str]]:
    """The same, on `treatments`."""
    terms, given = ["1"], []
    for field in TREATMENTS:
        if wanted := getattr(question, field):
            terms.append(f"{field} IN ({marks(wanted)})")
            given += wanted
    return " AND ".join(terms), given


def shapes_of(db: sqlite3.Connection, question: Question) -> list[int]:
    """Shapes of events that can fit, most frequent first."""
    where, given = outlines_sql(question)
    if question.about_findings:
        treated, more = treatments_sql(question)
        where += (
            " AND shapes.id IN (SELECT shape FROM shape_treatments WHERE treatment IN"
            f" (SELECT id FROM treatments WHERE {treated}))"
        )
        given += more
    rows = db.execute(
        "SELECT shapes.id FROM shapes JOIN outlines ON outlines.id = outline"
        f" WHERE events > 0 AND {where} ORDER BY events DESC",
        given,
    )
    return [number for (number,) in rows]


def desks_of(db: sqlite3.Connection, shapes: list[int]) -> list[int]:
    """Ids of the events with which desks began and ended, of `shapes` of starts and stops."""
    return [number for (number,) in db.execute(DESKS, (json.dumps(shapes),))]


def marks(names: Names) -> str:
    """`?, ?` for two names."""
    return ", ".join("?" * len(names))
