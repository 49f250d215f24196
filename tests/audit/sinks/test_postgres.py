"""Against a real server, which is killed, stopped and restarted while it is shipped to."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.audit import events
from proxy.audit.sinks import ShipError, follow, postgres
from proxy.audit.sinks.place import Place, PlaceError, open_sink, place
from proxy.audit.sinks.postgres import TABLES
from proxy.audit.sinks.shipper import Shipper
from tests.audit.logs import DAY, HandMade, finding, message
from tests.audit.sinks.conftest import Postgres
from tests.audit.sinks.remote import proves, signed_lines
from tests.audit.sinks.test_shipper import grown

MONTH = 31 * 86400


def there(server: Postgres, log: str = "3f9ac21b") -> list[bytes]:
    rows = server.query(f"SELECT line FROM hushwire_events WHERE log = '{log}' ORDER BY seq")
    return [line.encode() for (line,) in rows]


def ship(directory: Path, at: Place) -> Shipper:
    """All of it, at once."""
    courier = Shipper(directory, at, open_sink(at))
    try:
        while not courier.once():
            pass
    finally:
        courier.sink.close()
    return courier


@contextmanager
def shipping(directory: Path, at: Place) -> Iterator[Callable[[], None]]:
    """A shipper at work; yields what waits until all is there."""
    stop, sink = threading.Event(), open_sink(at)
    courier = Shipper(directory, at, sink)
    thread = threading.Thread(target=courier.run, args=(stop,))
    thread.start()

    def wait() -> None:
        until = time.monotonic() + 60
        while courier.left() or courier.cursor.state != "even":
            assert time.monotonic() < until, courier.cursor.problem
            time.sleep(0.02)

    try:
        yield wait
    finally:
        stop.set()
        thread.join(30)
        sink.close()
    assert not thread.is_alive()


@pytest.fixture
def hasty(hurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without patience too."""
    monkeypatch.setattr(postgres, "ANSWER", 1.5)
    monkeypatch.setattr(postgres, "CONNECT", 2)


@pytest.mark.heavy
def test_every_event_arrives_with_its_columns_and_the_copy_proves_itself(tmp_path: Path, postgres: Postgres):
    log = HandMade(tmp_path)
    shadow = finding("IBAN", rule='say "no"\\', op="drop", mode="shadow")
    log.block(
        message(7, f=[finding(), shadow]), (events.Limit, {"route": "a\tb\\n", "reason": "rate", "count": 3})
    )
    log.checkpoint()
    log.block(message(8))
    ship(tmp_path, postgres.place)
    assert there(postgres) == signed_lines(tmp_path)[log.log]
    names = "kind, sid, route, dir, n, verdict, entities, rules, operators, extract(epoch from t)::bigint"
    assert postgres.query(f"SELECT {names} FROM hushwire_events ORDER BY seq") == [
        (
            *("message", "0badcafe-1", "default", "up", 7, "rewritten"),
            *(["EMAIL_ADDRESS", "IBAN"], ["contact", 'say "no"\\'], ["drop", "mask"], DAY),
        ),
        ("limit", None, "a\tb\\n", None, None, None, [], [], [], DAY + 1),
    ]
    assert postgres.query("SELECT DISTINCT line::jsonb ->> 'v' FROM hushwire_events") == [("1",)]
    ((size, note),) = postgres.query("SELECT size, note FROM hushwire_checkpoints")
    assert size == 1
    assert proves(there(postgres), note, log.signer.verifier)


@pytest.mark.heavy
def test_a_table_may_have_its_columns_in_another_order_and_more_of_them(tmp_path: Path, postgres: Postgres):
    log = HandMade(tmp_path)
    log.block(message(sid="1f3a9c22-4", route="chat"))
    log.checkpoint()
    made = TABLES.replace(
        "sid text, route text,", "route text, loaded timestamptz NOT NULL DEFAULT now(), sid text,"
    )
    postgres.query(made)
    ship(tmp_path, postgres.place)
    columns = "sid, route, verdict, entities, loaded IS NOT NULL"
    assert postgres.query(f"SELECT {columns} FROM hushwire_events WHERE kind = 'message'") == [
        ("1f3a9c22-4", "chat", "rewritten", ["EMAIL_ADDRESS"], True)
    ]


@pytest.mark.heavy
def test_what_is_shipped_again_is_there_once(tmp_path: Path, postgres: Postgres):
    log = grown(tmp_path)
    at = postgres.place
    ship(tmp_path, at)
    (tmp_path / f"ship-{at.name}.json").unlink()
    ship(tmp_path, at)
    assert there(postgres) == signed_lines(tmp_path)[log.log]
    assert postgres.query("SELECT count(*) FROM hushwire_checkpoints") == [(1,)]


@pytest.mark.heavy
def test_months_have_partitions_that_are_made_when_they_come(tmp_path: Path, postgres: Postgres):
    log = HandMade(tmp_path)
    for at in (DAY, DAY + MONTH, 0, DAY):  # a clock may step
        log.block(message(1), at=at)
    log.checkpoint()
    ship(tmp_path, postgres.place)
    parts = (
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'hushwire_events'::regclass ORDER BY 1"
    )
    months = ["hushwire_events_1970_01", "hushwire_events_2026_11", "hushwire_events_2026_12"]
    assert [name for (name,) in postgres.query(parts)] == months
    assert len(there(postgres)) == 4
    postgres.query("DROP TABLE hushwire_events_1970_01")  # retention over there
    (tmp_path / f"ship-{postgres.place.name}.json").unlink()
    ship(tmp_path, postgres.place)
    assert len(there(postgres)) == 4


