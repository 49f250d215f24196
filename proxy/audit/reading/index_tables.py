"""The tables of the index, and what their columns mean. Any SQLite browser can read them too: see the views.

Most of what an event says, others have said before; only time, sizes and numbers are its own. What it shares is
its *outline* (kind, route, verdict, ...), and with the ways its findings were treated its *shape*. A log has
hundreds of outlines and thousands of shapes. So a row of `events` is short, a question about names is settled on
small tables first, and one index over (shape, t) answers every combination of names and times. Counts by quarter
of an hour answer statistics without looking at events.

Nothing in here can be told by a value: no fingerprint, no commitment. Clients are as the log names them.
"""

from __future__ import annotations

VERSION = 2
"""Of the tables: an index of another version is made anew."""
SEQ_BITS = 44  # events.id is the log's number above its seq: 11 years at 50,000 events/s
SEGMENT_BITS = 32
QUARTER = 900 * 10**9  # nanoseconds; every time zone's midnight is at a quarter of an hour

TABLES = """
CREATE TABLE logs (
    number INTEGER PRIMARY KEY,   -- of its folder, log-N
    log TEXT NOT NULL,            -- its id
    unread INTEGER NOT NULL DEFAULT 0  -- lines and segments that could not be read
);
CREATE TABLE segments (           -- what was read, up to where: the last one of a log says where to go on
    id INTEGER PRIMARY KEY,       -- log << 32 | number
    log INTEGER NOT NULL,
    number INTEGER NOT NULL,
    block INTEGER NOT NULL,       -- byte at which the last block read begins
    first INTEGER NOT NULL,       -- seq of its first event
    seq INTEGER NOT NULL,         -- seq and time of the last event read
    t INTEGER NOT NULL
);
CREATE TABLE treatments (         -- how findings were dealt with
    id INTEGER PRIMARY KEY,
    entity TEXT NOT NULL,
    rule TEXT NOT NULL,
    recognizer TEXT NOT NULL,
    operator TEXT NOT NULL,
    mode TEXT NOT NULL
);
CREATE TABLE outlines (           -- what events have in common
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    route TEXT,
    routes TEXT,                  -- JSON, of events about rules
    way TEXT,
    op TEXT,
    policy TEXT,
    verdict TEXT,
    cause TEXT
);
CREATE TABLE shapes (             -- and which treatments messages have, each once
    id INTEGER PRIMARY KEY,
    outline INTEGER NOT NULL,
    events INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE shape_treatments (
    shape INTEGER NOT NULL,
    treatment INTEGER NOT NULL,
    PRIMARY KEY (shape, treatment)
) WITHOUT ROWID;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    number INTEGER NOT NULL,      -- RUN-NUMBER is its name
    route TEXT NOT NULL,
    client TEXT,
    opened INTEGER,               -- Unix time, nanoseconds; null: not in the log (any more)
    closed INTEGER,
    ms INTEGER,
    messages INTEGER,
    findings INTEGER,
    first TEXT,                   -- who ended it, and how
    last INTEGER NOT NULL,        -- its newest event, and the time of that
    seen INTEGER NOT NULL,
    UNIQUE (run, number)
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,       -- log << 44 | seq
    t INTEGER NOT NULL,           -- Unix time, nanoseconds
    shape INTEGER NOT NULL,
    session INTEGER,
    n INTEGER,
    size_in INTEGER,
    size_out INTEGER,
    lat_us INTEGER,
    found TEXT,                   -- JSON: [[treatment, length, score], ...], the first 100
    more TEXT                     -- JSON: the other fields of the event
);
CREATE TABLE crowds (             -- all findings of events that have more than that
    event INTEGER NOT NULL,
    treatment INTEGER NOT NULL,
    findings INTEGER NOT NULL,
    shortest INTEGER NOT NULL,
    longest INTEGER NOT NULL,
    lowest REAL NOT NULL,         -- score
    highest REAL NOT NULL,
    PRIMARY KEY (event, treatment)
) WITHOUT ROWID;
CREATE TABLE counts (             -- by quarter of an hour since 1970
    segment INTEGER NOT NULL,
    quarter INTEGER NOT NULL,
    outline INTEGER NOT NULL,
    events INTEGER NOT NULL,
    size_in INTEGER NOT NULL,
    size_out INTEGER NOT NULL,
    PRIMARY KEY (segment, quarter, outline)
) WITHOUT ROWID;
CREATE TABLE finding_counts (
    segment INTEGER NOT NULL,
    quarter INTEGER NOT NULL,
    outline INTEGER NOT NULL,
    treatment INTEGER NOT NULL,
    findings INTEGER NOT NULL,
    PRIMARY KEY (segment, quarter, outline, treatment)
) WITHOUT ROWID;
CREATE VIEW event_list AS
    SELECT logs.log, events.id & ((1 << 44) - 1) AS seq, datetime(events.t / 1000000000, 'unixepoch') AS utc,
        kind, sessions.run || '-' || sessions.number AS sid, outlines.route, way, n, op, verdict, cause, policy,
        size_in, size_out, lat_us, more
    FROM events JOIN shapes ON shapes.id = events.shape JOIN outlines ON outlines.id = shapes.outline
        JOIN logs ON logs.number = events.id >> 44 LEFT JOIN sessions ON sessions.id = events.session;
CREATE VIEW finding_list AS
    SELECT logs.log, events.id & ((1 << 44) - 1) AS seq, datetime(events.t / 1000000000, 'unixepoch') AS utc,
        route, way, verdict, entity, rule, recognizer, operator, mode, one.value ->> 1 AS length,
        one.value ->> 2 AS score
    FROM events JOIN shapes ON shapes.id = events.shape JOIN outlines ON outlines.id = shapes.outline
        JOIN logs ON logs.number = events.id >> 44 JOIN json_each(events.found) AS one
        JOIN treatments ON treatments.id = one.value ->> 0;
"""

# Made when the events are there: sorting them at the end takes a fifth of the time of keeping them sorted.
INDEXES = """
CREATE INDEX IF NOT EXISTS events_by_shape ON events (shape, t);
CREATE INDEX IF NOT EXISTS events_by_session ON events (session) WHERE session IS NOT NULL;
CREATE INDEX IF NOT EXISTS sessions_by_number ON sessions (number);
CREATE INDEX IF NOT EXISTS sessions_by_client ON sessions (client, seen) WHERE client IS NOT NULL;
CREATE INDEX IF NOT EXISTS sessions_by_last ON sessions (last);
"""
