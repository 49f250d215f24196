"""An event as answers show it: from the index by its number, or from the log as it comes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from proxy.audit import events
from proxy.audit.reading.crowds import LISTED, Sort, named, ordered, sorts, sorts_of, summary
from proxy.audit.reading.index_tables import SEQ_BITS


class Found(NamedTuple):
    """A finding of a message, as it was dealt with. What a refusal found was stopped, whatever its operator."""

    entity: str
    rule: str
    recognizer: str
    operator: str
    mode: str
    length: int
    score: float


class Hit(NamedTuple):
    """An event as the index knows it. Fields that its kind has not are None; what has no field is in `more`. Where
    there are more than LISTED findings, `found` are the first ones, and `crowd` says how many there are of each
    sort; else that is empty."""

    id: int
    t: int
    log: str
    seq: int
    kind: str
    sid: str | None
    route: str | None
    routes: tuple[str, ...]
    way: str | None
    n: int | None
    op: str | None
    policy: str | None
    verdict: str | None
    cause: str | None
    size_in: int | None
    size_out: int | None
    lat_us: int | None
    found: tuple[Found, ...]
    more: dict[str, Any]
    crowd: tuple[Sort, ...] = ()

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """All findings, alike ones together."""
        return self.crowd or sorts((one[:5], one.length, one.score) for one in self.found)

    def as_json(self) -> dict[str, Any]:
        """With the names that the fields have in the log."""
        named = {
            "log": self.log,
            "seq": self.seq,
            "t": self.t,
            "kind": self.kind,
            "sid": self.sid,
            "route": self.route,
            "routes": self.routes or None,
            "dir": self.way,
            "n": self.n,
            "op": self.op,
            "in": self.size_in,
            "out": self.size_out,
            "policy": self.policy,
            "verdict": self.verdict,
            "cause": self.cause,
            "lat_us": self.lat_us,
        }
        told = {name: value for name, value in named.items() if value is not None}
        if self.kind == "message" or self.found:
            told["f"] = [_as_in_the_log(one) for one in self.found]
        if self.crowd:
            told["f_all"] = summary(self.crowd)
        return told | self.more


HITS = """
SELECT events.id, t, logs.log, kind, run || '-' || sessions.number, outlines.route, routes, way, n, op, policy,
    verdict, cause, size_in, size_out, lat_us, found, more
FROM json_each(?) AS wanted CROSS JOIN events ON events.id = wanted.value JOIN shapes ON shapes.id = shape
    JOIN outlines ON outlines.id = outline JOIN logs ON logs.number = events.id >> 44
    LEFT JOIN sessions ON sessions.id = session
ORDER BY wanted.key
"""
CROWDS = """
SELECT event, entity, rule, recognizer, operator, mode, findings, shortest, longest, lowest, highest
FROM json_each(?) AS wanted CROSS JOIN crowds ON event = wanted.value JOIN treatments ON treatments.id = treatment
"""


def hits_of(db: sqlite3.Connection, numbers: Sequence[int]) -> list[Hit]:
    """The events of these ids, in their order."""
    known = {number: tuple(names) for number, *names in db.execute("SELECT * FROM treatments")}
    hits = [_hit(row, known) for row in db.execute(HITS, (json.dumps(list(numbers)),))]
    crowds = _crowds_of(db, [hit.id for hit in hits if len(hit.found) == LISTED])
    return [hit._replace(crowd=ordered(crowds[hit.id])) if hit.id in crowds else hit for hit in hits]


def _crowds_of(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, list[Sort]]:
    crowds: dict[int, list[Sort]] = {}
    for event, *how, shortest, longest, lowest, highest in db.execute(CROWDS, (json.dumps(numbers),)):
        crowds.setdefault(event, []).append(Sort._make((*how, (shortest, longest), (lowest, highest))))
    return crowds


def _hit(row: tuple[Any, ...], known: dict[int, tuple[Any, ...]]) -> Hit:
    number, t, log, kind, sid, route, routes, *plain, found, more = row
    findings = [Found._make((*known[one], length, score)) for one, length, score in json.loads(found or "[]")]
    seq = number & ((1 << SEQ_BITS) - 1)
    names = tuple(json.loads(routes)) if routes else ()
    others = json.loads(more) if more else {}
    return Hit._make((number, t, log, seq, kind, sid, route, names, *plain, tuple(findings), others, ()))


def _as_in_the_log(one: Found) -> dict[str, Any]:
    return named(*one[:5]) | {"len": one.length, "score": one.score}


FIELDS = {"v", "log", "seq", "t", "mono", "b", "kind", "sid", "route", "routes", "dir", "cause", "policy", "f"}
"""Fields of events that Hit has too, or that answers do without; the others of what is no message are `more`."""


def of_event(event: events.Any) -> Hit:
    """The same as the index would say; but for its id, which is the index's."""
    told: dict[str, Any] = msgspec.json.decode(events.encode(bare(event)))  # lists, as the index has them
    found, more = events.findings(event), told_otherwise(event, told)
    return Hit(
        id=0,
        t=event.t,
        log=event.log,
        seq=event.seq,
        kind=told["kind"],
        sid=told.get("sid"),
        route=told.get("route"),
        routes=tuple(told.get("routes", ())),
        way=told.get("dir"),
        n=told.get("n"),
        op=told.get("op"),
        policy=told.get("policy"),
        verdict=told.get("verdict"),
        cause=told.get("cause"),
        size_in=told.get("in"),
        size_out=told.get("out"),
        lat_us=told.get("lat_us"),
        found=tuple(map(found_of, found[:LISTED])),
        more={} if isinstance(event, events.Message) else more,
        crowd=sorts_of(found) if len(found) > LISTED else (),
    )


def bare(event: events.Any) -> events.Any:
    """The same without findings, which are most of its size."""
    return msgspec.structs.replace(event, f=[]) if events.findings(event) else event


def told_otherwise(event: events.Any, told: dict[str, Any]) -> dict[str, Any]:
    """What an event that is no message says beside FIELDS; of what was erased only how much."""
    if isinstance(event, events.Erase):
        told["rows"] = len(event.rows)
    return {name: value for name, value in told.items() if name not in FIELDS}


def found_of(one: events.Finding) -> Found:
    """A finding of the log, as answers have it."""
    return Found(one.entity, one.rule, one.recognizer, one.op, one.mode, one.len, one.score)
