"""A whole proxy that ships: to brokers that are there, and to a server that accepts and never answers."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from websockets.sync.client import connect

from proxy.audit.checkpoint import Verifier
from proxy.audit.sinks.cursor import lags
from tests.audit.sinks.remote import proves, signed_lines
from tests.audit.sinks.test_kafka import read
from tests.harness import Hushwire
from tests.wire.drill import Service, echo, eventually, metrics

MAIL = "bob@example.com"


def test_a_sink_that_hangs_delays_nothing_and_the_other_one_gets_everything(tmp_path: Path, brokers: str):
    audit, there = tmp_path / "audit", f"kafka://{brokers}/proxy"
    with socket.create_server(("127.0.0.1", 0)) as hanging, Service(echo) as service:
        silent = f"clickhouse://127.0.0.1:{hanging.getsockname()[1]}/audit"
        options = ("--audit", str(audit), "--audit-ship", there, "--audit-ship", silent)
        with Hushwire(service.url, *options) as proxy:
            longest = 0.0
            with connect(proxy.url) as client:
                for number in range(200):
                    began = time.monotonic()
                    client.send(f"message {number} for {MAIL}")
                    assert MAIL not in str(client.recv(timeout=10))
                    longest = max(longest, time.monotonic() - began)
            assert longest < 5  # a client library gives up on that server after 10 seconds at the earliest
            eventually(lambda: metrics(proxy).get(f'hushwire_audit_unshipped{{sink="{silent}"}}', 0) >= 200)
            assert proxy.stop() == 0
    by_where = {lag.where: lag for lag in lags(audit)}
    assert by_where[there].events == 0
    assert by_where[silent].events >= 200
    lines = [line for messages in read(brokers, "proxy").values() for _, line in messages]
    assert [lines] == list(signed_lines(audit).values())
    assert json.loads(lines[-1])["kind"] == "stop"
    notes = [note.decode() for messages in read(brokers, "proxy-checkpoints").values() for _, note in messages]
    verifier = Verifier.parse((audit / "public.key").read_text())
    assert all(proves(lines, note, verifier) for note in notes)
    assert verifier.open(notes[-1]).seq == len(lines)
