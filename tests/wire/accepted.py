"""The differences from a direct connection that are accepted, each with its reason and what is seen instead.

A proxy that reads cannot be a tunnel in these places. The test checks them as strictly as identity: the
conversation must differ in exactly this way, under exactly these rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.wire.peer import Transcript

Instead = Callable[[Transcript], Transcript]
BOTH = frozenset({"default", "pass"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """`instead` makes the expected transcript from the direct one; `rules` are the sets under which it holds."""

    rules: frozenset[str]
    reason: str
    instead: Instead


ACCEPTED: dict[str, Accepted] = {}
