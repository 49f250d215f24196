"""How fast a log is verified, by events in a block, with fingerprints and without, alone and on all cores.

In this process, without the start of a program: seconds that somebody waits, and seconds of all cores, with those
of the processes that help. The fingerprints are no people's: to look at them costs the same.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from benchmarks.audit_logs import write
from benchmarks.report import table
from proxy.audit.layout import logs
from proxy.audit.proof.crew import cores, crew
from proxy.audit.proof.verify import verify

BLOCKS = (1, 5, 50)


class Sort(NamedTuple):
    """Which log, and how many processes read it."""

    block: int
    marked: bool
    jobs: int


class Took(NamedTuple):
    """Seconds of the clock, and of all cores."""

    wall: float
    cpu: float


@dataclass(slots=True)
class Results:
    """Every round, by what was read."""

    events: int
    times: dict[Sort, list[Took]] = field(default_factory=dict)


def mark(value: str, entity: str) -> bytes:
    """16 bytes, always the same."""
    return blake2b(f"{entity} {value}".encode(), digest_size=16).digest()


def measured(folder: Path, count: int, rounds: int, told: Callable[[str], None]) -> Results:
    """Write a log of each sort, verify it, and remove it."""
    results = Results(count)
    for block in BLOCKS:
        for marked in (False, True):
            told(f"verify: a log of {count:,} events, {block} in a block, is written")
            write(folder, count, block=block, mark=mark if marked else None)
            for turn in range(rounds):
                for jobs in sorted({1, cores()}):
                    told(f"verify: {jobs} jobs, {turn + 1}")
                    results.times.setdefault(Sort(block, marked, jobs), []).append(_took(folder, jobs))
            shutil.rmtree(folder)
    return results


def _took(audit: Path, jobs: int) -> Took:
    since, before = perf_counter(), _cpu()
    with crew(logs(audit), jobs) as ahead:
        verdict = verify(audit, ahead=ahead).verdict
    took = Took(perf_counter() - since, _cpu() - before)
    if verdict != "whole":
        raise ValueError(f"a log that was just written is {verdict}")
    return took


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def shown(results: Results) -> str:
    """Millions of events a second, the best round of each, and microseconds of CPU for one."""
    rows = []
    for sort, times in results.times.items():
        wall, cpu = min(took.wall for took in times), min(took.cpu for took in times)
        rate, each = f"{results.events / wall / 1e6:.2f}", f"{cpu / results.events * 1e6:.2f}"
        rows.append([str(sort.block), "yes" if sort.marked else "no", str(sort.jobs), rate, each])
    return table(
        f"Verifying {results.events:,} events",
        ["events in a block", "fingerprints", "jobs", "M events/s", "CPU us an event"],
        rows,
    )


def as_json(results: Results) -> list[object]:
    """Every round."""
    return [{**sort._asdict(), "wall": [t.wall for t in times]} for sort, times in results.times.items()]
