"""The real client against ClickHouse's own engine, and against servers that say nothing or too much."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from proxy.audit import events
from proxy.audit.sinks import ShipError, clickhouse
from proxy.audit.sinks.place import Place, place
from tests.audit.logs import DAY, HandMade, finding, message
from tests.audit.sinks.conftest import ClickHouse
from tests.audit.sinks.remote import proves, signed_lines
from tests.audit.sinks.test_postgres import growing, ship, shipping
from tests.audit.sinks.test_shipper import grown


def there(server: ClickHouse, log: str = "3f9ac21b") -> list[bytes]:
    rows = server.query(f"SELECT line FROM hushwire_events FINAL WHERE log = '{log}' ORDER BY seq")
    return [line.encode() for (line,) in rows]


@pytest.fixture
def hasty(hurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without patience too."""
    monkeypatch.setattr(clickhouse, "ANSWER", 1.5)
    monkeypatch.setattr(clickhouse, "CONNECT", 1.5)


@pytest.mark.heavy
def test_every_event_arrives_with_its_columns_and_the_copy_proves_itself(tmp_path: Path, clickhouse: ClickHouse):
    log = HandMade(tmp_path)
    log.block(message(7, f=[finding(), finding("IBAN", rule='say "no"\\', op="drop", mode="shadow")]))
    log.block((events.Limit, {"route": "a\tb\\n", "reason": "rate", "count": 3}))
    log.block(message(1), at=DAY + 31 * 86400)
    log.checkpoint()
    log.block(message(8))
    ship(tmp_path, clickhouse.place())
    assert there(clickhouse) == signed_lines(tmp_path)[log.log]
    names = "kind, sid, route, dir, n, verdict, entities, rules, operators, toUnixTimestamp64Nano(t)"
    assert clickhouse.query(f"SELECT {names} FROM hushwire_events ORDER BY seq LIMIT 2") == [
        (
            *("message", "0badcafe-1", "default", "up", 7, "rewritten"),
            *(["EMAIL_ADDRESS", "IBAN"], ["contact", 'say "no"\\'], ["drop", "mask"], DAY * 10**9),
        ),
        ("limit", "", "a\tb\\n", "", 0, "", [], [], [], (DAY + 1) * 10**9),
    ]
    ((size, note),) = clickhouse.query("SELECT size, note FROM hushwire_checkpoints")
    assert size == 3
    assert proves(there(clickhouse), note, log.signer.verifier)
    parts = "SELECT DISTINCT partition FROM system.parts WHERE table = 'hushwire_events' AND active ORDER BY 1"
    assert clickhouse.query(parts) == [("202611",), ("202612",)]


@pytest.mark.heavy
def test_what_is_shipped_again_is_read_once(tmp_path: Path, clickhouse: ClickHouse):
    log, at = grown(tmp_path), clickhouse.place()
    ship(tmp_path, at)
    (tmp_path / f"ship-{at.name}.json").unlink()
    ship(tmp_path, at)
    assert there(clickhouse) == signed_lines(tmp_path)[log.log]
    assert clickhouse.query("SELECT count() FROM hushwire_checkpoints FINAL") == [(1,)]


@pytest.mark.heavy
def test_more_rows_than_go_into_a_block_of_the_protocol_arrive(tmp_path: Path, clickhouse: ClickHouse):
    log = HandMade(tmp_path)
    log.block(*[message(n) for n in range(20_000)])
    log.checkpoint()
    ship(tmp_path, clickhouse.place())
    assert there(clickhouse) == signed_lines(tmp_path)[log.log]


@pytest.mark.heavy
@pytest.mark.usefixtures("hasty")
def test_nothing_is_lost_while_the_server_hangs(
    tmp_path: Path, clickhouse: ClickHouse, caplog: pytest.LogCaptureFixture
):
    with shipping(tmp_path, clickhouse.place()), growing(tmp_path) as log:
        time.sleep(0.3)
        assert clickhouse.process is not None
        clickhouse.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        clickhouse.process.send_signal(signal.SIGCONT)
    with shipping(tmp_path, clickhouse.place()) as wait:
        wait()
    assert "fails: " in caplog.text, "the blow has hit"
    assert there(clickhouse) == signed_lines(tmp_path)[log.log]


@pytest.mark.heavy
def test_who_is_not_let_in_is_told_so_in_a_word(tmp_path: Path, clickhouse: ClickHouse):
    grown(tmp_path)
    with pytest.raises(ShipError, match=r"^ClickHouse's error 516 \(AUTHENTICATION_FAILED\)$"):
        ship(tmp_path, clickhouse.place("canary"))


class Door(BaseHTTPRequestHandler):
    """Quotes what it is sent, as ClickHouse does."""

    def do_POST(self) -> None:
        body = b"Code: 27. DB::Exception: Cannot parse input near 'canary@example.com'. (CANNOT_PARSE_INPUT)"
        self.send_response(500)
        self.send_header("X-ClickHouse-Exception-Code", "27")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def talkative() -> Iterator[Place]:
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield place(f"clickhouse://127.0.0.1:{server.server_port}/audit")
        server.shutdown()
        thread.join()


def test_what_a_server_says_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    grown(tmp_path)
    with talkative() as at, pytest.raises(ShipError) as caught:
        ship(tmp_path, at)
    assert str(caught.value) == "ClickHouse's error 27 (CANNOT_PARSE_INPUT)"
    assert "canary" not in caplog.text


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clickhouse, "ANSWER", 1)
    grown(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with pytest.raises(ShipError, match=r"^no answer \(ReadTimeoutError\)$"):
            ship(tmp_path, place(f"clickhouse://127.0.0.1:{server.getsockname()[1]}/audit"))
        assert time.monotonic() - began < 10


def test_where_nobody_listens_it_fails_at_once(tmp_path: Path):
    grown(tmp_path)
    with pytest.raises(ShipError, match=r"^no answer \(\w+Error\)$"):
        ship(tmp_path, place("clickhouse://127.0.0.1:1/audit"))
