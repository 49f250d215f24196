"""The proxy as it is, with a clock on its event loop that tells how long the loop did not come back to it.

    python -m benchmarks.ticking run --json --upstream ws://127.0.0.1:9000 ...   # as `hushwire run`

Prints a line {"event": "tick", "at": TIME, "late": SECONDS} for the worst of every tenth of a second; TIME is that
of perf_counter, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from socket import socket
from time import perf_counter

from proxy import app, cli

EVERY = 0.001  # seconds
TOLD = 0.1


async def tick() -> None:
    """Until cancelled."""
    worst, told = 0.0, perf_counter()
    while True:
        since = perf_counter()
        await asyncio.sleep(EVERY)
        now = perf_counter()
        worst = max(worst, now - since - EVERY)
        if now - told > TOLD:
            print(json.dumps({"event": "tick", "at": now, "late": worst}), flush=True)
            worst, told = 0.0, now


class Ticking(app.Process):
    """A worker with the clock."""

    async def run(self, listening: socket, admin: socket | None, tell: Callable[[], None]) -> int:
        """As the worker does; the clock starts when it is ready."""
        clocks = []

        def ready() -> None:
            tell()
            clocks.append(asyncio.create_task(tick()))

        try:
            return await super().run(listening, admin, ready)
        finally:
            for clock in clocks:
                clock.cancel()


if __name__ == "__main__":
    app.Process = Ticking  # type: ignore[misc]
    cli.main()
