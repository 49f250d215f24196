"""What the audit log costs, and how fast it is read.

    python -m benchmarks.audit                              # every part, about 10 minutes
    python -m benchmarks.audit --parts cost,lag             # what a writer costs
    python -m benchmarks.audit --parts reading --events 10000000

cost        CPU of the journal per event, by events in a block, beside the same loop without a journal
lag         how late the event loop comes back, at so many events a second, with a journal and without
durability  what a message waits until it may leave, by mode
proxy       CPU per message through the whole proxy, with the log and without
verify      how fast a log of --events is verified, by events in a block and by jobs
reading     verify, prove, search, show, stats and subject on a log of --events
Everything lies in a temporary directory (--folder names another disk) and is removed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks import audit_journal, audit_proxy, audit_reading, audit_verify, report

Part = Callable[[argparse.Namespace, Path], tuple[str, object]]


def say(text: str) -> None:
    """Progress goes to stderr: stdout is for the tables."""
    print(text, file=sys.stderr, flush=True)


def cost(args: argparse.Namespace, folder: Path) -> tuple[str, object]:
    found = audit_journal.cost(folder, args.rounds, args.count, say)
    return audit_journal.cost_shown(found), found


def lag(args: argparse.Namespace, folder: Path) -> tuple[str, object]:
    found = audit_journal.lag(folder, args.rounds, args.seconds, say)
    return audit_journal.lag_shown(found), found


def durability(args: argparse.Namespace, folder: Path) -> tuple[str, object]:
    found = audit_journal.durability(folder, args.rounds, args.seconds, say)
    return audit_journal.durability_shown(found), found


def proxy(args: argparse.Namespace, folder: Path) -> tuple[str, object]:
    os.sched_setaffinity(0, {audit_proxy.cores()[1]})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(audit_proxy.measured(folder, args.rounds, args.seconds / 4, say))
    return audit_proxy.shown(found), audit_proxy.as_json(found)


def reading(args: argparse.Namespace, folder: Path) -> tuple[str, object]:
    found = audit_reading.measured(folder, args.events, args.rounds, say)
    return audit_reading.shown(found), {"events": found.events, "times": found.times, "failures": found.failures}


def verify(args: argparse.Namespace, folder: Path) -> tuple[str, object]:
    found = audit_verify.measured(folder, args.events, args.rounds, say)
    return audit_verify.shown(found), audit_verify.as_json(found)


PARTS: dict[str, Part] = {
    "cost": cost,
    "lag": lag,
    "durability": durability,
    "verify": verify,
    "reading": reading,
    "proxy": proxy,
}


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated, default %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="of everything, interleaved; default %(default)s")
    parser.add_argument("--count", type=int, default=40_000, help="events in a round of cost; default %(default)s")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round of lag; default %(default)s")
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="in the log that is read; default %(default)s"
    )
    parser.add_argument("--folder", type=Path, help="where to write; default: the system's temporary directory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    args = parser.parse_args(words)
    args.parts = args.parts.split(",")
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    return args


def main(words: list[str]) -> int:
    """Measure and print."""
    args = arguments(words)
    facts, samples = report.machine(), {}
    for name in args.parts:
        with tempfile.TemporaryDirectory(prefix="audit-", dir=args.folder) as folder:
            os.environ["XDG_STATE_HOME"] = folder
            text, samples[name] = PARTS[name](args, Path(folder) / name)
        print(text)
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print("repeat:", shlex.join(["python", "-m", "benchmarks.audit", *words]))
    if args.json:
        args.json.write_text(json.dumps({"machine": facts, **samples}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
