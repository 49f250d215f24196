"""The gate: one scan that says whether any recognizer could find anything, and if so where to look.

All triggers of the active recognizers become one Vectorscan database per alphabet: one for payloads that are
ASCII, one for UTF-8. The portable engine is in gate_re2.py; how triggers are spelt for both, in triggers.py.
What a hit means for a recognizer is windows.py's matter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Protocol

log = logging.getLogger(__name__)

SHARED = 8  # compiled gates kept in a process; each holds some 10 MB


class GateError(RuntimeError):
    """There is no gate, so nothing can be looked at. The text says why, for whoever starts the proxy."""


class Trigger(NamedTuple):
    """One regex, in the syntax of recognizer.py, and the number of the recognizer it stands for."""

    owner: int
    regex: str


class Wish(NamedTuple):
    """A gate of `triggers`; with `places`, somebody will `scan` in it, and all that takes is compiled at once."""

    triggers: tuple[Trigger, ...]
    places: bool


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
    """The best gate this machine has, ready to tell places. Else as `open_gates`."""
    return open_gates([Wish(tuple(triggers), places=True)], cache)[0]


def open_gates(wishes: Sequence[Wish], cache: Path | None = None) -> list[Gate]:
    """The best gates this machine has. What takes long to compile is compiled at the same time in processes of its
    own, and kept in the directory `cache`, if given. Raises GateError where that fails.

    Gates never change, so engines of one process that need the same one share it.
    """
    open_all = _engine()
    keys = [(open_all, wish, cache) for wish in wishes]
    with _opening:
        new = [wish for wish, key in zip(wishes, keys, strict=True) if key not in _shared]
        for wish, gate in zip(new, open_all(new, cache) if new else (), strict=True):
            triggers = wish.triggers
            log.info(
                "gate: %d triggers in %s, %d recognizers without", len(triggers), gate.engine, len(gate.blind)
            )
            _shared[open_all, wish, cache] = gate
        for key in keys:
            _shared[key] = _shared.pop(key)  # to the end
        gates = [_shared[key] for key in keys]
        for oldest in [*_shared][:-SHARED]:
            del _shared[oldest]
    return gates


OpenAll = Callable[[Sequence[Wish], Path | None], Sequence[Gate]]

_opening = Lock()
_shared: dict[tuple[OpenAll, Wish, Path | None], Gate] = {}
"""What was asked for last is at the end."""


def _engine() -> OpenAll:
    try:
        import hyperscan  # noqa: F401, PLC0415 - there is not a wheel for every platform
    except ImportError:
        from proxy.detect import gate_re2  # noqa: PLC0415

        return gate_re2.open_all
    from proxy.detect import gate_vectorscan  # noqa: PLC0415

    return gate_vectorscan.open_all