@pytest.mark.heavy
def test_two_proxies_may_ship_to_an_empty_database_at_once(tmp_path: Path, postgres: Postgres):
    couriers = []
    for name in "abcd":
        grown(tmp_path / name, log=name * 8)
        couriers.append(threading.Thread(target=ship, args=(tmp_path / name, postgres.place)))
    for thread in couriers:
        thread.start()
    for thread in couriers:
        thread.join(30)
    assert postgres.query("SELECT log, count(*) FROM hushwire_events GROUP BY log ORDER BY log") == [
        (name * 8, 6) for name in "abcd"
    ]


@pytest.mark.heavy
@pytest.mark.usefixtures("hasty")
def test_whatever_happens_to_the_server_nothing_is_lost_and_nothing_is_there_twice(
    tmp_path: Path, postgres: Postgres, caplog: pytest.LogCaptureFixture
):
    chance = random.Random(5)
    with shipping(tmp_path, postgres.place), growing(tmp_path) as log:
        for blow in ("terminate", "crash", "backend stopped", "server stopped", "fast shutdown", "terminate"):
            time.sleep(0.1 + chance.random() / 10)
            strike(postgres, blow)
    with shipping(tmp_path, postgres.place) as wait:
        wait()
    assert caplog.text.count("fails: ") >= 4, "the blows have hit"
    assert there(postgres) == signed_lines(tmp_path)[log.log]
    counted = "SELECT count(*), count(DISTINCT (log, seq)) FROM hushwire_events"
    assert postgres.query(counted) == [(log.seq, log.seq)]
    notes = postgres.query("SELECT note FROM hushwire_checkpoints ORDER BY size")
    assert all(proves(there(postgres), note, log.signer.verifier) for (note,) in notes)


@contextmanager
def growing(directory: Path) -> Iterator[HandMade]:
    """A log that is written all the time."""
    log, done = HandMade(directory), threading.Event()

    def write() -> None:
        while not done.wait(0.005):
            for count in (1, 5, 2):
                log.block(*[message(n) for n in range(count)])
            log.checkpoint()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield log
    finally:
        done.set()
        thread.join()


def strike(server: Postgres, blow: str) -> None:
    """Hurt the server while a batch may be under way, and let it recover."""
    assert server.process is not None
    if blow == "terminate":
        server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hushwire'")
    elif blow == "crash":
        server.stop(signal.SIGQUIT)
        time.sleep(0.3)
        server.start()
    elif blow == "fast shutdown":
        server.stop()
        server.start()
    else:  # it accepts and never answers
        backends = server.backends()
        stopped = [server.process.pid] if blow == "server stopped" else backends
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        if blow == "server stopped":  # so that it has to connect again
            for pid in backends:
                os.kill(pid, signal.SIGTERM)
        time.sleep(2.5)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.heavy
@pytest.mark.usefixtures("hasty")
def test_a_server_that_never_answers_is_given_up(tmp_path: Path, postgres: Postgres):
    grown(tmp_path)
    courier = ship(tmp_path, postgres.place)
    batch = next(batch for batch, _ in follow.batches(courier._head(tmp_path / "log-0"), follow.Reached()))
    sink = open_sink(postgres.place)
    sink.ship(batch)
    stopped = postgres.backends()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(ShipError, match="server closed the connection"):
        sink.ship(batch)
    assert 1 < time.monotonic() - began < 10
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    sink.ship(batch)
    sink.close()


@pytest.mark.heavy
def test_what_a_server_says_is_not_told(tmp_path: Path, postgres: Postgres):
    """A fault's DETAIL quotes the row."""
    log = HandMade(tmp_path)
    log.block(message(1, route="canary"))
    log.checkpoint()
    ship(tmp_path, postgres.place)
    postgres.query("ALTER TABLE hushwire_events ADD CHECK (seq < 1)")
    log.block(message(1, route="canary"))
    log.checkpoint()
    with pytest.raises(ShipError) as caught:
        ship(tmp_path, postgres.place)
    assert str(caught.value) == "CheckViolation (SQLSTATE 23514)"
    assert caught.value.__cause__ is None


@pytest.mark.heavy
def test_a_role_may_have_no_more_rights_than_it_needs(tmp_path: Path, postgres: Postgres):
    log = grown(tmp_path)
    postgres.query("DROP ROLE IF EXISTS shipping")
    postgres.query("CREATE ROLE shipping LOGIN")
    postgres.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    at = place(postgres.url.replace("hushwire@", "shipping@"))
    with pytest.raises(ShipError, match=r"^InsufficientPrivilege \(SQLSTATE 42501\)$"):
        ship(tmp_path, at)
    ship(tmp_path, postgres.place)  # the administrator's part: tables, and this month's partition
    for table in ("hushwire_events", "hushwire_checkpoints"):
        postgres.query(f"GRANT SELECT, INSERT ON {table} TO shipping")
    log.block(message(3))
    log.checkpoint()
    ship(tmp_path, at)
    assert there(postgres) == signed_lines(tmp_path)[log.log]
    postgres.query("DROP OWNED BY shipping")
    postgres.query("DROP ROLE shipping")


@pytest.mark.heavy
def test_who_is_not_let_in_is_told_so_without_a_name(tmp_path: Path, postgres: Postgres):
    grown(tmp_path)
    with pytest.raises(ShipError, match=r"^there is no such role or database$"):
        ship(tmp_path, place(postgres.url.replace("hushwire@", "canary@")))


def test_where_nobody_listens_the_connection_is_refused(tmp_path: Path):
    grown(tmp_path)
    with pytest.raises(ShipError, match=r"^Connection refused$"):
        ship(tmp_path, place("postgresql://canary@127.0.0.1:1/audit"))


def test_a_url_that_libpq_does_not_understand_is_refused_before_anything_is_shipped():
    with pytest.raises(PlaceError, match="does not understand"):
        open_sink(place("postgresql://db.example.com/audit?colour=blue"))
