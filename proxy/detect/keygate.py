"""The gate for keys: whether a key in a payload could say anything about its value, and where that value begins.

What is asked of it is in keytriggers.py and, for the names of a user, in ownkeys.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from proxy.detect.gate import Gate, Trigger, Wish, open_gates
from proxy.detect.keytriggers import TRIGGERS

_QUOTE = ord('"')  # as a number: asking for one takes 15 ns, asking for bytes 100


def _wish(triggers: Sequence[str]) -> Wish:
    return Wish(tuple(Trigger(0, regex) for regex in triggers), places=False)


_OURS = _wish(TRIGGERS)


class KeyGate:
    """A gate for our keys, and for those with the triggers `own`. Opened when it is first asked, if not before.

    Two, because ours takes seconds to compile and is kept, and the other one changes with the rules: it costs a
    clean kilobyte 0.8 us.
    """

    def __init__(self, own: Sequence[str], cache: Path | None) -> None:
        self.wishes = [_OURS, _wish(own)] if own else [_OURS]
        self._cache = cache
        self._gates: Sequence[Gate] = ()

    def open(self) -> Sequence[Gate]:
        """Compile, or read from the cache."""
        if not self._gates:
            self._gates = open_gates(self.wishes, self._cache)
        return self._gates

    def clear(self, payload: bytes) -> bool:
        """Whether no key in `payload`, escapes undone, could say anything."""
        # no trigger of a key hits without a quote; most texts that are not JSON have none
        if _QUOTE not in payload:
            return True
        for gate in self._gates or self.open():  # noqa: SIM110 - a generator would take 0.3 us
            if not gate.clear(payload):
                return False
        return True

    def ends(self, payload: bytes) -> Sequence[int] | None:
        """Behind the first characters of values whose keys could say something, as of a Gate."""
        if _QUOTE not in payload:
            return ()
        places: list[int] = []
        for gate in self._gates or self.open():
            ends = gate.ends(payload)
            if ends is None:
                return None
            places += ends
        return places
