"""The other side: in memory, where it keeps one of each (log, seq) and fails as a test says; and brokers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer

from proxy.audit.checkpoint import Verifier
from proxy.audit.layout import logs
from proxy.audit.sinks import Batch, ShipError
from proxy.audit.sinks.place import Place
from proxy.audit.tree import Frontier, leaf_hash

PLACE = Place("memory", "memory://", "memory-00000000", "memory://", "memory://")


class CrashError(BaseException):
    """The shipper's process ends here."""


class Memory:
    """An AuditSink. `fates` say what becomes of each batch, or connection that is asked for, in turn: `well`,
    `down` or `unheard` (it arrived, but the answer did not), `killed` or `killed late`; after the last all is
    well."""

    def __init__(self, fates: Iterable[str] = ()) -> None:
        self.fates = itertools.chain(fates, itertools.repeat("well"))
        self.events: dict[tuple[str, int], bytes] = {}
        self.notes: dict[tuple[str, int], str] = {}
        self.batches: list[Batch] = []
        self.closed = False

    def connect(self) -> None:
        if next(self.fates) == "down":
            raise ShipError("connection refused")

    def ship(self, batch: Batch) -> None:
        fate = next(self.fates)
        if fate == "down":
            raise ShipError("connection refused")
        if fate == "killed":
            raise CrashError
        self.keep(batch)
        if fate == "unheard":
            raise ShipError("no answer")
        if fate == "killed late":
            raise CrashError

    def keep(self, batch: Batch) -> None:
        self.batches.append(batch)
        assert batch.first <= self.seq(batch.log), "a batch came before those in front of it"
        for seq, line in enumerate(batch.lines(), batch.first):
            assert self.events.setdefault((batch.log, seq), line) == line, "an event came back changed"
        if batch.checkpoint is not None:
            self.notes[batch.log, batch.number + len(batch.blocks)] = batch.checkpoint

    def seq(self, log: str) -> int:
        """Events of `log` that are here, if there is no hole."""
        return sum(name == log for name, _ in self.events)

    def close(self) -> None:
        self.closed = True

    def lines(self, log: str) -> list[bytes]:
        return [line for (name, _), line in sorted(self.events.items()) if name == log]


def signed_lines(directory: Path) -> dict[str, list[bytes]]:
    """By log, the lines that checkpoints cover, read without Hushwire's readers (plain segments only)."""
    covered = {}
    for folder in logs(directory):
        note = (folder / "checkpoint").read_text().split("\n")
        lines = b"".join(file.read_bytes() for file in sorted(folder.glob("*.jsonl"))).split(b"\n")[:-1]
        covered[note[0].removeprefix("hushwire/")] = lines[: int(note[3].removeprefix("seq "))]
    return covered


def proves(lines: list[bytes], note: str, verifier: Verifier) -> bool:
    """Whether `lines`, as they were kept elsewhere, are what the checkpoint signs: the copy is an anchor."""
    checkpoint, tree, block = verifier.open(note), Frontier(), b""
    for line in [*lines[: checkpoint.seq], b'{"b":']:
        if line.startswith(b'{"b":') and block:
            tree.add(leaf_hash(block))
            block = b""
        block += line + b"\n"
    return (tree.size, tree.root()) == (checkpoint.size, checkpoint.root)


@contextmanager
def mock_cluster() -> Iterator[str]:
    """Three brokers that librdkafka brings for tests, as long as this lasts."""
    cluster = Producer({"bootstrap.servers": "none:1", "test.mock.num.brokers": 3, "log_level": 0})
    yield ",".join(f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=10).brokers.values())
    del cluster
