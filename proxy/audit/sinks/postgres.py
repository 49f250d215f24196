"""PostgreSQL: one table partitioned by month, one row for each (log, seq, t), and the signed checkpoints.

A batch is copied into a temporary table and moved with ON CONFLICT DO NOTHING, in one transaction with the
checkpoint that ends it. `line` is text and not jsonb, which would neither keep the bytes that were hashed nor take
the escape of a NUL; `line::jsonb` is one cast away. A DBA may make the tables, and the partitions; then the role
needs INSERT and SELECT on them, and TEMP.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from proxy.audit.sinks import Batch, ShipError
from proxy.audit.sinks.place import PlaceError
from proxy.audit.sinks.rows import Row, rows

CONNECT = 10  # seconds
ANSWER = 30.0  # seconds for a batch: then the connection is cut, whatever the server is doing
LOCK = 0x68757368  # of the advisory lock that keeps two from making the same table
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400 * 10**9  # nanoseconds

PHRASES = (  # of libpq, psycopg and a server that lets nobody in
    *("Connection refused", "connection timeout expired", "failed to resolve host", "No such file or directory"),
    *("server closed the connection unexpectedly", "password authentication failed", "no pg_hba.conf entry"),
    *("certificate verify failed", "does not support SSL", "the database system is starting up"),
    *("the database system is shutting down", "too many clients already"),
)

TABLES = """
CREATE TABLE hushwire_events (
    log text NOT NULL, seq bigint NOT NULL, t timestamptz NOT NULL, kind text NOT NULL,
    sid text, route text, dir text, n bigint, verdict text, cause text, policy text,
    entities text[] NOT NULL, rules text[] NOT NULL, operators text[] NOT NULL, line text NOT NULL,
    PRIMARY KEY (log, seq, t)
) PARTITION BY RANGE (t);
CREATE INDEX ON hushwire_events (t);
CREATE INDEX ON hushwire_events (sid) WHERE sid IS NOT NULL;
CREATE TABLE hushwire_checkpoints (
    log text NOT NULL, size bigint NOT NULL, note text NOT NULL, arrived timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (log, size)
);
"""
OURS = ", ".join(Row._fields)
"""By name: a DBA's table may have columns in another order, and more of them."""
STAGE = f"CREATE TEMP TABLE hushwire_batch ON COMMIT DELETE ROWS AS SELECT {OURS} FROM hushwire_events LIMIT 0"  # noqa: S608 - ours
COPY = f"COPY hushwire_batch ({OURS}) FROM STDIN"
MOVE = f"INSERT INTO hushwire_events ({OURS}) SELECT {OURS} FROM hushwire_batch ON CONFLICT DO NOTHING"  # noqa: S608 - ours
NOTE = "INSERT INTO hushwire_checkpoints (log, size, note) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
PARTITION = "CREATE TABLE {} PARTITION OF hushwire_events FOR VALUES FROM ({}) TO ({})"


class PostgresSink:
    """An AuditSink."""

    def __init__(self, url: str) -> None:
        """`url` is libpq's, with all its parameters. Raises PlaceError."""
        logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # it logs what servers say while it cleans up
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise PlaceError("PostgreSQL's client does not understand this URL") from None
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._months: set[datetime] = set()

    def connect(self) -> None:
        with self._telling():
            self._connected()

    def ship(self, batch: Batch) -> None:
        made = rows(batch)
        with self._telling():
            connection = self._connected()
            with _cut_after(connection, ANSWER):
                self._prepare(connection, made)
                with connection.transaction():
                    _write(connection, batch, made)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._months = set()  # somebody may have dropped one: then it is made again

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, OSError) as error:
            self.close()
            raise ShipError(_words(error)) from None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = connection = psycopg.connect(
                self._url, connect_timeout=CONNECT, application_name="hushwire", autocommit=True
            )
            with _cut_after(connection, ANSWER):
                _make(connection, "hushwire_events", TABLES)
                connection.execute(STAGE)
        return self._connection

    def _prepare(self, connection: psycopg.Connection, made: Sequence[Row]) -> None:
        """Partitions for what comes, each in a transaction of its own: it locks others out of the table."""
        months = {_month(day * DAY) for day in {row.t // DAY for row in made}}
        for month in sorted(months - self._months):
            name = f"hushwire_events_{month:%Y_%m}"
            following = (month + timedelta(days=31)).replace(day=1)
            bounds = sql.Literal(month.isoformat()), sql.Literal(following.isoformat())
            _make(connection, name, sql.SQL(PARTITION).format(sql.Identifier(name), *bounds))
        self._months |= months


def _write(connection: psycopg.Connection, batch: Batch, made: Sequence[Row]) -> None:
    connection.execute("SET LOCAL synchronous_commit = on")
    with connection.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            for row in made:
                lists = _array(row.entities), _array(row.rules), _array(row.operators)
                copy.write_row((*row[:2], _moment(row.t), *row[3:11], *lists, row.line))
        cursor.execute(MOVE)
        if batch.checkpoint is not None:
            cursor.execute(NOTE, (batch.log, batch.number + len(batch.blocks), batch.checkpoint))


def _moment(t: int) -> datetime:
    return EPOCH + timedelta(microseconds=t // 1000)


def _month(t: int) -> datetime:
    return _moment(t).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@lru_cache(1000)
def _array(names: tuple[str, ...]) -> str:
    """As PostgreSQL writes an array of texts. Few are different: this is 3 times faster than psycopg's lists."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"


def _make(connection: psycopg.Connection, table: str, statements: str | sql.Composed) -> None:
    """Make a table unless it is there; asked first, because CREATE IF NOT EXISTS needs the right to make it. And
    not by to_regclass, which may remember that it was not there before the lock."""
    there = "SELECT EXISTS (SELECT FROM pg_class WHERE relname = %s AND pg_table_is_visible(oid))"
    if connection.execute(there, (table,)).fetchone() == (True,):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if connection.execute(there, (table,)).fetchone() != (True,):
            connection.execute(statements)


@contextmanager
def _cut_after(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Shut the socket if this takes longer. Neither libpq nor TCP gives up on a server that is there and is
    silent: a stopped process, a pool that has no server behind it."""
    with socket.socket(fileno=os.dup(connection.fileno())) as own:
        timer = threading.Timer(seconds, own.shutdown, (socket.SHUT_RDWR,))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # it may be at work just now


def _words(error: Exception) -> str:
    """Nothing of what the server says but its code: it quotes rows, and libpq quotes its URL."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"{type(error).__name__} (SQLSTATE {error.sqlstate})"
    said = str(error)
    if "does not exist" in said:
        return "there is no such role or database"
    return next((phrase for phrase in PHRASES if phrase in said), type(error).__name__)
