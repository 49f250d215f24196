"""A message that is held: what it takes to send it on once somebody else has looked at it.

Who waits for it, for how long, and what becomes of it is inspection.py's matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future

from proxy.core.action import Action
from proxy.core.message import Kind


class Pending:
    """One message that is being looked at in a worker. Its inspection adds, once it is known, in which `frames` it
    came and whether `compressed`; `since` is by the clock of the process, `timer` ends the waiting."""

    __slots__ = ("compressed", "frames", "future", "kind", "number", "payload", "since", "timer")

    def __init__(
        self,
        kind: Kind,
        payload: bytes,
        number: int,
        since: float,
        future: Future[list[Action]],
        timer: asyncio.TimerHandle,
    ) -> None:
        self.kind = kind
        self.payload = payload
        self.number = number
        self.since = since
        self.future = future
        self.timer = timer
        self.compressed = False
        self.frames: Sequence[bytes] = ()

    def give_up(self) -> None:
        """Nobody waits for the verdict any more: if no worker has begun, none will, and others are served."""
        self.timer.cancel()
        self.future.cancel()
