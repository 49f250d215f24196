"""One sum of counters for several worker processes, because any of them may be asked for the metrics.

Each worker publishes its snapshot into a slot of anonymous memory that was mapped before the fork; whoever
is scraped adds all slots up. No file, no lock, no daemon: a slot has one writer, and readers notice a torn
write by its checksum. What the counters mean lives in proxy/core/tally; how they are shown, in api.

Layout of a slot: 1 byte that says which half is current, then two halves of (length, CRC-32, JSON). A writer
fills the other half and then flips the byte, so a worker killed in mid-write leaves its last snapshot whole.
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib

from proxy.core.tally import Snapshot, merge

SLOT = 64 * 1024
HALF = (SLOT - 8) // 2
HEAD = struct.Struct("=II")
ROOM = HALF - HEAD.size
ATTEMPTS = 1000  # a reader is disturbed only by two writes during one copy; this many in a row is damage


class Share:
    """The slots of `workers` processes. Make it before the fork; then each worker calls `take` once."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._memory = mmap.mmap(-1, workers * SLOT)
        for worker in range(workers):
            self._write(worker, merge(()))

    def take(self, worker: int) -> Slot:
        """The slot of a starting worker: what its dead predecessors counted is kept, their connections are not."""
        return Slot(self, worker, self.bury(worker))

    def bury(self, worker: int) -> Snapshot:
        """Mark a worker as dead: its open connections died with it. Returns what it had counted.

        Only once the process is gone (a slot has one writer).
        """
        left = self._read(worker)
        left["open"] = 0
        self._write(worker, left)
        return left

    def merged(self) -> Snapshot:
        """The counters of all workers, as each last published them."""
        return merge(self._read(worker) for worker in range(self.workers))

    def _read(self, worker: int) -> Snapshot:
        start = worker * SLOT
        for _ in range(ATTEMPTS):
            half = start + 8 + HALF * self._memory[start]
            length, checksum = HEAD.unpack_from(self._memory, half)
            text = self._memory[half + HEAD.size : half + HEAD.size + min(length, ROOM)]
            if zlib.crc32(text) == checksum:
                snapshot: Snapshot = json.loads(text)
                return snapshot
        raise RuntimeError(f"the shared counters of worker {worker} cannot be read")

    def _write(self, worker: int, snapshot: Snapshot) -> None:
        text = json.dumps(snapshot, separators=(",", ":")).encode()
        if len(text) > ROOM:
            raise ValueError(f"a snapshot of {len(text)} bytes does not fit into {ROOM}; use fewer entities")
        start = worker * SLOT
        other = 1 - self._memory[start]
        half = start + 8 + HALF * other
        HEAD.pack_into(self._memory, half, len(text), zlib.crc32(text))
        self._memory[half + HEAD.size : half + HEAD.size + len(text)] = text
        self._memory[start] = other


class Slot:
    """Where one worker publishes. `base` is what earlier workers of this slot counted, so sums never fall."""

    def __init__(self, share: Share, worker: int, base: Snapshot) -> None:
        self._share = share
        self._worker = worker
        self._base = base

    def publish(self, snapshot: Snapshot) -> None:
        """Make `snapshot` visible to all workers."""
        self._share._write(self._worker, merge((self._base, snapshot)))
