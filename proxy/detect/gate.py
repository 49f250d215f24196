"""The gate: one scan that says whether any recognizer could find anything, and if so where to look.

All triggers of the active recognizers become one Vectorscan database per alphabet: one for payloads that are
ASCII, one for UTF-8. The portable engine is in gate_re2.py; how triggers are spelt for both, in triggers.py.
What a hit means for a recognizer is windows.py's matter.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

log = logging.getLogger(__name__)

SHARED = 8  # compiled gates kept in a process; each holds some 10 MB


class Trigger(NamedTuple):
    """One regex, in the syntax of recognizer.py, and the number of the recognizer it stands for."""

    owner: int
    regex: str


class Scan(NamedTuple):
    """What hit: (number of the trigger, end of its match in bytes); and owners that must look at everything,
    because it is not known where their triggers hit."""

    hits: Sequence[tuple[int, int]]
    whole: frozenset[int]


class Gate(Protocol):
    """Compiled triggers. Used in several threads at once."""

    engine: str
    blind: frozenset[int]
    """Owners with a trigger that did not compile: they must look at every text."""

    def clear(self, data: bytes) -> bool:
        """Whether nothing hits. Never so if `data` is not UTF-8, or if somebody is `blind`."""

    def ends(self, data: bytes) -> Sequence[int] | None:
        """Where in `data` matches end, in bytes and in any order; None if that is not to be told."""

    def scan(self, data: bytes) -> Scan:
        """What hits in `data`, which is UTF-8; several texts at once, if JOINT stands between them."""


JOINT = "\n\0\n"
"""Between two texts that are scanned as one. No trigger may need it, and none may be kept from matching by it."""


def open_gate(triggers: Sequence[Trigger], cache: Path | None = None) -> Gate:
    """The best gate this machine has. What takes long to compile is kept in the directory `cache`, if given.

    Gates never change, so engines of one process that need the same one share it.
    """
    try:
        import hyperscan  # noqa: F401, PLC0415 - there is not a wheel for every platform
    except ImportError:
        gate = _portable(tuple(triggers))
    else:
        gate = _vectorscan(tuple(triggers), cache)
    log.info("gate: %d triggers in %s, %d recognizers without", len(triggers), gate.engine, len(gate.blind))
    return gate


@lru_cache(SHARED)
def _portable(triggers: tuple[Trigger, ...]) -> Gate:
    from proxy.detect.gate_re2 import Re2Gate  # noqa: PLC0415

    return Re2Gate(triggers)


@lru_cache(SHARED)
def _vectorscan(triggers: tuple[Trigger, ...], cache: Path | None) -> Gate:
    from proxy.detect.gate_vectorscan import VectorscanGate  # noqa: PLC0415

    return VectorscanGate(triggers, cache)
