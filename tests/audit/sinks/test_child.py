"""Children are processes, and are treated as such: killed, left hanging, and left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from proxy.audit.sinks import child, place
from proxy.audit.sinks.child import Children
from proxy.audit.sinks.cursor import alone, enlist, lags
from proxy.audit.sinks.place import Place
from tests.audit.logs import message
from tests.audit.sinks.remote import PLACE, Memory, signed_lines
from tests.audit.sinks.test_kafka import read
from tests.audit.sinks.test_shipper import grown
from tests.harness import ROOT


async def until(true: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether it runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def arguments(pid: int) -> bytes:
    """As every process of the machine may read them."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@asynccontextmanager
async def watching(directory: Path, at: Place) -> AsyncIterator[Children]:
    children = Children(directory, [at])
    children.enlist()
    task = asyncio.create_task(children.watch())
    try:
        yield children
    finally:
        task.cancel()
        await children.close()


def pid(children: Children, at: Place) -> int:
    return children.running[at.name].pid if at.name in children.running else 0


def test_a_child_ships_and_when_it_is_told_to_end_what_is_signed_by_then(tmp_path: Path, brokers: str):
    log, at = grown(tmp_path), place.place(f"kafka://{brokers}/child")

    async def run() -> None:
        async with watching(tmp_path, at) as children:
            await until(lambda: lags(tmp_path)[0].shipped == 6)
            ended = pid(children, at)
            log.block(message(9))
            log.checkpoint()
        assert not alive(ended)

    asyncio.run(run())
    values = [value for messages in read(brokers, "child").values() for _, value in messages]
    assert values == signed_lines(tmp_path)[log.log]
    assert lags(tmp_path)[0].events == 0


def test_a_child_that_is_killed_is_started_again(tmp_path: Path, brokers: str, monkeypatch, caplog):
    monkeypatch.setattr(child, "AGAIN", (0.05, 0.1))
    log, at = grown(tmp_path), place.place(f"kafka://{brokers}/killed")

    async def run() -> None:
        async with watching(tmp_path, at) as children:
            await until(lambda: lags(tmp_path)[0].shipped == 6)
            os.kill(killed := pid(children, at), signal.SIGKILL)
            log.block(message(9))
            log.checkpoint()
            await until(lambda: lags(tmp_path)[0].shipped == 7)
            assert pid(children, at) != killed

    asyncio.run(run())
    assert [record.getMessage() for record in caplog.records if record.name == "hushwire"] == [
        f"shipping to {at.where} ended (exit code -9); it is started again"
    ]


def test_a_sink_that_hangs_delays_nobody_and_not_the_end_for_long(tmp_path: Path):
    grown(tmp_path)

    async def run(at: Place) -> None:
        async with watching(tmp_path, at) as children:
            await until(lambda: pid(children, at))
            longest, last = 0.0, time.monotonic()
            for _ in range(100):
                await asyncio.sleep(0.01)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
            hanging = pid(children, at)
            assert alive(hanging)
        assert not alive(hanging)
        assert longest < 5

    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        asyncio.run(run(place.place(f"clickhouse://127.0.0.1:{server.getsockname()[1]}/audit")))
        assert time.monotonic() - began < 15
    assert lags(tmp_path)[0].events == 6


def test_nobody_sees_a_secret_among_arguments(tmp_path: Path, brokers: str):
    grown(tmp_path)
    (tmp_path / "url").write_text(f"kafka://{brokers}/canary?client.rack=canary")
    at = place.place(f"file:{tmp_path}/url")

    async def run() -> None:
        async with watching(tmp_path, at) as children:
            await until(lambda: lags(tmp_path)[0].shipped == 6)
            told.append(arguments(pid(children, at)))

    told: list[bytes] = []
    asyncio.run(run())
    assert child.MODULE.encode() in told[0]
    assert b"canary" not in told[0]


PARENT = """
import asyncio, sys
from pathlib import Path
from proxy.audit.sinks.child import Children
from proxy.audit.sinks.place import place

async def run():
    children = Children(Path(sys.argv[1]), [place(sys.argv[2])])
    children.enlist()
    task = asyncio.create_task(children.watch())
    while not children.running:
        await asyncio.sleep(0.01)
    print(*[child.pid for child in children.running.values()], flush=True)
    await task

asyncio.run(run())
"""


def test_a_child_does_not_outlive_a_proxy_that_is_killed(tmp_path: Path):
    grown(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:  # and even if it hangs
        url = f"clickhouse://127.0.0.1:{server.getsockname()[1]}/audit"
        command = [sys.executable, "-c", PARENT, str(tmp_path), url]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
            assert parent.stdout is not None
            left = int(parent.stdout.readline())
            held = server.accept()  # it is in a call of its client
            assert alive(left)
            parent.kill()
        end = time.monotonic() + 15
        while alive(left):
            assert time.monotonic() < end
            time.sleep(0.05)
        held[0].close()


def test_while_somebody_else_ships_a_child_waits_and_says_so_once(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(child, "TAKEN", 0.02)
    monkeypatch.setattr(child, "open_sink", lambda _: sink)
    log, sink, stop = grown(tmp_path), Memory(), threading.Event()
    enlist(tmp_path, [PLACE])
    thread = threading.Thread(target=child._ship, args=(tmp_path, PLACE, stop))
    with alone(tmp_path, PLACE.name):
        thread.start()
        time.sleep(0.2)
        assert not sink.batches
    asyncio.run(until(lambda: sink.seq(log.log) == 6))
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert sink.closed
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(said) == 1
    assert "already" in said[0]


def test_a_child_of_a_cursor_that_is_damaged_waits_for_somebody_to_mend_it(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(child, "TAKEN", 0.02)
    monkeypatch.setattr(child, "open_sink", lambda _: sink)
    log, sink, stop = grown(tmp_path), Memory(), threading.Event()
    cursor = tmp_path / f"ship-{PLACE.name}.json"
    cursor.write_text("{")
    thread = threading.Thread(target=child._ship, args=(tmp_path, PLACE, stop))
    thread.start()
    time.sleep(0.2)
    assert not sink.batches
    cursor.unlink()
    asyncio.run(until(lambda: sink.seq(log.log) == 6))
    stop.set()
    thread.join(10)
    assert caplog.text.count("damaged") == 1
