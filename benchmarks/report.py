"""Results and how they are shown: aligned tables, ratios, the machine, and the same as JSON."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks.measure import Sample

PACKAGES = ("uvicorn", "websockets", "uvloop", "fastapi", "picows", "asgiproxy", "fastapi-reverse-proxy")
BASES = ("pipe", "nginx")
Row = list[str]


@dataclass(slots=True)
class Results:
    """Everything measured so far. Keys are (peer, case label) or peer names."""

    peers: tuple[str, ...]
    labels: tuple[str, ...]
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    handshakes: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def middle(self, peer: str, label: str, pick: Callable[[Sample], float]) -> float | None:
        """The median over the rounds, None if there is no figure."""
        found = self.samples.get((peer, label))
        failed = (peer, label) in self.failures
        return median(map(pick, found)) if found and not failed else None

    def idle(self, peer: str) -> float | None:
        """KiB per idle connection."""
        return self.memory.get(peer)

    def handshake(self, peer: str, place: int) -> float | None:
        """Median of CPU microseconds (place 0) or of handshakes a second (place 1)."""
        found = self.handshakes.get(peer)
        return median(round_[place] for round_ in found) if found else None


def number(value: float | None) -> str:
    """Three digits that matter."""
    if value is None:
        return "n/a"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def table(title: str, header: Row, rows: Iterable[Row]) -> str:
    """Names to the left, figures to the right."""
    lines = [header, *rows]
    wide = [max(len(line[column]) for line in lines) for column in range(len(header))]
    text = []
    for first, *others in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, wide[1:], strict=True)]
        text.append("  ".join([first.ljust(wide[0]), *cells]))
    return "\n".join([title, *text, ""])


def ratio(value: float | None, base: float | None) -> float | None:
    """None where either is missing."""
    return value / base if value is not None and base else None


def matrix(results: Results, title: str, pick: Callable[[Sample], float]) -> str:
    """One row per peer, one column per case."""
    rows = [[peer, *(number(results.middle(peer, c, pick)) for c in results.labels)] for peer in results.peers]
    return table(title, ["", *results.labels], rows)


def ratios(results: Results, base: str) -> str:
    """The CPU of every peer over that of `base`."""
    rows = []
    for peer in results.peers:
        pairs = [(results.middle(peer, c, cpu), results.middle(base, c, cpu)) for c in results.labels]
        rows.append([peer, *(number(ratio(*pair)) for pair in pairs)])
    return table(f"CPU per message as a ratio to {base}", ["", *results.labels], rows)


def cpu(sample: Sample) -> float:
    """The figure that all this is about."""
    return sample.us


def connections(results: Results) -> str:
    """Idle memory and handshakes, with ratios."""
    bases = [base for base in BASES if base in results.peers]
    header = ["", "idle KiB", *(f"x {b}" for b in bases), "handshake us", *(f"x {b}" for b in bases), "per second"]
    rows = []
    for peer in results.peers:
        idle, shake = results.idle(peer), results.handshake(peer, 0)
        row = [peer, number(idle), *(number(ratio(idle, results.idle(base))) for base in bases)]
        row += [number(shake), *(number(ratio(shake, results.handshake(base, 0))) for base in bases)]
        rows.append([*row, number(results.handshake(peer, 1))])
    return table("Per connection: memory while idle, CPU of connect + upgrade + close", header, rows)


def shown(results: Results) -> str:
    """All tables, and the reason of every n/a."""
    parts = []
    if results.samples:
        parts.append(matrix(results, "CPU microseconds of the proxy per message, one way", cpu))
        parts += [ratios(results, base) for base in BASES if base in results.peers]
        parts.append(matrix(results, "Round trips per second", lambda s: s.rate))
        parts.append(matrix(results, "Median round trip, microseconds", lambda s: s.p50))
        parts.append(matrix(results, "Share of its core that the load generator used", lambda s: s.load))
    if results.memory or results.handshakes:
        parts.append(connections(results))
    if results.failures:
        parts.append("n/a because\n" + "\n".join(f"  {p} {c}: {why}" for (p, c), why in results.failures.items()))
    return "\n".join(parts)


def machine() -> dict[str, str]:
    """What a reader must know to compare figures."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")), "unknown")
    facts = {
        "cpu": f"{model}, {os.cpu_count()} cores",
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "system": f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}",
    }
    found = [f"{name} {installed}" for name in PACKAGES if (installed := installed_version(name))]
    if program := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"):
        answer = subprocess.run([program, "-v"], capture_output=True, text=True, check=True, timeout=10)
        found.append(answer.stderr.strip().removeprefix("nginx version: ").replace("/", " "))
    return facts | {"versions": ", ".join(found)}


def installed_version(name: str) -> str | None:
    """None if it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def as_json(results: Results) -> dict[str, object]:
    """Every sample, not only the medians."""
    cells = [
        {"peer": peer, "case": case, "samples": [asdict(sample) for sample in samples]}
        for (peer, case), samples in results.samples.items()
    ]
    failures = [{"peer": peer, "what": what, "why": why} for (peer, what), why in results.failures.items()]
    shakes = {peer: [{"us": us, "rate": rate} for us, rate in found] for peer, found in results.handshakes.items()}
    return {"cells": cells, "memory_kib": results.memory, "handshakes": shakes, "failures": failures}
