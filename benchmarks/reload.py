"""What connections notice when the rules change under them.

    python -m benchmarks.reload                                   # 2,000 sockets, 500 rules, 5 reloads
    python -m benchmarks.reload --sockets 200 --rules 50 --json figures.json

Every socket exchanges numbered messages with an echo while the rule file is replaced again and again. Counted:
what is closed, lost, reordered, treated by two versions at once, or by an older one after a newer one: all must
be 0. Measured: the time to the answer, and how long the proxy's event loop did not come back, with reloads and
without.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter

import uvloop

from benchmarks.numbered import Crowd, Outcome, echo_server
from benchmarks.proc import Process, cores, python

FIGURES = ("p50", "p99", "worst", "stall", "own")
SETTLE = 1.0  # seconds at the start of each part that do not count


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time and what was measured in it, in seconds."""

    name: str
    messages: int
    p50: float
    p99: float
    worst: float
    stall: float
    """The longest time in which the proxy's event loop did not come back."""
    own: float
    """The same, as far as the proxy was at work itself: the rest is what else the machine does."""


def rules_of(count: int, version: int) -> str:
    """A rule file: `count` entities of one pattern each, a rule with examples for each, all marked by version."""
    lines = ["version: 1", "name: staff", "entities:"]
    lines += [
        f"  STAFF_{n}: {{patterns: [{{regex: '\\bST{n:03d}-[0-9]{{4}}\\b', score: 0.9}}]}}" for n in range(count)
    ]
    lines.append("rules:")
    for n in range(count):
        lines += [
            f"  - id: staff-{n}",
            f"    entities: [STAFF_{n}]",
            f"    action: {{replace: {{with: v{version}}}}}",
            f"    tests: {{match: ['badge ST{n:03d}-1234.'], no_match: ['ST{n:03d}-12']}}",
        ]
    lines.append("  - {id: rest, entities: ['*'], action: replace}")
    return "\n".join(lines) + "\n"


def values_of(count: int) -> tuple[str, str]:
    """What the first and the last of these rules find."""
    return "ST000-0001", f"ST{count - 1:03d}-0002"


def replaced(path: Path, text: str) -> None:
    """As editors do it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


async def in_force(outcome: Outcome, version: int, seconds: float = 60.0) -> float:
    """Seconds until `version` was seen in an answer."""
    since = perf_counter()
    async with asyncio.timeout(seconds):
        while version not in outcome.versions:  # noqa: ASYNC110 - it is a figure, and nobody's event
            await asyncio.sleep(0.01)
    return perf_counter() - since


async def drill(
    port: int, path: Path, *, sockets: int, rules: int, rate: float, reloads: int, quiet: float
) -> tuple[Outcome, list[tuple[float, float]], list[float]]:
    """Converse, first for `quiet` seconds without a reload, then with `reloads`, then for a moment without.

    Returns what happened; when the two parts began and ended; and how long each new version took to be in force.
    """
    crowd, over, took = Crowd(values_of(rules)), asyncio.Event(), []
    await crowd.open(port, sockets)
    talking = asyncio.create_task(crowd.talk(rate, over))
    await in_force(crowd.outcome, 0)
    await asyncio.sleep(SETTLE)
    times = [perf_counter()]
    await asyncio.sleep(quiet)
    times.append(perf_counter())
    for version in range(1, reloads + 1):
        replaced(path, rules_of(rules, version))
        took.append(await in_force(crowd.outcome, version))
        await asyncio.sleep(0.3)
    times.append(perf_counter())
    over.set()
    await talking
    await crowd.close()
    return crowd.outcome, [(times[0], times[1]), (times[1], times[2])], took


def part(name: str, span: tuple[float, float], outcome: Outcome, ticks: Sequence[dict[str, float]]) -> Part:
    """What was measured in `span`."""
    times = sorted(took for sent, took in outcome.times if span[0] <= sent < span[1])
    during = [tick for tick in ticks if span[0] <= tick["at"] < span[1] + 0.1]
    stall, own = (max(tick[name] for tick in during) for name in ("late", "own"))
    return Part(name, len(times), statistics.median(times), times[len(times) * 99 // 100], times[-1], stall, own)


def ticks_of(process: Process) -> list[dict[str, float]]:
    """What the clock on the proxy's loop said."""
    rows = [json.loads(line) for line in process.out.read_text().splitlines()[1:] if line.endswith("}")]
    return [row for row in rows if row["event"] == "tick"]


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """One run, as JSON."""
    path = folder / "staff.yaml"
    path.write_text(rules_of(options.rules, 0))
    server, upstream = await echo_server()
    command = python("benchmarks.ticking", "run", "--json", "--log-level", "warning", "--rules", str(path))
    command += ["--upstream", f"ws://127.0.0.1:{upstream}", "--listen", "127.0.0.1:0", "--admin", "off"]
    mine, load = cores()
    os.sched_setaffinity(0, {load})
    process = Process("hushwire", command, folder, mine)
    process.start()
    try:
        await process.wait_ready(monotonic() + 120)
        before = process.rss()
        outcome, (calm, busy), took = await drill(
            process.port,
            path,
            sockets=options.sockets,
            rules=options.rules,
            rate=options.rate,
            reloads=options.reloads,
            quiet=options.quiet,
        )
        ticks, grown = ticks_of(process), process.rss() - before
    finally:
        process.stop()
        server.close()
    parts = [part("quiet", calm, outcome, ticks), part("reloading", busy, outcome, ticks)]
    return {
        "sockets": options.sockets,
        "rules": options.rules,
        "rate": options.rate,
        "faults": outcome.faults(),
        "versions": len(outcome.versions),
        "in_force_after": took,
        "grown_mib": grown / 2**20,
        "parts": [{name: getattr(one, name) for name in Part.__slots__} for one in parts],
    }


def show(found: dict[str, object]) -> None:
    """The figures as a table."""
    quiet, busy = found["parts"]  # type: ignore[misc]
    print("{sockets} sockets, {rules} rules, {versions} versions, {rate:g} messages/s".format(**found))
    print("  ".join(f"{name} {count}" for name, count in found["faults"].items()))  # type: ignore[attr-defined]
    print(f"{'':>10} {'messages':>9} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'loop ms':>8} {'own ms':>8}")
    for one in (quiet, busy):
        cells = " ".join(f"{one[name] * 1e3:>8.2f}" for name in FIGURES)
        print(f"{one['name']:>10} {one['messages']:>9} {cells}")
    ratios = " ".join(f"{busy[name] / quiet[name]:>8.1f}" for name in FIGURES)
    print(f"{'ratio':>10} {'':>9} {ratios}")
    took = found["in_force_after"]
    print(f"in force after {min(took):.1f} to {max(took):.1f} s; memory grew by {found['grown_mib']:.0f} MiB")  # type: ignore[call-overload]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--rules", type=int, default=500)
    parser.add_argument("--rate", type=float, default=1000, help="messages a second, of all sockets together")
    parser.add_argument("--reloads", type=int, default=5)
    parser.add_argument("--quiet", type=float, default=8.0, help="seconds without a reload, to compare with")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(measure(options, Path(folder)))
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return int(any(found["faults"].values()))  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
