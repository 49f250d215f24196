"""One way to look: the recognizers of some entities, and the gate that says where each of them must look.

Which recognizers there are, and how long a look may take, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from proxy.detect.gate import Trigger, open_gate
from proxy.detect.normal import VEILS
from proxy.detect.recognizer import Recognizer, SelfGated
from proxy.detect.triggers import width
from proxy.detect.windows import Reach, Window, windows


def triggers_of(active: Sequence[Recognizer]) -> tuple[Trigger, ...]:
    """What a look with these recognizers asks of its gate."""
    theirs = [Trigger(n, regex) for n, one in enumerate(active) for regex in one.triggers]
    return (*theirs, *(Trigger(len(active), regex) for regex in VEILS))


class Look:
    """`recognizers` by number, the owners of windows; the number `veil` stands for what could hide a value."""

    def __init__(
        self,
        active: Sequence[Recognizer],
        *,
        by_key: bool,
        cache: Path | None = None,
    ) -> None:
        self.by_key = by_key  # some entities are found by the keys of JSON too
        self.recognizers = tuple(active)
        self.veil = len(self.recognizers)
        triggers = triggers_of(active)
        self._gate = open_gate(triggers, cache)
        self.gated = [one for one in self.recognizers if isinstance(one, SelfGated)]
        # Who has no triggers, or one that no engine takes, looks at everything.
        self.always = self._gate.blind.union(n for n, one in enumerate(self.recognizers) if not one.triggers)
        self._reaches = [self._reach(trigger) for trigger in triggers]
        told = len(self.always) == len(self.gated)  # by this gate or their own: when somebody would find something
        self.clear = (self._clear if self.gated else self._gate.clear) if told else _never
        self.ends = (self._ends if self.gated else self._gate.ends) if told else _nowhere

    def _clear(self, data: bytes) -> bool:
        if not self._gate.clear(data):
            return False
        for one in self.gated:  # noqa: SIM110 - a generator would take 0.3 us
            if not one.clear(data):
                return False
        return True

    def _ends(self, data: bytes) -> Sequence[int] | None:
        found = self._gate.ends(data)
        for one in self.gated:
            ends = one.ends(data)
            found = [*found, *ends] if found is not None and ends is not None else None
        return found

    def _reach(self, trigger: Trigger) -> Reach:
        widest = width(trigger.regex) or 0  # where it is unknown, the gate does not tell places
        if trigger.owner == self.veil:
            return Reach(trigger.owner, widest, 0)
        one = self.recognizers[trigger.owner]
        return Reach(trigger.owner, widest + one.before, one.after)

    def windows(self, texts: Sequence[str]) -> Iterable[Window]:
        """Where to look in `texts`."""
        found = windows(texts, self._gate, self._reaches)
        if not self.always:
            return found
        return [one for one in found if one.owner not in self.always] + _everywhere(texts, self.always)

    def everywhere(self, texts: Sequence[str]) -> Iterable[Window]:
        """Windows that leave nothing out."""
        return _everywhere(texts, range(self.veil + 1))


def _everywhere(texts: Sequence[str], owners: Iterable[int]) -> list[Window]:
    return [Window(n, owner, 0, len(text)) for owner in owners for n, text in enumerate(texts)]


def _nowhere(_: bytes) -> None:
    return None


def _never(_: bytes) -> bool:
    return False
