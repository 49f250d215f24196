"""Which sink a URL means, what it is called, and where its secrets are: never in a name, a log line or an argv.

postgresql://audit@db.example.com/audit              hushwire[postgres]
clickhouse://ch.example.com:8123/audit               hushwire[clickhouse]; clickhouses:// by TLS
kafka://k1.example.com:9092,k2.example.com/topic     hushwire[kafka]; librdkafka's properties as parameters
env:NAME, file:PATH                                  where such a URL stands, if there is a password in it
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from proxy.audit.sinks import AuditSink

KINDS = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "clickhouse": "clickhouse",
    "clickhouses": "clickhouse",
    "kafka": "kafka",
}
PACKAGES = {"postgres": "psycopg", "clickhouse": "clickhouse_connect", "kafka": "confluent_kafka"}
PORTS = {"postgres": 5432, "clickhouse": 8123, "kafka": 9092}
EXAMPLE = "write postgresql://HOST/DATABASE, clickhouse://HOST/DATABASE or kafka://BROKER/TOPIC"


class PlaceError(ValueError):
    """What was written names no sink that can be used. The text says why and what to do, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ship to. `written` is what the user wrote, `name` what files are called, `where` what people are
    shown; `url` may hold a password."""

    kind: str
    written: str
    name: str
    where: str
    url: str = field(repr=False)


def place(written: str, environ: Mapping[str, str] = os.environ) -> Place:
    """What `written` means, without going there. Raises PlaceError, also if the extra for it is not installed."""
    url = _resolved(written, environ)
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or any(map(_secret, parse_qsl(parts.query)))
        kind, where = KINDS[parts.scheme], _shown(parts)
    except (ValueError, KeyError):
        raise PlaceError(f"this is no place to ship to; {EXAMPLE}") from None
    if secret and url == written:
        cure = "put the whole URL into a variable and write env:NAME, or into a file and write file:PATH"
        raise PlaceError(f"a password is seen by everybody on a command line; {cure}")
    if find_spec(PACKAGES[kind]) is None:
        raise PlaceError(f"the client for {kind} is missing; pip install 'hushwire[{kind}]'")
    name = f"{kind}-{sha256(where.encode()).hexdigest()[:8]}"
    return Place(kind, written, name, where, url)


def open_sink(at: Place) -> AuditSink:
    """The sink itself, which connects when it is given something. Raises PlaceError for parameters it has not."""
    # Imported here: each needs its extra, and a proxy that only names a sink does not pay for its client.
    if at.kind == "postgres":
        from proxy.audit.sinks.postgres import PostgresSink  # noqa: PLC0415

        return PostgresSink(at.url)
    if at.kind == "clickhouse":
        from proxy.audit.sinks.clickhouse import ClickHouseSink  # noqa: PLC0415

        return ClickHouseSink(at.url)
    from proxy.audit.sinks.kafka import KafkaSink  # noqa: PLC0415

    return KafkaSink(at.url)


def _shown(parts: SplitResult) -> str:
    """The URL without user, password and parameters, but with a server that stands in these (libpq's sockets)."""
    kind = KINDS[parts.scheme]
    given = dict(parse_qsl(parts.query))
    hosts = parts.netloc.rpartition("@")[2] or given.get("host", "")
    path = parts.path.strip("/")
    if not hosts or (kind == "kafka" and not path) or "/" in path:
        raise ValueError
    if "port" in given:
        hosts += f":{int(given['port'])}"
    elif "," not in hosts and parts.port is None and not hosts.startswith("/"):
        hosts += f":{8443 if parts.scheme == 'clickhouses' else PORTS[kind]}"
    scheme = "postgresql" if kind == "postgres" else parts.scheme
    return f"{scheme}://{hosts}/{path}"


def _secret(parameter: tuple[str, str]) -> bool:
    return any(word in parameter[0].lower() for word in ("password", "secret", "token"))


def _resolved(written: str, environ: Mapping[str, str]) -> str:
    kind, _, name = written.partition(":")
    if kind == "env":
        if not environ.get(name):
            raise PlaceError("env: this environment variable is not set; set it to the URL of the sink")
        return environ[name].strip()
    if kind == "file":
        try:
            return Path(name).read_text().strip()
        except (OSError, ValueError):
            raise PlaceError("file: this file cannot be read; it should hold the URL of the sink") from None
    return written
