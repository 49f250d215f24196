"""From events to rows of the index: the hot path of indexing, about 4 us an event with SQLite's part.

Rows are gathered and written together. Names that come again are known by their numbers.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.audit import events
from proxy.audit.reading.crowds import LISTED, sorts_of
from proxy.audit.reading.following import Read
from proxy.audit.reading.hits import bare, told_otherwise
from proxy.audit.reading.index_tables import QUARTER, SEGMENT_BITS, SEQ_BITS

KNOWN = 1 << 18  # sessions, and looks of messages, whose numbers are remembered: some 50 MiB each
FEW = 8  # findings: messages with more are hardly ever alike, and their names would fill the memory
Key = tuple[Any, ...]


class Look:
    """Messages that differ in times, sizes and numbers alone, and how many of them came in a quarter of an hour.

    `parts` begins what is told of each finding that is listed. One lookup of all the names of an event is cheaper
    than one for its outline and one for each treatment: 2.4 us an event instead of 3.3.
    """

    __slots__ = ("events", "outline", "parts", "shape", "size_in", "size_out", "treatments")

    def __init__(self, shape: int, outline: int, treatments: list[int]) -> None:
        self.shape, self.outline, self.treatments = shape, outline, treatments
        self.parts = [f"[{treatment}," for treatment in treatments[:LISTED]]
        self.events = self.size_in = self.size_out = 0


class Rows:
    """Takes events of one segment after the other, and writes them into a database when told to."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.count = 0
        self._place = (0, 0)
        """Segment and quarter of an hour that are being counted."""
        self._events: list[tuple[Any, ...]] = []
        self._crowds: list[tuple[Any, ...]] = []
        self._counted: list[Look] = []
        self._counts: dict[Key, list[int]] = {}
        self._finding_counts: Counter[Key] = Counter()
        self._newest: dict[int, tuple[Any, ...]] = {}
        """The newest row of each session."""
        self._sessions: dict[str, int] = {}
        self._looks: dict[Key, Look] = {}
        self._treatments: dict[Key, int] = {
            (*names,): number for number, *names in db.execute("SELECT * FROM treatments")
        }
        self._outlines: dict[Key, int] = {
            (*names,): number for number, *names in db.execute("SELECT * FROM outlines")
        }
        self._shapes = self._known_shapes()
        self._next_session = db.execute("SELECT coalesce(max(id), 0) + 1 FROM sessions").fetchone()[0]

    def _known_shapes(self) -> dict[Key, int]:
        """By outline, and treatments in order."""
        found: dict[int, list[int]] = defaultdict(list)
        for shape, treatment in self.db.execute("SELECT shape, treatment FROM shape_treatments ORDER BY 1, 2"):
            found[shape].append(treatment)
        rows = self.db.execute("SELECT id, outline FROM shapes")
        return {(outline, *found.get(number, ())): number for number, outline in rows}

    def take(self, log: int, read: Read) -> None:
        """Gather what was read."""
        segment, base = log << SEGMENT_BITS | read.segment.number, log << SEQ_BITS
        begin = end = 0  # of the quarter of an hour that is being counted
        for event in read.events:
            if not begin <= event.t < end:
                self._count()
                self._place = segment, event.t // QUARTER
                begin = event.t // QUARTER * QUARTER
                end = begin + QUARTER
            if type(event) is events.Message:
                self._message(event, base)
            else:
                self._other(event, base)
        self.count += len(read.events)

    def _message(self, event: events.Message, base: int) -> None:
        found, told = event.f, None
        if len(found) <= FEW:
            names: Key = (event.route, event.dir, event.op, event.policy, event.verdict, event.cause)
            for one in found:
                names += (one.entity, one.rule, one.recognizer, one.op, one.mode)
            look = self._looks.get(names) or self._remembered(names, self._look(event))
        else:
            look = self._look(event)
        if len(found) == 1:  # as most have: 0.3 us less than with a loop
            told = f"[{look.parts[0]}{found[0].len},{found[0].score}]]"
        elif found:
            pieces = [f"{part}{one.len},{one.score}]" for part, one in zip(look.parts, found, strict=False)]
            told = f"[{','.join(pieces)}]"
        session = self._sessions.get(event.sid) or self._session(event.sid, event.route)
        size_in, size_out = event.in_, event.out
        number, n, us = base + event.seq, event.n, event.lat_us
        self._newest[session] = row = (number, event.t, look.shape, session, n, size_in, size_out, us, told, None)
        self._events.append(row)
        if len(found) > LISTED:
            self._crowd(number, found)
        if not look.events:
            self._counted.append(look)
        look.events += 1
        look.size_in += size_in
        look.size_out += size_out

    def _other(self, event: events.Any, base: int) -> None:
        told = msgspec.to_builtins(bare(event))
        more = told_otherwise(event, told)
        routes = told.get("routes")
        names: Key = (
            told["kind"],
            told.get("route"),
            None if routes is None else json.dumps(routes),
            told.get("dir"),
            None,
            told.get("policy"),
            None,
            told.get("cause"),
        )
        found = events.findings(event)  # of a refusal
        looked = (*names, *map(_treated, found[:FEW]))
        look = self._looks.get(looked) if len(found) <= FEW else None
        if look is None:
            look = self._made(names, found)
            if len(found) <= FEW:
                self._remembered(looked, look)
        every = [[treatment, one.len, one.score] for treatment, one in zip(look.treatments, found, strict=True)]
        session = None
        if "sid" in told:
            session = self._sessions.get(told["sid"]) or self._session(told["sid"], told["route"])
        if len(found) > LISTED:
            self._crowd(base + event.seq, found)
        said = json.dumps(every[:LISTED]) if every else None, json.dumps(more) if more else None
        row = (base + event.seq, event.t, look.shape, session, *[None] * 4, *said)
        self._events.append(row)
        if not look.events:
            self._counted.append(look)
        look.events += 1
        if session is not None:
            self._newest[session] = row
            self._told(event, session)

    def _told(self, event: events.Any, session: int) -> None:
        """What a session says about itself."""
        if isinstance(event, events.SessionOpen):
            client = None if event.client is UNSET else event.client
            self.db.execute("UPDATE sessions SET opened = ?, client = ? WHERE id = ?", (event.t, client, session))
        elif isinstance(event, events.SessionClose):
            self.db.execute(
                "UPDATE sessions SET closed = ?, ms = ?, messages = ?, findings = ?, first = ? WHERE id = ?",
                (event.t, event.ms, sum(event.messages), sum(event.findings), event.first, session),
            )
            self._sessions.pop(event.sid, None)

    def _crowd(self, number: int, found: list[events.Finding]) -> None:
        """Findings that are not all listed, by sorts."""
        for one in sorts_of(found):
            self._crowds.append((number, self._treatments[one[:5]], one.findings, *one.length, *one.score))

    # -- names that are new -----------------------------------------------------------------------------------

    def _remembered(self, names: Key, look: Look) -> Look:
        if len(self._looks) >= KNOWN:
            self._looks.clear()
        self._looks[names] = look
        return look

    def _look(self, event: events.Message) -> Look:
        cause = None if event.cause is UNSET else event.cause
        common = ("message", event.route, None, event.dir, event.op, event.policy, event.verdict, cause)
        return self._made(common, event.f)

    def _made(self, names: Key, found: list[events.Finding]) -> Look:
        outline = self._outlines.get(names) or self._outline(names)
        treatments = [self._treatment(_treated(one)) for one in found]
        return Look(self._shape(outline, *sorted(set(treatments))), outline, treatments)

    def _treatment(self, names: Key) -> int:
        number = self._treatments.get(names)
        if number is None:
            self._treatments[names] = number = len(self._treatments) + 1
            self.db.execute("INSERT INTO treatments VALUES (?, ?, ?, ?, ?, ?)", (number, *names))
        return number

    def _outline(self, names: Key) -> int:
        self._outlines[names] = number = len(self._outlines) + 1
        self.db.execute("INSERT INTO outlines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *names))
        return number

    def _shape(self, *parts: int) -> int:
        """Of an outline, and treatments in order."""
        number = self._shapes.get(parts)
        if number is None:
            self._shapes[parts] = number = len(self._shapes) + 1
            self.db.execute("INSERT INTO shapes VALUES (?, ?, 0)", (number, parts[0]))
            rows = [(number, treatment) for treatment in parts[1:]]
            self.db.executemany("INSERT INTO shape_treatments VALUES (?, ?)", rows)
        return number

    def _session(self, sid: str, route: str) -> int:
        run, _, digits = sid.rpartition("-")
        if not digits.isdigit():
            run, digits = sid, "0"
        if len(self._sessions) >= KNOWN:
            self._sessions.clear()
        number = int(digits)
        found = self.db.execute("SELECT id FROM sessions WHERE run = ? AND number = ?", (run, number)).fetchone()
        if found is None:
            found = (self._next_session,)
            self._next_session += 1
            insert = "INSERT INTO sessions (id, run, number, route, last, seen) VALUES (?, ?, ?, ?, 0, 0)"
            self.db.execute(insert, (*found, run, number, route))
        self._sessions[sid] = session = int(found[0])
        return session

    # -- writing ----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Into the database, whose transaction is the caller's."""
        self._count()
        self.db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._events)
        self.db.executemany("INSERT INTO crowds VALUES (?, ?, ?, ?, ?, ?, ?)", self._crowds)
        newest = [(row[0], row[1], session) for session, row in self._newest.items()]
        self.db.executemany("UPDATE sessions SET last = ?, seen = ? WHERE id = ?", newest)
        shapes = [(count, shape) for shape, count in Counter(row[2] for row in self._events).items()]
        self.db.executemany("UPDATE shapes SET events = events + ? WHERE id = ?", shapes)
        self.db.executemany(
            "INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events +"
            " excluded.events, size_in = size_in + excluded.size_in, size_out = size_out + excluded.size_out",
            [(*key, *counts) for key, counts in self._counts.items()],
        )
        self.db.executemany(
            "INSERT INTO finding_counts VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET findings = findings + excluded.findings",
            [(*key, count) for key, count in self._finding_counts.items()],
        )
        for gathered in (self._events, self._crowds, self._newest, self._counts, self._finding_counts):
            gathered.clear()
        self.count = 0

    def _count(self) -> None:
        """Add up what was seen in the present segment and quarter of an hour."""
        for look in self._counted:
            key = (*self._place, look.outline)
            sums = self._counts.setdefault(key, [0, 0, 0])
            for index, more in enumerate((look.events, look.size_in, look.size_out)):
                sums[index] += more
            for treatment in look.treatments:
                self._finding_counts[*key, treatment] += look.events
            look.events = look.size_in = look.size_out = 0
        self._counted.clear()


def _treated(one: events.Finding) -> Key:
    return one.entity, one.rule, one.recognizer, one.op, one.mode
