"""Logs made by hand, file by file as proxy/audit/layout.py says, without the writer: to test readers on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from proxy.audit import events
from proxy.audit.checkpoint import Checkpoint, Signer
from proxy.audit.tree import Frontier, leaf_hash

SEED = bytes(range(32))
DAY = 1_795_000_000  # Unix time of the first event


def finding(entity: str = "EMAIL_ADDRESS", rule: str = "contact", **more: Any) -> events.Finding:
    """One finding."""
    given = {"recognizer": "email", "op": "mask", "len": 17, "score": 1.0, **more}
    return events.Finding(entity=entity, rule=rule, **given)


def message(n: int = 1, **more: Any) -> tuple[type[events.Event], dict[str, Any]]:
    """A message with one finding, on its way up."""
    given = {"sid": "0badcafe-1", "route": "default", "dir": "up", "n": n, "op": "text", "in_": 64, "out": 60}
    given |= {"policy": "0123456789abcdef", "verdict": "rewritten", "lat_us": 21, "f": [finding()]}
    return events.Message, given | more


class HandMade:
    """A log in `directory`/log-N that grows block by block."""

    def __init__(self, directory: Path, log: str = "3f9ac21b", number: int = 0, seed: bytes = SEED) -> None:
        self.log, self.signer, self.tree = log, Signer(seed), Frontier()
        self.folder = directory / f"log-{number}"
        self.folder.mkdir(parents=True)
        (self.folder / "lock").touch()
        (directory / "public.key").write_text(self.signer.verifier.vkey + "\n")
        self.seq = self.segment = 0
        self.name = "20261119-000000"

    def block(self, *made: tuple[type[events.Event], dict[str, Any]], at: float | None = None) -> bytes:
        """Append one block of events; `at` is Unix time in seconds."""
        lines = []
        for kind, given in made:
            t = int((DAY + self.seq if at is None else at) * 1e9)
            lines.append(events.encode(kind(log=self.log, seq=self.seq, t=t, mono=self.seq * 10**9, **given)))
            self.seq += 1
        written = events.block(self.tree.size, lines)
        self.tree.add(leaf_hash(written))
        with (self.folder / f"{self.name}.jsonl").open("ab") as file:
            file.write(written)
        with (self.folder / f"{self.name}.leaves").open("ab") as file:
            file.write(leaf_hash(written))
        return written

    def rotate(self) -> None:
        """Begin another segment."""
        self.segment += 1
        self.name = f"20261119-{self.segment:06}"

    def checkpoint(self, seconds: int = DAY + 60) -> str:
        """Sign the tree as it is."""
        note = self.signer.sign(Checkpoint(self.log, self.tree.size, self.tree.root(), self.seq, seconds))
        (self.folder / "checkpoint").write_text(note)
        peaks = [peak.hex() for peak in self.tree.peaks]
        (self.folder / "frontier").write_text(
            json.dumps({"size": self.tree.size, "seq": self.seq, "peaks": peaks})
        )
        return note
