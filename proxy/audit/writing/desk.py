"""A log for what operators do with commands: a few events, on the disk before the command goes on.

It is the first log that nobody holds, as with every writer; who = desk says whose events they are.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from msgspec import UNSET

from proxy import __version__
from proxy.audit import events
from proxy.audit.checkpoint import Signer
from proxy.audit.writing.log import Log
from proxy.audit.writing.opening import open_log
from proxy.audit.writing.page import Pages


class Keys(Protocol):
    """What is asked of the keys (proxy/audit/people/keys.py)."""

    @property
    def signer(self) -> Signer:
        """Signs checkpoints."""


class Desk:
    """Open while a command runs."""

    def __init__(self, kept: Log) -> None:
        self.log = kept
        self.run = secrets.token_hex(4)
        self._pages = Pages(kept.id, kept.seq, self.run)

    def write(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """One event; what stands in the log when this returns, a kill does not take away. Raises OSError."""
        pages = self._pages
        pages.now()
        pages.add(kind, **given)
        self.log.resume()
        self.log.append(*pages.tear())

    def sync(self) -> None:
        """Nor does a power cut take away what stands there now. Raises OSError."""
        self.log.sync()


@contextmanager
def desk(directory: Path, keys: Keys) -> Iterator[Desk]:
    """Open a desk in an audit directory; all that was written is synced and signed afterwards (20 ms).

    Raises LogError, and OSError where the disk does not take it.
    """
    kept = open_log(directory, keys.signer)
    try:
        opened = Desk(kept)
        opened.write(events.Start, **_start(opened))
        try:
            yield opened
        finally:
            opened.write(events.Stop, run=opened.run)
    finally:
        kept.close()


def _start(opened: Desk) -> Mapping[str, Any]:
    given = {"who": "desk", "run": opened.run, "version": __version__, "pid": os.getpid(), "worker": 0}
    given |= {"repaired": opened.log.repaired or UNSET, "adopted": opened.log.adopted or UNSET}
    return given | {"level": "findings", "durability": "synced", "policies": {}}
