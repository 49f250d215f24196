"""Proof that the gate changes no verdict: what is found with it and without it, on many generated texts.

    python -m benchmarks.gate_proof --texts 100000 --seed 1

Without it means that every recognizer sees the whole of every text. The places of differences are printed, with
the texts, which are invented; none may be. `make gate-proof` runs this.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from benchmarks.texts import Texts
from proxy.codecs import choose
from proxy.core.finding import Finding
from proxy.core.message import Kind, Leaf
from proxy.detect.engine import Engine
from proxy.detect.recognizer import FLOOR

TOGETHER = 7  # leaves that are looked at as one message
KEYS = ("text", "id", "name", "user", "email", "phone", "card", "firstName", "billing address", "pr\u00e9nom")


def leaf(text: str) -> Leaf:
    return Leaf("$", text, 0, len(text), 0)


def differences(engine: Engine, texts: Iterator[str], tally: Counter[str]) -> Iterator[tuple[str, str]]:
    """(what is wrong, text) for every law that a text breaks."""
    batch: list[tuple[str, frozenset[Finding]]] = []
    random = Random(1)
    for text in texts:
        everything = alone(engine, text)
        tally["texts"] += 1
        tally["beyond ASCII"] += not text.isascii()
        tally["findings"] += len(everything)
        if everything != frozenset(engine.find([leaf(text)], engine.entities, FLOOR)[0]):
            yield "found with the gate is not what is found without", text
        yield from raw(engine, text, tally)
        batch.append((text, everything))
        if len(batch) == TOGETHER:
            found = engine.find([leaf(text) for text, _ in batch], engine.entities, FLOOR)
            for (one, expected), several in zip(batch, found, strict=True):
                if expected != frozenset(several):
                    yield "found among other leaves is not what is found alone", one
            message = together([text for text, _ in batch], random)
            if not near(engine, message):
                yield "found near the gate's hits is not what is found in all leaves", message
            batch.clear()


def alone(engine: Engine, text: str) -> frozenset[Finding]:
    """What is found when every recognizer looks at everything."""
    return frozenset(engine.search([text], engine.entities, FLOOR)[0])


def raw(engine: Engine, text: str, tally: Counter[str]) -> Iterator[tuple[str, str]]:
    """What is clear as a payload must have no finding in any of its leaves."""
    payload = text.encode(errors="replace")
    if engine.clear(payload, engine.entities, FLOOR):
        tally["clear"] += 1
        leaves = choose(Kind.TEXT, payload).read(payload)
        if any(alone(engine, one.text) for one in leaves) or any(engine.find(leaves, engine.entities, FLOOR)):
            yield "clear, but something is found in a leaf or by its key", text


def together(texts: Sequence[str], random: Random) -> str:
    """A JSON message with `texts` as its values and, now and then, as keys, in some of the ways to write it."""
    items: list[object] = []
    for text in texts:
        key = random.choice((*KEYS, text))
        items.append(random.choice((text, {key: text}, {key: {"value": text}}, {"n": 1, key: [text, 1234]})))
    indent, ascii_only = random.choice((None, 1)), random.random() < 0.2
    return json.dumps({"items": items, "total": len(items)}, indent=indent, ensure_ascii=ascii_only)


def near(engine: Engine, message: str) -> bool:
    """Whether in a message that is read near the gate's hits is found what is found in all of its leaves."""
    payload = message.encode(errors="replace")
    codec = choose(Kind.TEXT, payload)
    places = engine.near(payload, engine.entities, FLOOR)
    some, every = (
        {
            (leaf.path, leaf.start, one)
            for leaf, found in zip(leaves, engine.find(leaves, engine.entities, FLOOR), strict=True)
            for one in found
        }
        for leaves in (codec.read(payload, places), codec.read(payload))
    )
    return some == every


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--texts", type=int, default=100_000)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    engine, tally = Engine(budget=60.0), Counter[str]()
    engine.warm()
    began, wrong = time.monotonic(), 0
    for problem, text in differences(engine, Texts(asked.seed).texts(asked.texts), tally):
        wrong += 1
        print(f"{problem}: {text!r}")
    counts = ", ".join(f"{count:,} {name}" for name, count in tally.items())
    print(f"{counts}; {wrong} differences; {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
