"""The three measurements: messages through a proxy, connections that idle in it, handshakes with it.

Each takes a running Process and the Service behind it, bounds its own time, leaves no connection open, and
raises UnmeasuredError with a reason instead of returning a number that means nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from statistics import median

from benchmarks.cases import EMAIL, KINDS, Case, message
from benchmarks.load import CLOSE_MASKED, BrokenPeerError, Crowd, Service, connect
from benchmarks.peers import FILTERS
from benchmarks.proc import NotRunningError, Process

LIMIT = 8.0  # seconds one measurement may take on top of its window
PATIENCE = 4.0  # seconds to which a window is stretched until every client was answered twice
IDLE = Case(1, 100, 1)
WARM = 50  # connections opened before idle memory is read for the first time
AT_ONCE = 16  # handshakes in flight


class UnmeasuredError(Exception):
    """There is no figure, and this is why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One window: CPU of the proxy per message one way, round trips per second, median round trip.

    `load` is the share of its own core that the load generator used: near 1.0 the rate is its limit.
    """

    us: float
    rate: float
    p50: float
    load: float


@contextlib.asynccontextmanager
async def bounded(limit: float) -> AsyncIterator[None]:
    """Turn everything a proxy can do wrong into UnmeasuredError."""
    try:
        async with asyncio.timeout(limit):
            yield
    except* TimeoutError:
        raise UnmeasuredError(f"stood still for {limit:.0f} s") from None
    except* (BrokenPeerError, NotRunningError, OSError) as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise UnmeasuredError(str(error)) from None


def check(name: str, case: Case, service: Service, crowd: Crowd) -> None:
    """What came through is what was sent; or, from a proxy that filters, what was sent without the address."""
    seen = service.firsts | {talker.answered.result() for talker in crowd.talkers}
    filters = name in FILTERS
    if filters and case.payload not in KINDS:
        return  # nobody can say what the rules make of a file
    if filters and case.payload == "email":
        if any(EMAIL.encode() in payload for payload in seen):
            raise BrokenPeerError("let the address through")
    elif seen != {message(case)}:
        raise BrokenPeerError("changed the message")


async def relay(process: Process, service: Service, case: Case, seconds: float, warm: float) -> Sample:
    """Echo the case through the proxy and weigh a window of `seconds`."""
    service.prepare(case)
    crowd = Crowd(process.port, case)
    try:
        async with bounded(LIMIT + seconds + warm):
            await crowd.open(case.conns)
            check(process.name, case, service, crowd)
            crowd.start()
            await asyncio.sleep(warm)
            sample = await window(process, crowd, seconds)
            await crowd.close()
    finally:
        crowd.abort()
    return sample


async def window(process: Process, crowd: Crowd, seconds: float) -> Sample:
    """The measured part: nothing but the load runs on this side."""
    crowd.times.clear()
    before, cpu, own, start = crowd.total, process.cpu(), time.process_time_ns(), time.perf_counter()
    await asyncio.sleep(seconds)
    while crowd.total - before < 2 * len(crowd.talkers) and time.perf_counter() - start < PATIENCE:  # noqa: ASYNC110 - a clock, not an event, is waited for
        await asyncio.sleep(0.05)  # so slow that work on unanswered messages would distort the figure
    cpu, own, took = process.cpu() - cpu, time.process_time_ns() - own, time.perf_counter() - start
    trips, times = crowd.total - before, crowd.times.copy()
    if any(talker.gone.done() for talker in crowd.talkers):
        raise BrokenPeerError("closed a connection under load")
    if not trips:
        raise BrokenPeerError("brought no message back")
    return Sample(cpu / trips / 2000, trips / took, median(times) / 1000, own / took / 1e9)


async def memory(process: Process, service: Service, count: int) -> float:
    """KiB of resident memory per connection that has carried one message each way and now idles."""
    service.prepare(IDLE)
    crowd = Crowd(process.port, IDLE)
    try:
        async with bounded(LIMIT):
            await crowd.open(WARM)
            await asyncio.sleep(0.4)
            before = process.rss()
            await crowd.open(count)
            await asyncio.sleep(0.4)
            grown = process.rss() - before
            await crowd.close()
    finally:
        crowd.abort()
    return grown / count / 1024


async def handshakes(process: Process, service: Service, count: int) -> tuple[float, float]:
    """(CPU microseconds per connect, upgrade and close; how many a second), 16 in flight."""
    service.prepare(IDLE)
    left = count

    async def visitor() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            talker = await connect(process.port, IDLE)
            talker.transport.write(CLOSE_MASKED)
            await talker.gone

    async with bounded(LIMIT):
        cpu, start = process.cpu(), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(visitor())
        took = time.perf_counter() - start
        await asyncio.sleep(0.05)  # the other half of the last connections is still being closed
        cpu = process.cpu() - cpu
    return cpu / count / 1000, count / took
