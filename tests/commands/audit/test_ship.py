"""Shipping by hand, and what is said about sinks, to people and to programs."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy.audit import events
from proxy.audit.layout import logs, segments
from proxy.audit.people.keys import Keys, keys_folder
from proxy.audit.sinks.cursor import alone, enlist, lags
from proxy.audit.sinks.place import place
from proxy.audit.writing.log import Log
from proxy.audit.writing.opening import open_log
from proxy.commands.audit import app
from tests.audit.sinks.remote import PLACE, mock_cluster
from tests.audit.sinks.test_kafka import read
from tests.audit.writing import block
from tests.harness import ROOT

COUNT = 30


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["ship", *arguments], prog_name="hushwire audit", env={"COLUMNS": "140"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("HUSHWIRE_AUDIT", raising=False)
    monkeypatch.delenv("HUSHWIRE_AUDIT_KEY", raising=False)
    return tmp_path / "hushwire" / "audit"


@pytest.fixture
def log(audit: Path) -> Iterator[Log]:
    made = open_log(audit, Keys.open(keys_folder()).signer)
    block(made, COUNT)
    made.sync()
    yield made
    made.close()


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    with mock_cluster() as found:
        yield found


def values(brokers: str, topic: str) -> list[bytes]:
    return [value for messages in read(brokers, topic).values() for _, value in messages]


def exports(audit: Path) -> list[tuple[str, int]]:
    """What the log says about copies that were made."""
    lines = b"".join(one.path.read_bytes() for folder in logs(audit) for one in segments(folder)).splitlines()
    made = [event for event in map(events.decode, lines) if isinstance(event, events.Export)]
    return [(event.form, event.count) for event in made]


def test_everything_is_shipped_once_and_that_it_was_is_in_the_log(audit: Path, log: Log, brokers: str):
    url = f"kafka://{brokers}/hand"
    code, told, _ = run(url, "--once")
    assert code == 0
    assert told == f"{COUNT + 3} events shipped to {url}\n"  # and start, export, stop of this command
    assert exports(audit) == [("shipped to kafka", COUNT)]
    code, told, _ = run(url, "--once", "--json")
    assert code == 0
    assert json.loads(told) == {"name": place(url).name, "where": url, "shipped": 0, "damaged": {}}
    assert len(values(brokers, "hand")) == COUNT + 3
    assert exports(audit) == [("shipped to kafka", COUNT)]


def test_again_begins_at_the_beginning(audit: Path, log: Log, brokers: str):
    url = f"kafka://{brokers}/twice"
    run(url, "--once")
    code, told, _ = run(url, "--once", "--again", "--json")
    assert code == 0
    assert json.loads(told)["shipped"] == COUNT + 6
    assert len(set(values(brokers, "twice"))) == COUNT + 6
    assert len(exports(audit)) == 2


def test_the_status_is_a_table_or_json(audit: Path, log: Log, brokers: str):
    assert run()[1] == "nothing is shipped yet; hushwire audit ship --help says how\n"
    at = place(f"kafka://{brokers}/status")
    enlist(audit, [at])
    code, told, _ = run("--status")
    assert code == 0
    head, row = told.splitlines()
    assert head.split() == ["sink", "state", "shipped", "behind", "where", "retention"]
    assert row.split()[:4] == [at.name, "new", "0", str(COUNT)]
    assert "waits for it" in row
    run(at.url, "--once")
    (said,) = json.loads(run("--json")[1])
    assert (said["state"], said["events"], said["shipped"], said["wanted"]) == ("even", 0, COUNT + 3, True)


def test_a_sink_that_cannot_be_reached_ends_it_with_the_reason(audit: Path, log: Log):
    code, told, said = run("postgresql://canary@127.0.0.1:1/audit", "--once")
    assert (code, told) == (1, "")
    assert said == "not everything was shipped: Connection refused\nwhat arrived is not shipped again next time\n"
    assert exports(audit) == []  # nothing has left


@pytest.mark.parametrize("scheme", ["postgresql", "kafka", "clickhouse"])
def test_that_copies_are_made_is_noted_when_the_first_is_about_to_leave(
    audit: Path, log: Log, brokers: str, scheme: str, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as hasty:
        hasty.setattr("proxy.audit.sinks.kafka.CONNECT", 0.5)
        for _ in range(2):
            code, _, said = run(f"{scheme}://127.0.0.1:1/first", "--once")
            assert code == 1
            assert "not everything was shipped" in said
            assert exports(audit) == []
    url = f"kafka://{brokers}/first-{scheme}"
    enlist(audit, [place(url)])  # which a proxy does before anything is shipped
    assert run(url, "--once")[0] == 0
    assert exports(audit) == [("shipped to kafka", COUNT)]
    noted = [value for value in values(brokers, f"first-{scheme}") if b'"kind":"export"' in value]
    assert len(noted) == 1


def test_a_log_that_was_changed_is_left_out_and_told(audit: Path, log: Log, brokers: str):
    file = segments(log.folder)[0].path
    file.write_bytes(file.read_bytes().replace(b'"crowd"', b'"crown"', 1))
    code, _, said = run(f"kafka://{brokers}/changed", "--once")
    assert code == 1
    assert "log-0 is left out: it was changed" in said
    assert "hushwire audit verify" in said
    (lag,) = lags(audit)
    assert lag.problem.startswith("log-0: it was changed")
    assert f"{lag.name} fails" in run()[1]


@pytest.mark.parametrize("url", ["http://canary", "postgresql://me:canary@db/audit", "env:CANARY"])
def test_what_is_no_place_to_ship_to_is_told_without_being_quoted(audit: Path, log: Log, url: str):
    code, told, said = run(url)
    assert (code, told) == (2, "")
    assert said.startswith("URL: ")
    assert "canary" not in said.lower()


def test_a_sink_is_forgotten_by_its_name(audit: Path, log: Log):
    enlist(audit, [PLACE])
    code, _, said = run("--forget", "kafka-00000000")
    assert code == 2
    assert said == f"--forget: there is no sink of this name; known: {PLACE.name}\n"
    with alone(audit, PLACE.name):
        code, _, said = run("--forget", PLACE.name)
        assert code == 1
        assert "already" in said
    assert run("--forget", PLACE.name, "--json")[1] == f'{{"forgotten": "{PLACE.name}"}}\n'
    assert [path.name for path in audit.glob("ship-*")] == []


def test_without_once_it_goes_on_until_it_is_interrupted(audit: Path, log: Log, brokers: str):
    url = f"kafka://{brokers}/on"
    command = [sys.executable, "-m", "proxy", "audit", "ship", url]
    main, other = pty.openpty()  # a person at a terminal, who sees a bar
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=other
    ) as process:
        os.close(other)
        end = time.monotonic() + 30
        for shipped in (COUNT, COUNT + 5):
            while not (found := lags(audit)) or found[0].shipped < shipped:
                assert time.monotonic() < end
                time.sleep(0.05)
            block(log, 5)
            log.sync()
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    first, last = told.decode().splitlines()
    assert first == f"shipping to {url} until Ctrl-C (--once ends when everything is there)"
    assert last == f"{COUNT + 13} events shipped to {url}"
    bar = os.read(main, 100_000).decode()
    os.close(main)
    assert "events" in bar
    assert len(values(brokers, "on")) == COUNT + 13
