"""Rules in tests: built by the one door that there is, on a ground of a test's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from proxy.core.policy import Policy
from proxy.detect.engine import Engine
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import Built, build

NOW = 1_800_000_000.0  # in January 2027


def ground(budget: float = 20.0, now: float = NOW, *, shadow: bool = False) -> Ground[Engine]:
    """Real engines, patient enough for a busy machine."""
    return Ground(partial(Engine, budget=budget), now, shadow)


def built(name_or_path: str, text: str | None = None) -> Built[Engine]:
    """As `build`, on a ground of tests; with `text`, as if the file said that."""
    contents = {} if text is None else {Path(name_or_path).absolute(): text.encode()}
    return build(name_or_path, ground(), contents)


def policy(text: str, path: str = "my.yaml") -> Policy:
    """The policy of a file that says `text`."""
    return built(path, text).policy
