"""What the audit log costs through the whole proxy: CPU per message, with the log and without, interleaved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import monotonic

from benchmarks import measure
from benchmarks.cases import Case, parse_case
from benchmarks.load import Service
from benchmarks.measure import Sample
from benchmarks.proc import Process, cores, python
from benchmarks.report import number, table

CASES = ("50:100:1", "50:100:1:email", "10:100:16:email", "50:1024:1:email")
MODES: dict[str, tuple[str, ...]] = {
    "off": ("--audit", "off"),
    "findings": ("--audit", "DIR"),
    "findings, async": ("--audit", "DIR", "--audit-durability", "async"),
    "findings, synced": ("--audit", "DIR", "--audit-durability", "synced"),
    "messages": ("--audit", "DIR", "--audit-level", "messages"),
}
NAME = "hushwire-default"  # benchmarks.measure knows by it that addresses must not come through
START_LIMIT = 60.0  # seconds

Results = dict[tuple[str, str], list[Sample]]


def started(folder: Path, upstream: int, options: tuple[str, ...]) -> Process:
    """A proxy with these options."""
    folder.mkdir(parents=True)
    command = python(
        "proxy", "run", "--json", "--upstream", f"ws://127.0.0.1:{upstream}", "--log-level", "warning"
    )
    command += ["--listen", "127.0.0.1:0", "--admin", "off"]
    command += [str(folder / "audit") if option == "DIR" else option for option in options]
    process = Process(NAME, command, folder, cores()[0])
    process.start()
    return process


async def measured(folder: Path, rounds: int, seconds: float, told: Callable[[str], None]) -> Results:
    """Every case in every mode, again and again."""
    service, fleet, results = Service(), {}, {}
    await service.open()
    try:
        for number_, (mode, options) in enumerate(MODES.items()):
            fleet[mode] = started(folder / f"{number_}", service.port, options)
        for process in fleet.values():
            await process.wait_ready(monotonic() + START_LIMIT)
        for turn in range(rounds):
            for case in map(parse_case, CASES):
                told(f"proxy: {case.label}, round {turn + 1} of {rounds}")
                for mode, process in fleet.items():
                    sample = await once(process, service, case, seconds)
                    results.setdefault((mode, case.label), []).append(sample)
    finally:
        for process in fleet.values():
            process.stop()
    return results


async def once(process: Process, service: Service, case: Case, seconds: float) -> Sample:
    """One window of one case."""
    await asyncio.sleep(0.05)
    return await measure.relay(process, service, case, seconds, warm=seconds * 0.4)


def shown(results: Results) -> str:
    """CPU, what the log adds to it, and round trips."""
    middles = {key: median(sample.us for sample in samples) for key, samples in results.items()}
    trips = {key: median(sample.p50 for sample in samples) for key, samples in results.items()}
    cpu, added, times = [], [], []
    for mode in MODES:
        row = [middles[mode, case] for case in CASES]
        base = [middles["off", case] for case in CASES]
        cpu.append([mode, *map(number, row)])
        pairs = list(zip(row, base, strict=True))
        added.append([mode, *(f"{mine - off:+.1f}  {mine / off:.2f}x" for mine, off in pairs)])
        times.append([mode, *(number(trips[mode, case]) for case in CASES)])
    return "\n".join(
        (
            table("CPU microseconds of the proxy per message, one way, by level", ["", *CASES], cpu),
            table("What that is more than --audit off", ["", *CASES], added),
            table("Median round trip, microseconds", ["", *CASES], times),
        )
    )


def as_json(results: Results) -> list[dict[str, object]]:
    """Every sample."""
    return [
        {"mode": mode, "case": case, "us": [s.us for s in samples], "p50": [s.p50 for s in samples]}
        for (mode, case), samples in results.items()
    ]
