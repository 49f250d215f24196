"""ClickHouse: a ReplacingMergeTree by (log, seq), partitioned by month, and the signed checkpoints.

What arrives twice is there twice until parts are merged: read with FINAL. An insert is answered when it is on disk
(async_insert off, fsync after the insert). Columns are never NULL: an empty string and 0 stand for what an event
does not say. A DBA may make the tables with another engine of the family, such as ReplicatedReplacingMergeTree.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error

from proxy.audit.sinks import Batch, ShipError
from proxy.audit.sinks.place import PlaceError
from proxy.audit.sinks.rows import Row, rows

CONNECT = 10  # seconds
ANSWER = 30  # seconds
PARAMETERS = {"ca_cert", "client_cert", "client_cert_key", "server_host_name", "http_proxy", "https_proxy"}

_NAME = "LowCardinality(String)"
COLUMNS = {
    "log": _NAME,
    "seq": "UInt64",
    "t": "DateTime64(9, 'UTC')",
    "kind": _NAME,
    "sid": "String",
    "route": _NAME,
    "dir": _NAME,
    "n": "UInt64",
    "verdict": _NAME,
    "cause": _NAME,
    "policy": _NAME,
    "entities": f"Array({_NAME})",
    "rules": f"Array({_NAME})",
    "operators": f"Array({_NAME})",
    "line": "String",
}
NOTES = {"log": _NAME, "size": "UInt64", "note": "String"}
FSYNC = "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
TABLES = {
    "hushwire_events": f"""CREATE TABLE IF NOT EXISTS hushwire_events (
        {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())}
    ) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(t) ORDER BY (log, seq) {FSYNC}""",
    "hushwire_checkpoints": f"""CREATE TABLE IF NOT EXISTS hushwire_checkpoints (
        {", ".join(f"{name} {kind}" for name, kind in NOTES.items())}
    ) ENGINE = ReplacingMergeTree ORDER BY (log, size) {FSYNC}""",
}


class ClickHouseSink:
    """An AuditSink."""

    def __init__(self, url: str) -> None:
        """`url` is clickhouse:// or clickhouses://. Raises PlaceError."""
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # it logs what it then raises
        parts = urlsplit(url)
        more = dict(parse_qsl(parts.query))
        if not more.keys() <= PARAMETERS:
            raise PlaceError(f"a parameter of this URL is none of {', '.join(sorted(PARAMETERS))}")
        secure = parts.scheme == "clickhouses"
        self._given: dict[str, Any] = more | {
            "interface": "https" if secure else "http",
            "host": parts.hostname,
            "port": parts.port or (8443 if secure else 8123),
            "username": unquote(parts.username or "") or None,
            "password": unquote(parts.password or ""),
            "database": unquote(parts.path.strip("/")) or None,
        }
        self._client: Client | None = None

    def connect(self) -> None:
        with self._telling():
            self._connected()

    def ship(self, batch: Batch) -> None:
        made = rows(batch)
        with self._telling():
            client = self._connected()
            _insert(client, "hushwire_events", COLUMNS, _columns(made), f"{batch.log}-{batch.first}-{len(made)}")
            if batch.checkpoint is not None:
                size = batch.number + len(batch.blocks)
                note: list[list[Any]] = [[batch.log], [size], [batch.checkpoint]]
                _insert(client, "hushwire_checkpoints", NOTES, note, f"{batch.log}-{size}")

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (ClickHouseError, OSError) as error:
            self.close()
            raise ShipError(_words(error)) from None

    def _connected(self) -> Client:
        if self._client is None:
            self._client = client = clickhouse_connect.get_client(
                **self._given,
                connect_timeout=CONNECT,
                send_receive_timeout=ANSWER,
                query_retries=0,
                autogenerate_session_id=False,
                client_name="hushwire",
                dedicated_pool=True,
            )
            for table, statement in TABLES.items():
                if not client.command(f"EXISTS TABLE {table}"):  # to make it needs a right that this user may lack
                    client.command(statement)
        return self._client


def _columns(made: Sequence[Row]) -> list[Sequence[Any]]:
    """By column, as the table has them."""
    columns: list[Sequence[Any]] = [list(column) for column in zip(*made, strict=True)]
    for index, kind in enumerate(COLUMNS.values()):
        if kind in ("String", _NAME):
            columns[index] = [value or "" for value in columns[index]]
    columns[7] = [number or 0 for number in columns[7]]
    return columns


def _insert(
    client: Client, table: str, types: dict[str, str], columns: Sequence[Sequence[Any]], token: str
) -> None:
    """`token` lets a server that remembers insertions (a replicated table does) leave out one that comes again."""
    settings = {"async_insert": 0, "insert_deduplication_token": token}
    client.insert(
        table,
        columns,
        column_names=list(types),
        column_type_names=list(types.values()),
        column_oriented=True,
        settings=settings,
    )


def _words(error: Exception) -> str:
    """Nothing of what the server says but its code and its name: it quotes what it was sent."""
    if isinstance(error, Error) and error.code is not None:
        return f"ClickHouse's error {error.code} ({error.name})"
    cause = error.__cause__ or error.__context__ or error
    return f"no answer ({type(cause).__name__})"
