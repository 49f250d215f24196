"""What others notice of hostile messages: how long the event loop stands still, and round trips meanwhile.

    python -m benchmarks.stall [--seconds 3] [--connections 4]

First inside one process: an event loop that wants to run every millisecond, and the workers of proxy/app.py that
look at one hostile 64 KiB message after the other under the default rules. A stall is the processor time that the
process spent between two ticks, less the millisecond: other processes on the machine do not count.

Then real processes on loopback: Hushwire, pinned to one core; on the other a service that echoes, hostile clients
that send 64 KiB one after the other, and one client that sends 60 characters every 2 ms, whose round trips are
shown. They are of use on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import uvloop
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import Server, ServerConnection, serve

from benchmarks.detect_speed import SESSION, Ours
from benchmarks.hostile import filled
from benchmarks.peers import command
from benchmarks.proc import ROOT, Process, cores, python
from proxy.app import SWITCH
from proxy.core.message import Kind
from proxy.detect.workers import Workers

SIZE = 65_536
CLEAN = "x" * 60
PAUSE, TICK = 0.002, 0.001
TEXTS = {
    "quiet": "",
    "clean, 64 KiB": "nothing personal in here, ",
    "00 ": "00 ",
    "1.": "1.",
    "02 ": "02 ",
    "(212) 555-0142 ": "(212) 555-0142 ",
    "4111 1111 1111 1112 ": "4111 1111 1111 1112 ",
    "a.b@": "a.b@",
}


async def stood(ours: Ours, payload: bytes, seconds: float) -> list[float]:
    """Milliseconds of processor time by which ticks of the loop came late, while a worker looks at `payload`s."""
    workers, over = Workers(threads=1, waiting=1), asyncio.Event()

    async def work() -> None:
        while not over.is_set():
            job = workers.submit(lambda: ours.lane.work(Kind.TEXT, payload, SESSION), 1, len(payload))
            await asyncio.wrap_future(job)

    working = asyncio.create_task(work())
    late, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.process_time()
        await asyncio.sleep(TICK)
        late.append(max(0.0, time.process_time() - began - TICK) * 1e3)
    over.set()
    await working
    workers.close()
    return late


def echo(connection: ServerConnection) -> None:
    """What the service does."""
    with contextlib.suppress(ConnectionClosed):
        for message in connection:
            connection.send(message)


@contextlib.contextmanager
def service() -> Iterator[int]:
    """A service in threads of this process; gives its port."""
    server: Server
    with serve(echo, "127.0.0.1", 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.socket.getsockname()[1])
        finally:
            server.shutdown()
            thread.join()


def flood(port: int, motif: str, connections: int) -> None:
    """Send hostile messages on every connection, each when the last one came back, until somebody ends this."""

    def one() -> None:
        while True:
            with contextlib.suppress(ConnectionClosed), dialled(port) as socket:
                while True:
                    socket.send(filled(motif, SIZE))
                    socket.recv()

    for thread in [threading.Thread(target=one, daemon=True) for _ in range(connections)]:
        thread.start()
    threading.Event().wait()


def dialled(port: int) -> connect:
    """A connection to the proxy."""
    return connect(f"ws://127.0.0.1:{port}/", compression=None, max_size=None)


def probed(port: int, seconds: float) -> list[float]:
    """Round trips of small clean messages, in milliseconds."""
    took = []
    with dialled(port) as socket:
        until = time.monotonic() + seconds
        while (began := time.monotonic()) < until:
            socket.send(CLEAN)
            socket.recv()
            took.append((time.monotonic() - began) * 1e3)
            time.sleep(PAUSE)
    return took


def measured(port: int, motif: str, connections: int, seconds: float) -> list[float]:
    """Round trips while hostile clients send `motif`."""
    if not motif:
        return probed(port, seconds)
    hostile = python("benchmarks.stall", "--flood", motif, "--port", str(port), "--connections", str(connections))
    process = subprocess.Popen(hostile, cwd=ROOT)
    try:
        time.sleep(1.0)  # until it has begun
        return probed(port, seconds)
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=3.0, help="for each text")
    words.add_argument("--connections", type=int, default=4, help="hostile ones")
    words.add_argument("--flood", help=argparse.SUPPRESS)
    words.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.flood:
        flood(asked.port, asked.flood, asked.connections)
        return
    inside(asked.seconds)
    outside(asked.seconds, asked.connections)


def inside(seconds: float) -> None:
    """Print how long the loop stands still."""
    ours = Ours()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)  # as in proxy/app.py, and so is what follows
    gc.collect()
    gc.freeze()
    print("stalls of the event loop, in ms of processor time: median, 99 %, longest\n")
    for name, motif in TEXTS.items():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            show(name, runner.run(stood(ours, filled(motif or "x", SIZE).encode(), seconds)))
    gc.unfreeze()
    sys.setswitchinterval(usual)


def outside(seconds: float, connections: int) -> None:
    """Print round trips through the proxy."""
    core, other = cores()
    os.sched_setaffinity(0, {other})
    with tempfile.TemporaryDirectory() as folder, service() as upstream:
        os.environ["XDG_STATE_HOME"] = folder
        ours = command("hushwire-default", upstream, Path(folder))
        process = Process("hushwire", ours, Path(folder), core)
        process.start()
        try:
            asyncio.run(process.wait_ready(time.monotonic() + 60))
            print(f"\nround trips in ms, {connections} hostile connections: median, 99 %, longest\n")
            for name, motif in TEXTS.items():
                show(name, measured(process.port, motif, connections, seconds))
        finally:
            process.stop()


def show(name: str, took: list[float]) -> None:
    """One line."""
    cuts = quantiles(took, n=100)
    print(f"{name!r:24} {cuts[49]:7.2f} {cuts[98]:7.2f} {max(took):7.2f}   of {len(took)}")


if __name__ == "__main__":
    main()
