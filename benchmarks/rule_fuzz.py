"""Random rule files on the real detector: each is refused with its faults, or runs without an error.

    python -m benchmarks.rule_fuzz --count 5000 [--without-gate]

Each file (with those that it extends, and its lists) is built twice, by two engines: what `check` builds is what
`run` builds. What goes live gets messages in both directions; the effective rules must make the same of them.
Gates are kept in a directory of the run's own: each is compiled once. Without gates it takes a few minutes. Exits
with 1 if anything else happens.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from proxy.codecs import choose
from proxy.core.action import Action, Note, Send
from proxy.core.lane import Lane, refusal_of
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.detect.engine import Engine
from proxy.rulebook.effective import effective
from proxy.rulebook.faults import RulesError
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import Built, build
from tests.rulebook.files import FOLDER, MAIN, RING, family, message, wide
from tests.rules import NOW

MESSAGES = 4


def work(built: Built[Any], way: Direction, payload: bytes) -> list[Action]:
    """What a lane makes of a message, as the wire would have it."""
    lane = Lane(way, built.policy, built.detector, choose)
    if lane.clear(Kind.TEXT, payload, Session(1)):
        return [Send(Kind.TEXT, payload)]
    try:
        return lane.work(Kind.TEXT, payload, Session(1))
    except Exception as error:
        return lane.refuse(refusal_of(error))


def wrong(seed: int, ground: Callable[[], Ground[Any]], tally: Counter[str]) -> Iterator[str]:
    """What should not happen with the family of files number `seed`."""
    random = Random(seed)
    contents = family(random)
    try:
        built = build(str(MAIN), ground(), contents)
    except RulesError as error:
        tally["refused"] += 1
        tally.update({fault.code for fault in error.faults})
        if not all(fault.line for fault in error.faults):
            yield "a fault without a place"
        return
    tally["built"] += 1
    again = build(str(MAIN), ground(), contents)
    if again.policy.digest != built.policy.digest:
        yield "two digests"
    whole = FOLDER / "whole.yaml"
    merged = build(str(whole), ground(), contents | {whole: effective(str(MAIN), contents).encode()})
    for way in Direction:
        for payload in (message(random) for _ in range(MESSAGES)):
            done = work(built, way, payload)
            tally["messages"] += 1
            if any(isinstance(one, Note) and one.cause and one.cause.value != "policy" for one in done):
                yield "a step raised"
            if done != work(again, way, payload):
                yield "built twice, and not the same"
            if sent(done) != sent(work(merged, way, payload)):
                yield "the effective rules make something else of it"


def sent(actions: list[Action]) -> list[Action]:
    """All but what is noted: notes name the digest."""
    return [action for action in actions if not isinstance(action, Note)]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=5000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--without-gate", action="store_true")
    asked = words.parse_args()
    began, tally, problems = time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        engine = partial(Engine, budget=60.0, cache=Path(folder))
        ground = wide if asked.without_gate else lambda: Ground(engine, NOW, ring=RING)
        for seed in range(asked.seed, asked.seed + asked.count):
            try:
                found = [*wrong(seed, ground, tally)]
            except Exception as error:  # whatever it is, it is what this looks for
                found = [f"{type(error).__name__}: {error}"]
            for problem in found:
                problems += 1
                print(f"seed {seed}: {problem}", flush=True)
    print(", ".join(f"{count:,} {name}" for name, count in sorted(tally.items())))
    print(f"{problems} problems; {time.monotonic() - began:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
