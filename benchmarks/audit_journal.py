"""What the journal costs its process: CPU per event, lateness of the loop, and how long messages wait.

Notes are made as the pipeline makes them, one finding each, and are given to the journal or to nobody: what that
takes away is the journal's. The thread that syncs counts too, wherever it is process CPU. Rounds are interleaved.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from benchmarks.report import number, table
from proxy.audit.people.keys import Keys, keys_folder
from proxy.audit.writing.journal import Journal
from proxy.audit.writing.log import SEGMENT_SIZE
from proxy.audit.writing.opening import open_log
from proxy.core.action import Done, Note
from proxy.core.message import Direction, Kind
from proxy.core.session import Session

BLOCKS = (1, 5, 50, 500)
RATES = (20_000, 50_000, 100_000)
NOBODY, ALONE = "nobody", "journal, without turns"
VARIANTS = (NOBODY, "journal", "journal and fingerprints")
MODES = ("async", "written", "synced")
MESSAGE_RATES = (100, 1_000, 20_000)
TICK = 0.001  # seconds
SWITCH = 0.001  # seconds, as in proxy/app.py
PAYLOAD = b'{"type":"message","text":"write to <EMAIL_ADDRESS>, please"}'
PEOPLE = [f"person{n}@example.com" for n in range(997)]
UP = Direction.CLIENT_TO_UPSTREAM
Told = Callable[[str], None]


class Leg:
    """A leg that waits, and counts how long."""

    __slots__ = ("since", "times")

    def __init__(self, times: list[float]) -> None:
        self.since, self.times = time.perf_counter(), times

    def written(self) -> None:
        """It may leave."""
        self.times.append(time.perf_counter() - self.since)

    def unwritten(self) -> None:
        """The disk of a benchmark takes everything."""
        raise RuntimeError("the log took nothing; is the disk full?")


class Calm:
    """A leg that waits, and counts nothing."""

    def written(self) -> None:
        """It may leave."""

    def unwritten(self) -> None:
        """As above."""
        raise RuntimeError("the log took nothing; is the disk full?")


CALM = Calm()


class Source:
    """Makes notes and gives them to `journal`, if there is one; findings have fingerprints by `keys`. `timed` legs
    write down how long they waited."""

    def __init__(self, journal: Journal | None, keys: Keys | None, timed: bool = False) -> None:
        self.journal, self.mark = journal, keys.mark if keys is not None else None
        self.session = Session(1)
        self.number = 0
        self.times: list[float] = []
        self.timed = timed

    def say(self, count: int) -> None:
        """So many messages with a finding each, of one leg."""
        journal, mark, session, waits = self.journal, self.mark, self.session, False
        for n in range(self.number + 1, self.number + count + 1):
            found = mark(PEOPLE[n % 997], "EMAIL_ADDRESS") if mark is not None else None
            done = Done("EMAIL_ADDRESS", "email", "replace", "email", 17, 1.0, "enforce", found)
            note = Note(UP, Kind.TEXT, "rewritten", None, "0123456789abcdef0123456789abcdef", (done,))
            if journal is not None:
                waits = journal.message(session, note, n, 64, PAYLOAD, 2.1e-5)
        self.number += count
        if waits:
            assert journal is not None
            journal.wait(Leg(self.times) if self.timed else CALM)


def begin(audit: Path, keys: Keys, run: str, durability: str, segment_size: int = SEGMENT_SIZE) -> Journal:
    """A journal as the proxy keeps it, on the running loop."""
    log, loop = open_log(audit, keys.signer, segment_size=segment_size), asyncio.get_running_loop()
    mode: Any = durability
    journal = Journal(log, loop, keys, run, level="findings", durability=mode)
    journal.start("bench", 0, {})
    return journal


@contextmanager
def kept(folder: Path, keys: Keys, durability: str = "written") -> Iterator[Journal]:
    """A journal in a directory of its own, which is removed."""
    journal = begin(folder, keys, "0badcafe", durability)
    try:
        yield journal
    finally:
        journal.close()
        shutil.rmtree(folder)


def on_loop(work: Callable[[], Any]) -> Any:
    """Run a coroutine as the proxy runs: on uvloop, without pauses for garbage."""
    sys.setswitchinterval(SWITCH)
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


# -- CPU per event ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Cost:
    """Of one round: microseconds of CPU and of time for an event."""

    cpu: float
    wall: float


async def _cost(folder: Path, variant: str, block: int, count: int) -> Cost:
    keys = Keys.open(keys_folder())
    with kept(folder, keys) as journal:
        source = Source(_given(journal, variant), keys if variant == VARIANTS[-1] else None)
        for turns in (200, count // block):  # the first to get warm
            cpu, since = time.process_time(), time.perf_counter()
            for _ in range(turns):
                source.say(block)
                if variant == ALONE:
                    journal.commit()
                else:
                    await asyncio.sleep(0)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - since
        await asyncio.sleep(0.01)
    return Cost(cpu / count * 1e6, wall / count * 1e6)


def _given(journal: Journal, variant: str) -> Journal | None:
    return None if variant == NOBODY else journal


def cost(folder: Path, rounds: int, count: int, told: Told) -> dict[str, list[tuple[float, float]]]:
    """By variant and events in a block: (CPU, wall) of each round."""
    found: dict[str, list[tuple[float, float]]] = {}
    for turn in range(rounds):
        for block in BLOCKS:
            told(f"cost: {block} in a block, round {turn + 1} of {rounds}")
            for variant in (*VARIANTS, ALONE):
                one = on_loop(lambda variant=variant, block=block: _cost(folder, variant, block, count))
                found.setdefault(f"{variant}, {block}", []).append((one.cpu, one.wall))
    return found


def cost_shown(found: dict[str, list[tuple[float, float]]]) -> str:
    """Medians, what is added, and events a second (best round)."""
    rows = []
    for block in BLOCKS:
        base = median(cpu for cpu, _ in found[f"{NOBODY}, {block}"])
        for variant in (*VARIANTS, ALONE):
            samples = found[f"{variant}, {block}"]
            cpu, wall = median(cpu for cpu, _ in samples), min(wall for _, wall in samples)
            row = [f"{block} in a block, {variant}", number(cpu), number(1000 / wall)]
            compared = variant not in (NOBODY, ALONE)
            rows.append([*row, *((f"{cpu - base:+.2f}", f"{cpu / base:.1f}x") if compared else ("", ""))])
    return table("Per event with one finding", ["", "CPU us", "1000/s", "added us", "ratio"], rows)


# -- lateness of the loop -----------------------------------------------------------------------------------


async def _lag(folder: Path, variant: str, rate: int, seconds: float) -> dict[str, float]:
    keys = Keys.open(keys_folder())
    late: list[float] = []
    with kept(folder, keys) as journal:
        source = Source(_given(journal, variant), keys if variant == VARIANTS[-1] else None)
        cpu, since, said = time.process_time(), time.perf_counter(), 0
        while (now := time.perf_counter() - since) < seconds:
            due = int(now * rate)
            source.say(due - said)
            said = due
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - before - TICK)
        cpu = time.process_time() - cpu
    late.sort()
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    return {"p50": p50 * 1e3, "p99": p99 * 1e3, "max": late[-1] * 1e3, "cpu": cpu / max(said, 1) * 1e6}


def lag(folder: Path, rounds: int, seconds: float, told: Told) -> dict[str, list[dict[str, float]]]:
    """By variant and rate."""
    found: dict[str, list[dict[str, float]]] = {}
    for turn in range(rounds):
        for rate in RATES:
            told(f"lag: {rate:,} events/s, round {turn + 1} of {rounds}")
            for variant in VARIANTS:
                one = on_loop(lambda variant=variant, rate=rate: _lag(folder, variant, rate, seconds))
                found.setdefault(f"{variant}, {rate}", []).append(one)
    return found


def lag_shown(found: dict[str, list[dict[str, float]]]) -> str:
    """Medians over the rounds."""
    rows = []
    for rate in RATES:
        base = median(one["cpu"] for one in found[f"{NOBODY}, {rate}"])
        for variant in VARIANTS:
            middle = {
                key: median(one[key] for one in found[f"{variant}, {rate}"])
                for key in found[f"{NOBODY}, {rate}"][0]
            }
            cells = [f"{middle[key]:.2f}" for key in ("p50", "p99", "max", "cpu")]
            rows.append([f"{rate:,}/s, {variant}", *cells, f"{middle['cpu'] - base:+.2f}"])
    return table(
        "How late the loop comes back to a timer of 1 ms",
        ["", "p50 ms", "p99 ms", "max ms", "CPU us/event", "added"],
        rows,
    )


# -- how long messages wait ---------------------------------------------------------------------------------


async def _durability(folder: Path, mode: str, rate: int, seconds: float) -> list[float]:
    keys = Keys.open(keys_folder())
    with kept(folder, keys, mode) as journal:
        source = Source(journal, keys, timed=True)
        since, said = time.perf_counter(), 0
        while (now := time.perf_counter() - since) < seconds:
            due = int(now * rate)
            if due > said:
                source.say(due - said)
                said = due
            await asyncio.sleep(TICK)
        await asyncio.sleep(0.1)
        return source.times


def durability(folder: Path, rounds: int, seconds: float, told: Told) -> dict[str, list[tuple[float, float]]]:
    """By mode and rate: (p50, p99) seconds of each round."""
    found: dict[str, list[tuple[float, float]]] = {}
    for turn in range(rounds):
        for rate in MESSAGE_RATES:
            told(f"durability: {rate:,} messages/s, round {turn + 1} of {rounds}")
            for mode in MODES:
                times = on_loop(lambda mode=mode, rate=rate: _durability(folder, mode, rate, seconds))
                times = sorted(times) or [0.0]
                found.setdefault(f"{mode}, {rate}", []).append((median(times), times[len(times) * 99 // 100]))
    return found


def durability_shown(found: dict[str, list[tuple[float, float]]]) -> str:
    """Medians over the rounds, in milliseconds."""
    rows = []
    for rate in MESSAGE_RATES:
        for mode in MODES:
            p50, p99 = (median(one[place] for one in found[f"{mode}, {rate}"]) * 1e3 for place in (0, 1))
            rows.append([f"{rate:,}/s, {mode}", f"{p50:.3f}", f"{p99:.3f}"])
    return table("What a message with a finding waits for the log", ["", "p50 ms", "p99 ms"], rows)
