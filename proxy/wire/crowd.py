"""The connections of one process over all of its routes: how many there may be, and their names."""

from __future__ import annotations

import itertools
import secrets

FEW = 64


def unasked(limit: int) -> int:
    """How many connections may be open that have not asked for anything yet, where `limit` are relayed: as many,
    for all may come back at once. Each has a descriptor, which neither the relayed nor the audit log may lack."""
    return max(limit, FEW)


class Crowd:
    """Shared by the exchanges of a process, and made in it: not before a fork. `inside` counts handshakes too.

    The log and the audit call a connection `RUN-SID`: `run` is drawn anew at every start, so no name comes twice.
    """

    __slots__ = ("inside", "limit", "run", "sids")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.inside = 0
        self.run = secrets.token_hex(4)
        self.sids = itertools.count(1)
