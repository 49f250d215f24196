"""Where everything of the audit lies. One directory, for its owner only:

    audit/
      log-0/                        one log: one writer at a time, which holds a lock (flock) on `lock`
        lock
        20261123-000000.jsonl       a segment: events, one per line; the one with the highest number is open
        20261122-000000.jsonl.gz    sealed and compressed (gzip: the verifier is stdlib only)
        20261123-000000.leaves      hashes of its blocks, 32 bytes each; derived, for speed and to name a bad block
        20261123-000000.marks       fingerprints of what was found, erasable (marks)
        20261122-000000.order       finds fingerprints in the marks of a segment that is closed; derived (order)
        20261123-000000.bodies      what left, erasable; level `sanitised` only (bodies)
        checkpoint                  the newest signed tree head (checkpoint.py)
        frontier                    the writer's place at that checkpoint (JSON; restore.Place)
        pruned                      where the log begins since retention removed some of it, as `frontier`
      public.key                    the verifier key of the signatures (C2SP signed-note vkey)
      stamps/3f9ac21b.jsonl         time stamps of its checkpoints, if an authority is asked (anchors_tsa)
      index.sqlite                  derived and disposable; index.lock: whoever writes it
      holds.json                    legal holds
      tend.lock                     held by whoever erases, or places a hold (tend)

A segment's name is the day of its first event (UTC) and its number within the log, which is its order. Proxies
and commands of an operator (who = desk) take the first log that nobody has locked, so logs stay few.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SEGMENT = re.compile(r"(\d{8})-(\d{6,})\.jsonl(\.gz)?")
LOG = re.compile(r"log-(\d+)")


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Where Hushwire keeps what it makes itself (XDG base directory specification)."""
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path("~/.local/state").expanduser()) / "hushwire"


def audit_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The default of --audit."""
    return state_home(environ) / "audit"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of events, by its order in the log."""

    number: int
    path: Path

    @property
    def sealed(self) -> bool:
        """Whether it is compressed, and written no more."""
        return self.path.suffix == ".gz"

    def beside(self, kind: str) -> Path:
        """Its side file: `leaves`, `marks` or `bodies`."""
        stem = self.path.name.partition(".")[0]
        return self.path.with_name(f"{stem}.{kind}")


def logs(directory: Path) -> list[Path]:
    """The logs of an audit directory, in the order of their numbers. FileNotFoundError if there is none."""
    found = [(int(match[1]), path) for path in directory.iterdir() if (match := LOG.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def segments(log: Path) -> list[Segment]:
    """The segments of one log in order. A segment that is there twice, because sealing it was interrupted, is
    the uncompressed one: that is removed last."""
    found: dict[int, Segment] = {}
    for path in sorted(log.iterdir()):  # .jsonl before .jsonl.gz
        if match := SEGMENT.fullmatch(path.name):
            found.setdefault(int(match[2]), Segment(int(match[2]), path))
    return sorted(found.values())
