"""The connections of one process over all of its routes: how many there may be, and their names."""

from __future__ import annotations

import itertools
import secrets


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
