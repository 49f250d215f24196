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

A segment's name is the day of its first event (UTC) and its number within the log, which alone is its order.
Proxies and commands of an operator (who = desk) take the first log that nobody has locked, so logs stay few.
"""

from __future__ import annotations

import os
import re
import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

SEGMENT = re.compile(r"([0-9]{8})-([0-9]{6,9})\.jsonl(\.gz)?")
LOG_ID = re.compile(r"[0-9a-f]{8}")
LOG = re.compile(r"log-(0|[1-9][0-9]{0,4})")
"""As writers name them, and no other way: a copy that somebody calls log-20261123 is none of them."""


LISTINGS = 5


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

    @property
    def day(self) -> int | None:
        """Of its name, in days since 1970 (UTC); None if there is no such day."""
        try:
            return timegm(time.strptime(self.path.name[:8], "%Y%m%d")) // 86_400
        except ValueError:
            return None

    def beside(self, kind: str) -> Path:
        """Its side file: `leaves`, `marks` or `bodies`."""
        stem = self.path.name.partition(".")[0]
        return self.path.with_name(f"{stem}.{kind}")


def logs(directory: Path) -> list[Path]:
    """The logs of an audit directory, in the order of their numbers. FileNotFoundError if there is none."""
    with os.scandir(directory) as entries:
        found = [(int(match[1]), entry) for entry in entries if (match := LOG.fullmatch(entry.name))]
        return [directory / entry.name for _, entry in sorted(found, key=itemgetter(0)) if entry.is_dir()]


def segments(log: Path) -> list[Segment]:
    """The segments of one log in order. A segment that is there twice, because sealing it was interrupted, is
    the uncompressed one: that is removed last. What is no file (a pipe would be waited for) is none.

    Listed at least twice, and again while one between others is missing: a large folder is read in parts. What is
    compressed or begun meanwhile stands in one that was read before (13 of 100 listings of 6,000 segments).
    """
    found = _listed(log)
    for _ in range(LISTINGS):
        found |= _listed(log)
        if not found or max(found) - min(found) < len(found):
            break
    return sorted(found.values())


def _listed(log: Path) -> dict[int, Segment]:
    found: dict[int, Segment] = {}
    with os.scandir(log) as entries:
        files = [entry.name for entry in entries if SEGMENT.fullmatch(entry.name) and _is_file(entry)]
    for name in sorted(files):  # .jsonl before .jsonl.gz
        number = int(name[9:].partition(".")[0])
        found.setdefault(number, Segment(number, log / name))
    return found


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Or was one when it was listed: it may have been compressed since."""
    return entry.is_file() or not Path(entry.path).exists()
