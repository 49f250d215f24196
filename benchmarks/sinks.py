"""How many events a second a sink takes, from segments to the other side's acknowledgement.

    python -m benchmarks.sinks                          # PostgreSQL, ClickHouse and Kafka: a minute
    python -m benchmarks.sinks --only postgres --events 1000000

Servers are those of tests/audit/sinks: PostgreSQL with fsync, ClickHouse's own engine behind a small HTTP server,
and librdkafka's mock brokers, which keep everything in memory. They share the cores with the shipper. `read` is
the shipper alone: files, hashes, the check of the checkpoint, columns (which Kafka does not need).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from proxy.audit.sinks import AuditSink, Batch
from proxy.audit.sinks.place import Place, open_sink, place
from proxy.audit.sinks.rows import rows
from proxy.audit.sinks.shipper import Shipper
from tests.audit.logs import HandMade, finding, message
from tests.audit.sinks.conftest import ClickHouse, Postgres, programs
from tests.audit.sinks.remote import PLACE, mock_cluster

BLOCK = 50  # events


class Nowhere:
    """Takes everything, as rows."""

    def connect(self) -> None:
        pass

    def ship(self, batch: Batch) -> None:
        rows(batch)

    def close(self) -> None:
        pass


def written(directory: Path, count: int, round_: int) -> None:
    """A log of messages with one finding each, that no sink has seen."""
    log = HandMade(directory, log=f"{round_:08x}")
    made = [message(n, f=[finding(c="0" * 32)]) for n in range(BLOCK)]
    for _ in range(count // BLOCK):
        log.block(*made)
    log.checkpoint()


@contextmanager
def postgres(_: Path) -> Iterator[Place]:
    found = programs()
    if found is None:
        raise SystemExit("postgres: initdb is missing; apt-get install postgresql")
    server = Postgres(found)
    try:
        server.start(fsync="on")
        yield server.place
    finally:
        server.stop()
        shutil.rmtree(server.folder)


@contextmanager
def clickhouse(folder: Path) -> Iterator[Place]:
    server = ClickHouse(folder)
    try:
        server.start()
        yield server.place()
    finally:
        server.stop()


@contextmanager
def kafka(_: Path) -> Iterator[Place]:
    with mock_cluster() as brokers:
        yield place(f"kafka://{brokers}/audit")


SERVERS = {"postgres": postgres, "clickhouse": clickhouse, "kafka": kafka}


def shipped(directory: Path, at: Place, sink: AuditSink) -> tuple[float, float]:
    """Seconds that pass, and of this process's CPU, until everything is there."""
    shipper = Shipper(directory, at, sink)
    began, cpu = time.perf_counter(), time.process_time()
    while not shipper.once():
        pass
    return time.perf_counter() - began, time.process_time() - cpu


def measured(names: list[str], count: int, rounds: int) -> dict[str, dict[str, float]]:
    """By sink, the best of interleaved rounds: events a second, and microseconds of CPU per event."""
    best: dict[str, tuple[float, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sinks: dict[str, tuple[Place, AuditSink]] = {"read": (PLACE, Nowhere())}
        for name in names:
            at = stack.enter_context(SERVERS[name](folder / name))
            sinks[name] = at, open_sink(at)
            stack.callback(sinks[name][1].close)
        for round_ in range(rounds):
            written(audit := folder / f"round-{round_}", count, round_)
            for name, (at, sink) in sinks.items():
                print(f"{name} ...", file=sys.stderr, flush=True)
                best[name] = min(best.get(name, (9e9, 9e9)), shipped(audit, at, sink))
    return {name: {"events/s": count / wall, "cpu us": cpu / count * 1e6} for name, (wall, cpu) in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SERVERS, action="append", help="this one; may be given several times")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", type=Path, help="the figures also as JSON")
    args = parser.parse_args()
    found = measured(args.only or list(SERVERS), args.events, args.rounds)
    print("| sink | events/s | of read | CPU us per event |\n|---|--:|--:|--:|")
    for name, figures in found.items():
        share = figures["events/s"] / found["read"]["events/s"]
        print(f"| {name} | {figures['events/s']:,.0f} | {share:.2f} | {figures['cpu us']:.1f} |")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
