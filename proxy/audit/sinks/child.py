"""A process for each sink, and what a proxy has to do with it: start it, start it again, and let it end.

Whatever a client library does, it does it there: a lock of the interpreter, a call that blocks in C, memory, a
crash. The proxy shares no more with it than the files of the audit. It runs at a lower priority, and it is told to
end by the end of its standard input, so it also ends if the proxy is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from proxy.audit.sinks.cursor import CursorError, alone, enlist
from proxy.audit.sinks.place import Place, open_sink, place
from proxy.audit.sinks.shipper import LAST, Shipper

log = logging.getLogger("hushwire")

AGAIN = 1.0, 60.0  # seconds before a child that ended is replaced: the first time, and at most
LIVED = 60.0  # seconds after which an end is not taken for the next one in a row
TAKEN = 5.0  # seconds until it is seen whether somebody else still ships there
GRACE = LAST + 1  # seconds from the end of a proxy to that of its children, in any case
NICE = 10
MODULE = "proxy.audit.sinks.child"


class Children:
    """The shipping of one proxy. To be used on its loop."""

    def __init__(self, directory: Path, places: Sequence[Place]) -> None:
        """`directory` is the audit's."""
        self.directory, self.places = directory, places
        self.running: dict[str, Process] = {}

    def enlist(self) -> list[str]:
        """Have retention wait for these sinks, before anything is written. Returns other sinks that it waits for.
        Raises OSError."""
        return enlist(self.directory, list(self.places))

    async def watch(self) -> None:
        """Keep a child for every sink, until this is cancelled; then call `close`."""
        await asyncio.gather(*map(self._keep, self.places))

    async def close(self) -> None:
        """Once the log is closed: what is signed is shipped, for a few seconds, and the children end."""
        children = list(self.running.values())
        self.running.clear()
        await asyncio.gather(*map(_end, children))

    async def _keep(self, at: Place) -> None:
        loop, (wait, longest) = asyncio.get_running_loop(), AGAIN
        while True:
            began = loop.time()
            child = self.running[at.name] = await self._start(at)
            code = await child.wait()
            log.error("shipping to %s ended (exit code %d); it is started again", at.where, code)
            wait = AGAIN[0] if loop.time() - began > LIVED else wait
            await asyncio.sleep(wait)
            wait = min(longest, 2 * wait)

    async def _start(self, at: Place) -> Process:
        """What the user wrote goes through the pipe: nobody else sees it there, and a reference stays one."""
        command = (sys.executable, "-m", MODULE, str(self.directory.absolute()), str(log.getEffectiveLevel()))
        child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL)
        pipe = child.stdin
        assert pipe is not None
        pipe.write(os.fsencode(at.written) + b"\n")
        return child


async def _end(child: Process) -> None:
    assert child.stdin is not None
    child.stdin.close()
    try:
        await asyncio.wait_for(child.wait(), GRACE + 1)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):  # it has ended just now
            child.kill()
        await child.wait()


def main() -> int:
    """The child: `DIRECTORY LEVEL`, and on its standard input the place."""
    directory, level = Path(sys.argv[1]), int(sys.argv[2])
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the proxy says when it is time
    os.nice(NICE)
    at = place(os.fsdecode(sys.stdin.buffer.readline()).strip())
    stop = threading.Event()
    threading.Thread(target=_until_the_end_of_input, args=(stop,), daemon=True).start()
    _ship(directory, at, stop)
    return 0


def _ship(directory: Path, at: Place, stop: threading.Event) -> None:
    """Until `stop`. While somebody else does, or the cursor is damaged, look every few seconds."""
    told = ""
    while not stop.is_set():
        try:
            with alone(directory, at.name), contextlib.closing(open_sink(at)) as sink:
                Shipper(directory, at, sink).run(stop)
        except CursorError as error:
            problem = str(error)
            if problem != told:
                log.error("nothing is shipped to %s: %s", at.where, problem)
            told = problem
            stop.wait(TAKEN)


def _until_the_end_of_input(stop: threading.Event) -> None:
    """Then end in order, and in any case: a client that hangs must not outlive the proxy."""
    sys.stdin.buffer.read()
    stop.set()
    threading.Event().wait(GRACE)
    os._exit(0)  # it waits for its sink; what has not arrived is shipped next time


if __name__ == "__main__":
    sys.exit(main())
