"""Copies of the audit log on other machines: what a sink is, and what it is given. No client library in here.

A batch is a run of whole blocks of one log that a signed checkpoint covers, so a power loss here can take back
nothing that is there. Shipping is at least once and in order; the other side keeps one of each (log, seq).
Lines go over byte for byte, and so do the checkpoints: whoever reads the copy can compute its tree, and hold it
against what lies here.

Files: place (which sink a URL means), follow (reading batches), cursor (how far each sink got), shipper (the
loop), child (its process), rows (columns for databases), and one file per sink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class ShipError(Exception):
    """The other side did not take a batch, or cannot be reached; it is tried again. The text says why, in words
    that are ours or the system's: what a server says may quote what it was sent."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Blocks `number` and following of `log`, as they lie there; their first event is `first`.

    `checkpoint` is the signed note of the tree that ends with these blocks, if one does: where it arrives,
    everything it covers has arrived.
    """

    log: str
    number: int
    first: int
    blocks: tuple[bytes, ...]
    checkpoint: str | None

    def lines(self) -> list[bytes]:
        """Its events, without line feeds; those that begin with `{"b":` begin a block."""
        return b"".join(self.blocks).split(b"\n")[:-1]


class AuditSink(Protocol):
    """Another machine that keeps copies."""

    def connect(self) -> None:
        """Reach the other side, and send it nothing of any log. Raises ShipError, within a minute."""

    def ship(self, batch: Batch) -> None:
        """Return when the other side has the batch durably, once. Raises ShipError, within a minute: also if the
        other side says nothing. Connects by itself, whenever that is needed."""

    def close(self) -> None:
        """Let go of the connection. Never raises, never waits."""
