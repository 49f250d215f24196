"""Which values a rule leaves alone: its exceptions, and the lists of what is nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from proxy.rulebook.schema import ANY

Spares = Callable[[str, str], bool]


class Values:
    """A set of values, read caselessly, in which `*` stands for any characters.

    Most are plain and cost one look-up, however many there are. A glob is compared part by part, so that no value
    can make it slow.
    """

    __slots__ = ("_globs", "_plain", "reason")

    def __init__(self, written: Iterable[str], reason: str = "") -> None:
        self.reason = reason
        """Why these values pass, as it is written beside them."""
        folded = {value.strip().casefold() for value in written}
        self._plain = frozenset(value for value in folded if "*" not in value)
        self._globs = [tuple(value.split("*")) for value in sorted(folded - self._plain)]

    def __contains__(self, value: str) -> bool:
        folded = value.strip().casefold()
        return folded in self._plain or any(_fits(folded, parts) for parts in self._globs)


def _fits(value: str, parts: tuple[str, ...]) -> bool:
    first, *middle, last = parts
    end = len(value) - len(last)
    if len(first) > end or not (value.startswith(first) and value.endswith(last)):
        return False
    at = len(first)
    for part in middle:
        found = value.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@dataclass(frozen=True, slots=True)
class Spare:
    """What one rule leaves alone: `own` values of any entity, and `allowed` ones by entity."""

    own: tuple[Values, ...]
    allowed: Mapping[str, tuple[Values, ...]]

    def __call__(self, value: str, entity: str) -> bool:
        """Whether `value`, found to be of `entity`, passes."""
        return self.why(value, entity) is not None

    def why(self, value: str, entity: str) -> str | None:
        """The reason that stands beside whatever lets `value` pass; None: it does not pass."""
        lists = (*self.own, *self.allowed.get(ANY, ()), *self.allowed.get(entity, ()))
        return next((values.reason for values in lists if value in values), None)


def spare(own: Iterable[Values], allowed: Mapping[str, tuple[Values, ...]]) -> Spares | None:
    """What a rule with these exceptions leaves alone; None: nothing."""
    made = Spare(tuple(own), allowed)
    return made if made.own or made.allowed else None
