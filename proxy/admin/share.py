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
from collections.abc import Mapping

from proxy.core.tally import Snapshot, left_by, merge

# Bytes of a slot for each route, both halves together: names of 2,500 entities of the greatest length, in both
# directions, those of rules that were in force before included. What is not written to takes no memory.
ROUTE = 1024 * 1024
HEAD = struct.Struct("=II")
ATTEMPTS = 1000  # a reader is disturbed only by two writes during one copy; this many in a row is damage


Counted = Mapping[str, Snapshot]
"""Snapshots by the name of their route; "" where there is only one, or for what belongs to none."""


class Share:
    """The slots of `workers` processes. Make it before the fork; then each worker calls `take` once.

    `routes` is for how many routes a worker counts.
    """

    def __init__(self, workers: int, routes: int = 1) -> None:
        self.workers = workers
        self._slot = ROUTE * (routes + 1)
        self._half = (self._slot - 8) // 2
        self._memory = mmap.mmap(-1, workers * self._slot)
        for worker in range(workers):
            self._write(worker, {})

    def take(self, worker: int) -> Slot:
        """The slot of a starting worker: what its dead predecessors counted is kept, their connections are not."""
        return Slot(self, worker, self.bury(worker))

    def bury(self, worker: int) -> Counted:
        """Mark a worker as dead: its open connections died with it. Returns what it had counted.

        Only once the process is gone (a slot has one writer).
        """
        left = {route: left_by(snapshot) for route, snapshot in self._read(worker).items()}
        self._write(worker, left)
        return left

    def merged(self) -> Counted:
        """The counters of all workers, as each last published them."""
        return merge_routes(*(self._read(worker) for worker in range(self.workers)))

    def _read(self, worker: int) -> Counted:
        start = worker * self._slot
        room = self._half - HEAD.size
        for _ in range(ATTEMPTS):
            half = start + 8 + self._half * self._memory[start]
            length, checksum = HEAD.unpack_from(self._memory, half)
            text = self._memory[half + HEAD.size : half + HEAD.size + min(length, room)]
            if zlib.crc32(text) == checksum:
                counted: Counted = json.loads(text)
                return counted
        raise RuntimeError(f"the shared counters of worker {worker} cannot be read")

    def _write(self, worker: int, counted: Counted) -> None:
        text, room = json.dumps(counted, separators=(",", ":")).encode(), self._half - HEAD.size
        if len(text) > room:
            raise ValueError(f"a snapshot of {len(text)} bytes does not fit into {room}; use fewer entities")
        start = worker * self._slot
        other = 1 - self._memory[start]
        half = start + 8 + self._half * other
        HEAD.pack_into(self._memory, half, len(text), zlib.crc32(text))
        self._memory[half + HEAD.size : half + HEAD.size + len(text)] = text
        self._memory[start] = other


class Slot:
    """Where one worker publishes. `base` is what earlier workers of this slot counted, so sums never fall."""

    def __init__(self, share: Share, worker: int, base: Counted) -> None:
        self._share = share
        self._worker = worker
        self._base = base

    def publish(self, counted: Counted) -> None:
        """Make `counted` visible to all workers."""
        self._share._write(self._worker, merge_routes(self._base, counted))


def merge_routes(*counted: Counted) -> Counted:
    """The sum of each route's snapshots."""
    names = dict.fromkeys(name for one in counted for name in one)
    return {name: merge(one[name] for one in counted if name in one) for name in names}
