"""Drills of the audit log that are too long for a test run; tests/audit/test_drills.py has a short one of each.

    python -m benchmarks.audit_drills kill --kills 200            # proxies under load, about 8 minutes
    python -m benchmarks.audit_drills kill --kills 50 --workers 2
    python -m benchmarks.audit_drills journal --kills 200         # the journal alone, under a minute
    python -m benchmarks.audit_drills power --cuts 200            # what a power cut may leave

Exits 1 if anything is not as it must be. Everything lies in a temporary directory; --folder names another disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from benchmarks import audit_cuts, audit_kills, audit_released


class Found(Protocol):
    """What every drill returns."""

    def faults(self) -> list[str]:
        """What must not be."""

    def as_json(self) -> dict[str, object]:
        """Every figure."""


def tell(found: Found) -> None:
    """Progress goes to stderr, if somebody looks at it."""
    if sys.stderr.isatty():
        known = "  ".join(f"{name} {value}" for name, value in found.as_json().items() if value)
        print(f"\r\x1b[K{known[:150]}", end="", file=sys.stderr, flush=True)


def kill(args: argparse.Namespace, folder: Path) -> Found:
    """Real proxies."""
    options = ("--audit-durability", args.durability)
    return asyncio.run(
        audit_kills.kills(
            folder,
            args.kills,
            workers=args.workers,
            clients=args.clients,
            options=options,
            seed=args.seed,
            told=tell,
        )
    )


def journal(args: argparse.Namespace, folder: Path) -> Found:
    """A journal in a child."""
    return audit_released.kills(folder, args.kills, args.durability, args.seed, tell)


def power(args: argparse.Namespace, folder: Path) -> Found:
    """Power cuts of a journal's disk."""
    return audit_cuts.cuts(folder, args.cuts, args.durability, args.seed, tell)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.audit_drills",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--seed", type=int, help="repeats the dice, though not the machine")
    common.add_argument("--folder", type=Path, help="where to write; default: the system's temporary directory")
    common.add_argument("--json", action="store_true", help="print figures as JSON")
    drills = made.add_subparsers(required=True, metavar="DRILL")
    for name, drill in (("kill", kill), ("journal", journal), ("power", power)):
        one = drills.add_parser(name, parents=[common], help=drill.__doc__)
        one.set_defaults(drill=drill)
        one.add_argument("--cuts" if drill is power else "--kills", type=int, default=200)
        one.add_argument("--durability", default="written", choices=("written", "synced"))
        if drill is kill:
            one.add_argument("--workers", type=int, default=1)
            one.add_argument("--clients", type=int, default=12)
    return made


def main(words: list[str]) -> int:
    """Drill, and tell."""
    args = parser().parse_args(words)
    with tempfile.TemporaryDirectory(prefix="drill-", dir=args.folder) as folder:
        os.environ["XDG_STATE_HOME"] = folder
        found = args.drill(args, Path(folder))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    figures = found.as_json() | {"faults": found.faults()}
    print(
        json.dumps(figures) if args.json else "\n".join(f"{name:>12}  {value}" for name, value in figures.items())
    )
    return int(bool(found.faults()))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
