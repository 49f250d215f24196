"""How long people wait for an answer from a log of millions of events: the verbs, as programs, and what is inside.

The log is written once (benchmarks/audit_logs.py), with fingerprints, and everything else reads it. A verb's time
includes the start of Python and its imports, so the same is done with a log of a few thousand events: what is more
than that is the log's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.audit_logs import SEED, write
from benchmarks.report import table
from proxy.audit.blocks import Reading
from proxy.audit.layout import logs, segments
from proxy.audit.people.keys import Keys, keys_folder

ROOT = Path(__file__).resolve().parent.parent
SUBJECT = "person123@example.com"
INDEX = "search (and build the index)"
FEW = 3000  # events of the small log


@dataclass(slots=True)
class Results:
    """Seconds of every run of a program, by its name."""

    events: int
    bytes: int
    times: dict[str, list[float]] = field(default_factory=dict)
    small: dict[str, list[float]] = field(default_factory=dict)
    """The same with the small log."""
    failures: dict[str, str] = field(default_factory=dict)
    index_bytes: int = 0


def commands(audit: Path, sid: str) -> dict[str, list[str]]:
    """By name: what is run. The first search builds the index."""
    ours = [sys.executable, "-m", "proxy", "audit"]
    at = ["--audit", str(audit)]
    public = str(audit / "public.key")
    return {
        "python alone": [sys.executable, "-c", "pass"],
        "hushwire --version": [sys.executable, "-m", "proxy", "--version"],
        "verify": [*ours, "verify", *at, "--json"],
        "verify --jobs 1": [*ours, "verify", *at, "--json", "--jobs", "1"],
        "prove": [*ours, "prove", str(FEW // 2), *at],
        "tools/verify_audit.py": [sys.executable, "tools/verify_audit.py", str(audit), "--key", public],
        INDEX: [*ours, "search", *at, "--entity", "IBAN_CODE", "--limit", "20", "--json"],
        "search, entity": [*ours, "search", *at, "--entity", "IBAN_CODE", "--limit", "20", "--json"],
        "search, rule and verdict": [
            *ours, "search", *at, "--rule", "secrets", "--verdict", "dropped", "--limit", "20", "--json"
        ],
        "show SID": [*ours, "show", sid, *at, "--json"],
        "stats": [*ours, "stats", *at, "--json"],
        "subject": [*ours, "subject", *at, "--entity", "EMAIL_ADDRESS", "--stdin", "--json"],
    }  # fmt: skip


def session_in(audit: Path) -> str:
    """The session of some message in the middle."""
    middle = segments(logs(audit)[0])
    for run in Reading(middle[len(middle) // 2]).runs():
        for line in run.splitlines():
            if sid := json.loads(line).get("sid"):
                return str(sid)
    raise ValueError("there is no session in the log")


def measured(folder: Path, count: int, rounds: int, told: Callable[[str], None]) -> Results:
    """Make a log of `count` events in `folder`, and run everything on it."""
    os.environ |= {
        "XDG_STATE_HOME": str(folder / "state"),
        "AUDIT_BENCH_SEED": SEED.hex(),  # the log is signed with it, and so is the desk's
        "HUSHWIRE_AUDIT_KEY": "env:AUDIT_BENCH_SEED",
    }
    audit, small, keys = folder / "audit", folder / "small", Keys.open(keys_folder())
    told(f"reading: a log of {count:,} events is written")
    write(audit, count, days=30, mark=keys.mark)
    write(small, FEW, days=30, mark=keys.mark)
    size = sum(segment.path.stat().st_size for log in logs(audit) for segment in segments(log))
    results = Results(count, size)
    few = commands(small, session_in(small))
    for name, command in commands(audit, session_in(audit)).items():
        for turn in range(1 if name == INDEX else rounds):
            told(f"reading: {name}, {turn + 1}")
            if not (_run(results, results.small, name, few[name]) and _run(results, results.times, name, command)):
                break
    results.index_bytes = sum(path.stat().st_size for path in audit.glob("index.sqlite*"))
    return results


def _run(results: Results, times: dict[str, list[float]], name: str, command: list[str]) -> bool:
    since = perf_counter()
    done = subprocess.run(
        command, input=SUBJECT.encode(), cwd=ROOT, capture_output=True, check=False, timeout=1800
    )
    took = perf_counter() - since
    if done.returncode:
        last = done.stderr.decode().strip().splitlines()[-1:] or [""]
        results.failures[name] = f"exit {done.returncode}: {last[0][:90]}"
        return False
    times.setdefault(name, []).append(took)
    return True


def shown(results: Results) -> str:
    """Milliseconds, and events a second where every event is read."""
    rows = []
    whole = ("verify", "verify --jobs 1", "tools/verify_audit.py", INDEX)
    for name, times in results.times.items():
        best, few = min(times), min(results.small[name])
        rate = f"{results.events / best / 1e6:.2f}" if name in whole else ""
        more = "" if name.startswith(("python", "hushwire")) else f"{max(best - few, 0) * 1e3:,.0f}"
        rows.append([name, f"{best * 1e3:,.0f}", f"{median(times) * 1e3:,.0f}", more, rate])
    rows += [[name, "n/a", "", "", ""] for name in results.failures]
    sizes = [f"{size / 2**20:,.0f} MiB" for size in (results.bytes, results.index_bytes)]
    title = f"A log of {results.events:,} events, {sizes[0]}; its index {sizes[1]}"
    said = table(title, ["", "best ms", "median", f"more than {FEW:,} events", "M events/s"], rows)
    return said + "".join(f"n/a: {name}: {why}\n" for name, why in results.failures.items())
