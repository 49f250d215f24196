"""CPU per message, idle memory and handshakes of hushwire beside other proxies, interleaved in one run.

    python -m benchmarks.relay            about 4 minutes
    python -m benchmarks.relay --quick    under a minute

The proxies share one core, the load (clients and upstream) has the other; only one proxy works at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import shlex
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import uvloop

from benchmarks import measure, peers, report
from benchmarks.cases import KINDS, Case, message, parse_case
from benchmarks.load import Service
from benchmarks.measure import UnmeasuredError
from benchmarks.proc import NotRunningError, Process, cores

DEFAULT = "1:100:1 50:100:1 50:1024:1 50:16384:1 10:100:16 50:100:1:email 20:16384:1:deflate 4:900000:1"
QUICK = "50:100:1 50:1024:1 10:100:16 50:100:1:email 20:16384:1:deflate 4:900000:1"
PARTS = ("memory", "handshake", "relay")
START_LIMIT = 60.0  # seconds for all proxies to become ready
LIMIT = 300.0  # seconds after which nothing new is begun, whatever hangs (quick: 60)


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line; what is not given depends on --quick."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round of fewer cases")
    parser.add_argument("--peers", default=",".join(peers.NAMES), help="comma-separated, default %(default)s")
    parser.add_argument("--cases", help=f"CONNECTIONS:BYTES:WINDOW[:email][:deflate] ..., default '{DEFAULT}'")
    parser.add_argument("--payload", default="clean", help=f"{', '.join(KINDS)}, or the path of a file")
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated, default %(default)s")
    parser.add_argument("--rounds", type=int, help="of every case, default 3 (quick: 1)")
    parser.add_argument("--seconds", type=float, help="of every measured window, default 0.5 (quick: 0.3)")
    parser.add_argument("--connections", type=int, help="idle ones for the memory, default 2000 (quick: 200)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    args = parser.parse_args(words)
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.seconds = args.seconds or (0.3 if args.quick else 0.5)
    args.connections = args.connections or (200 if args.quick else 2000)
    args.peers, args.parts = tuple(args.peers.split(",")), tuple(args.parts.split(","))
    for given, known in ((args.peers, peers.NAMES), (args.parts, PARTS)):
        if unknown := set(given) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    try:
        args.cases = [
            parse_case(c, args.payload) for c in (args.cases or (QUICK if args.quick else DEFAULT)).split()
        ]
        args.cases = [sized(case) for case in args.cases]
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return args


def sized(case: Case) -> Case:
    """A file brings its own size."""
    return replace(case, size=len(message(case)))


def say(text: str) -> None:
    """Progress goes to stderr: stdout is for the tables."""
    print(text, file=sys.stderr, flush=True)


class Run:
    """One run: the proxies, the upstream behind them, and the results so far."""

    def __init__(self, args: argparse.Namespace, folder: Path, core: int) -> None:
        self.args, self.folder, self.core = args, folder, core
        self.service = Service()
        self.fleet: dict[str, Process] = {}
        self.deadline = time.monotonic() + (60.0 if args.quick else LIMIT)
        labels = tuple(dict.fromkeys(case.label for case in args.cases))
        self.results = report.Results(args.peers, labels)

    async def go(self) -> None:
        """Start, measure, and end everything, whatever happens."""
        try:
            await self.service.open()
            await self.start(self.args.peers)
            if "memory" in self.args.parts:
                await self.memory()  # first: it wants processes that have not worked yet
            if "handshake" in self.args.parts:
                await self.handshakes()
            if "relay" in self.args.parts:
                await self.relay()
        finally:
            for process in self.fleet.values():
                process.stop()

    async def start(self, names: tuple[str, ...]) -> None:
        """Start them side by side, then wait for each."""
        say(f"starting {', '.join(names)}")
        for name in names:
            command = peers.command(name, self.service.port, self.folder)
            self.fleet[name] = Process(name, command, self.folder, self.core)
            self.fleet[name].start()
        deadline = time.monotonic() + START_LIMIT
        for name in names:
            try:
                await self.fleet[name].wait_ready(deadline)
            except NotRunningError as error:
                self.fail(name, "start", error)
                self.fleet.pop(name).stop()

    def fail(self, name: str, what: str, why: Exception) -> None:
        """Remember the reason for the table."""
        said = self.fleet[name].complaint() if name in self.fleet else ""
        self.results.failures[name, what] = f"{why}; {said}" if said and said not in str(why) else str(why)
        say(f"{name} {what}: {self.results.failures[name, what]}")

    async def replace(self, name: str) -> None:
        """A proxy that failed once is not trusted with the next measurement."""
        self.fleet.pop(name).stop()
        await self.start((name,))

    def late(self) -> bool:
        """Whether the run has used up its time: what is missing then shows as n/a."""
        if time.monotonic() < self.deadline:
            return False
        self.results.failures.setdefault(("run", "limit"), "time was up before every round was done")
        return True

    async def memory(self) -> None:
        """Idle connections, once for each proxy."""
        for name, process in list(self.fleet.items()):
            try:
                found = await measure.memory(process, self.service, self.args.connections)
                self.results.memory[name] = found
            except UnmeasuredError as error:
                self.fail(name, "memory", error)
                await self.replace(name)

    async def handshakes(self) -> None:
        """In rounds, the first of them only to warm up."""
        count = 160 if self.args.quick else 400
        for turn in range(self.args.rounds + 1):
            say(f"handshakes, round {turn} of {self.args.rounds}")
            for name, process in list(self.fleet.items()):
                if (name, "handshake") in self.results.failures or self.late():
                    continue
                try:
                    found = await measure.handshakes(process, self.service, count if turn else count // 4)
                except UnmeasuredError as error:
                    self.fail(name, "handshake", error)
                    self.results.handshakes.pop(name, None)
                    await self.replace(name)
                    continue
                if turn:
                    self.results.handshakes.setdefault(name, []).append(found)

    async def relay(self) -> None:
        """A B C A B C: every case on every proxy, then again."""
        for turn in range(self.args.rounds):
            for case in self.args.cases:
                say(f"{case.label}, round {turn + 1} of {self.args.rounds}")
                for name in list(self.fleet):
                    await self.once(name, case)

    async def once(self, name: str, case: Case) -> None:
        """One window of one case on one proxy."""
        if (name, case.label) in self.results.failures or self.late():
            return
        seconds = self.args.seconds
        try:
            sample = await measure.relay(self.fleet[name], self.service, case, seconds, warm=seconds * 0.4)
        except UnmeasuredError as error:
            self.fail(name, case.label, error)
            await self.replace(name)
            return
        self.results.samples.setdefault((name, case.label), []).append(sample)


def until_done(run: Run) -> int | None:
    """Carry `run` out. Returns the signal that ended it early, if one did, after everything was ended.

    Python's own way would raise in the middle of a protocol's callback, where uvloop takes it for a broken
    connection and goes on.
    """
    caught: list[int] = []
    with contextlib.closing(uvloop.new_event_loop()) as loop:
        task = loop.create_task(run.go())

        def end(number: int) -> None:
            caught.append(number)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end, number)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            return caught[0]
    return None


def main(words: list[str]) -> int:
    """Run, print, and say by the exit code whether anything was measured."""
    args = arguments(words)
    proxy_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    gc.disable()  # a collection in the load would be waited for by the proxy
    facts = report.machine()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="relay-") as folder:
        os.environ["XDG_STATE_HOME"] = folder  # the audit of proxies that keep one
        run = Run(args, Path(folder), proxy_core)
        stopped_by = until_done(run)
    if stopped_by is not None:
        return 128 + stopped_by
    command = shlex.join(["python", "-m", "benchmarks.relay", *words])
    print(report.shown(run.results))
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print(f"proxy on core {proxy_core}, load on core {load_core}, {time.monotonic() - start:.0f} seconds")
    print(f"repeat: {command}")
    if args.json:
        found = {"command": command, "machine": facts, **report.as_json(run.results)}
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if run.results.samples or run.results.memory or run.results.handshakes else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
