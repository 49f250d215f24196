"""Real servers for a whole module, PostgreSQL and ClickHouse's engine: data in a temporary directory, on a port of
their own, ended by their ids."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import clickhouse_connect
import psycopg
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from proxy.audit.sinks import follow, shipper
from proxy.audit.sinks.place import Place, place
from tests.audit.sinks.remote import mock_cluster
from tests.harness import ROOT


def programs() -> Path | None:
    """Where initdb and postgres are; Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return Path(found).parent if found else kept[-1].parent if kept else None


class Postgres:
    """A server that a test may stop, kill and start again. It refuses to run as root: then it is `nobody`."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hushwire-pg-", dir="/tmp"))  # a socket's path is short
        self.programs, self.process = programs, None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.url = f"postgresql://hushwire@127.0.0.1:{self.port}/postgres"
        settings = ("-A", "trust", "-U", "hushwire", "-E", "UTF8", "--locale=C", "--no-sync")
        self._run("initdb", "-D", "data", *settings).wait(120)

    process: subprocess.Popen[bytes] | None

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        command = [self.programs / program, *arguments]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self.folder, stdin=quiet, stdout=quiet, stderr=quiet, **user)

    def start(self, fsync: str = "off") -> None:
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder}
        settings |= {"fsync": fsync, "max_connections": 20, "shared_buffers": "32MB"}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        self.process = self._run("postgres", "-D", "data", *options)
        until = time.monotonic() + 30
        while True:
            try:
                return self.query("SELECT 1") and None
            except psycopg.OperationalError:
                assert time.monotonic() < until, "PostgreSQL does not answer"
                assert self.process.poll() is None, "PostgreSQL has ended"
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: a fast shutdown, SIGQUIT: as a crash."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def backends(self) -> list[int]:
        """Processes of the shippers' connections."""
        rows = self.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'hushwire'")
        return [pid for (pid,) in rows]

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.url, connect_timeout=10, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @property
    def place(self) -> Place:
        return place(self.url)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipper of small batches, with little patience."""
    monkeypatch.setattr(follow, "EVENTS", 20)
    for name, seconds in (("POLL", 0.01), ("FIRST", 0.05), ("LONGEST", 0.2)):
        monkeypatch.setattr(shipper, name, seconds)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    found = programs()
    if found is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    server = Postgres(found)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)


@pytest.fixture
def postgres(cluster: Postgres) -> Postgres:
    """One without tables."""
    if cluster.process is None:
        cluster.start()
    cluster.query("DROP TABLE IF EXISTS hushwire_events, hushwire_checkpoints")
    return cluster


class ClickHouse:
    """tests.audit.sinks.clickhouse_server. Nobody starts it again on the data of one that was killed: now
    and then the engine takes minutes then."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def place(self, password: str = "secret") -> Place:
        return place("env:SINK", {"SINK": f"clickhouse://hushwire:{password}@127.0.0.1:{self.port}/default"})

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.audit.sinks.clickhouse_server", self.folder, str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
        until = time.monotonic() + 60
        while True:
            try:
                return self.query("SELECT 1") and None
            except ClickHouseError:
                assert time.monotonic() < until, "ClickHouse's engine does not answer"
                assert self.process.poll() is None, "ClickHouse's engine has ended"
                time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def query(self, statement: str) -> list[tuple]:
        given = {"host": "127.0.0.1", "port": self.port, "username": "hushwire", "password": "secret"}
        client = clickhouse_connect.get_client(**given, query_retries=0, dedicated_pool=True)
        try:
            return [tuple(row) for row in client.query(statement).result_rows]
        finally:
            client.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    if find_spec("chdb") is None:
        pytest.skip("needs ClickHouse's engine: pip install --no-deps chdb-core")
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def clickhouse(engine: ClickHouse) -> ClickHouse:
    """One without tables."""
    for table in ("hushwire_events", "hushwire_checkpoints"):
        engine.query(f"DROP TABLE IF EXISTS {table}")
    return engine


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """Three brokers of librdkafka's mock cluster."""
    with mock_cluster() as found:
        yield found
