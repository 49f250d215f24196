"""The proxy as it is, with a clock on its event loop that tells how long the loop did not come back to it.

    python -m benchmarks.ticking run --json --upstream ws://127.0.0.1:9000 ...   # as `hushwire run`

Prints a line {"event": "tick", "at": TIME, "late": SECONDS, "own": SECONDS} for the worst of every tenth of a
second; TIME is that of perf_counter, which all processes of a machine share. `own` is how much of that the proxy
itself was at work, in any thread: on a machine with other things to do, the rest was theirs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from socket import socket
from time import perf_counter, process_time

from proxy import app, cli

EVERY = 0.001  # seconds
TOLD = 0.1


async def tick() -> None:
    """Until cancelled."""
    late, own, told = 0.0, 0.0, perf_counter()
    while True:
        since, worked = perf_counter(), process_time()
        await asyncio.sleep(EVERY)
        now = perf_counter()
        late = max(late, now - since - EVERY)
        own = max(own, min(process_time() - worked, now - since - EVERY))
        if now - told > TOLD:
            print(json.dumps({"event": "tick", "at": now, "late": late, "own": own}), flush=True)
            late, own, told = 0.0, 0.0, now


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
