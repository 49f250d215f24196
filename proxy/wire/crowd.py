"""The connections of one process over all of its routes: how many there may be, and their numbers."""

from __future__ import annotations

import itertools


class Crowd:
    """Shared by the exchanges of a process. `inside` counts handshakes too."""

    __slots__ = ("inside", "limit", "sids")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.inside = 0
        self.sids = itertools.count(1)
