"""The processes under test: start them on one core, read what they cost, end them by their own id.

Linux only: CPU clocks of other processes, /proc, and core affinity.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1


class NotRunningError(Exception):
    """A process did not start, or is gone; the text says why."""


def cores() -> tuple[int, int]:
    """(core of the proxy, core of the load); the same twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def cpu_ns(pid: int) -> int:
    """User and system time of all threads of `pid`, ended ones included, in nanoseconds.

    This is the clock of clock_getcpuclockid(3), whose number Linux makes from the process id. It is fed by
    the same counter as /proc/PID/task/*/schedstat, but is exact at the moment of reading.
    """
    return time.clock_gettime_ns((~pid << 3) | 2)


def rss_bytes(pid: int) -> int:
    """Resident memory of `pid`."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pss_bytes(pid: int) -> int:
    """Resident memory of `pid`, a page that several processes share divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def born(pid: int) -> bytes:
    """When `pid` was started, in clock ticks: with it a number names one process only. OSError if it is gone."""
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19]


def family(pid: int) -> list[int]:
    """`pid` and everything it has started, directly or through others."""
    found = [pid]
    for parent in found:  # grows while it is walked
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


class Process:
    """One proxy. `command` must print a line {"event": "ready", "listen": "HOST:PORT", "pid": N} on stdout."""

    def __init__(self, name: str, command: list[str], folder: Path, core: int) -> None:
        self.name, self.command, self.core = name, command, core
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        self.popen: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.pid = 0

    def start(self) -> None:
        """Spawn it, pinned to its core. Output goes to files: a pipe that nobody reads would stop it."""
        libc = ctypes.CDLL(None)

        def before() -> None:
            os.sched_setaffinity(0, {self.core})
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # not even a killed benchmark leaves it behind

        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.popen = subprocess.Popen(
                self.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=before,  # noqa: PLW1509 - the benchmark has no threads
            )

    async def wait_ready(self, deadline: float) -> None:
        """Until it accepts connections, at most to `deadline` (time.monotonic); NotRunningError otherwise."""
        while b"\n" not in (line := self.out.read_bytes()):
            await self._pause(deadline)
        ready = json.loads(line.split(b"\n", 1)[0])
        self.pid, self.port = ready["pid"], int(ready["listen"].rpartition(":")[2])
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                await self._pause(deadline)
            else:
                return

    async def _pause(self, deadline: float) -> None:
        assert self.popen is not None
        if self.popen.poll() is not None:
            raise NotRunningError(f"exit code {self.popen.returncode}")
        if time.monotonic() > deadline:
            raise NotRunningError("not ready in time")
        await asyncio.sleep(0.02)

    def complaint(self) -> str:
        """The last line it wrote to stderr."""
        lines = self.err.read_text(errors="replace").strip().splitlines()
        return lines[-1][:100] if lines else ""

    def cpu(self) -> int:
        """Nanoseconds of CPU used so far by it and its children."""
        try:
            return sum(map(cpu_ns, family(self.pid)))
        except OSError:
            raise NotRunningError("is gone") from None

    def rss(self) -> int:
        """Resident bytes of it and its children."""
        try:
            return sum(map(rss_bytes, family(self.pid)))
        except OSError:
            raise NotRunningError("is gone") from None

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after 3 seconds; its children too, should they stay behind."""
        if self.popen is None:
            return
        children = self._children()
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            self.popen.wait(3)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen = None
        for pid, start in children.items():
            with contextlib.suppress(OSError):  # ended with its parent
                if born(pid) == start:
                    os.kill(pid, signal.SIGKILL)

    def _children(self) -> dict[int, bytes]:
        assert self.popen is not None
        try:
            return {pid: born(pid) for pid in family(self.popen.pid)[1:]} if self.popen.poll() is None else {}
        except OSError:
            return {}  # it ended just now


def python(module: str, *arguments: str) -> list[str]:
    """The command of a Python module under this interpreter."""
    return [sys.executable, "-m", module, *arguments]
