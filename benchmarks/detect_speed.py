"""Microseconds per message of detection, beside plain Presidio's and its peers' in the same run.

    python -m benchmarks.detect_speed [--rounds 5]

Ours is what a lane does with a message: the gate over its bytes and, if that is not clear, codec, recognizers and
rewriting. Presidio's is `AnalyzerEngine.analyze` over the text as it is, with its default recognizers and no
language model. Rounds of all of them take turns; the best of each is shown. Ratios are what to compare between
machines. Peers that are not installed are named, not guessed.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import Callable
from functools import partial
from random import Random

from benchmarks.finders import MissingError, Peer, datafog, presidio, presidio_rs
from proxy.codecs import choose
from proxy.core.action import Action, Note
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.detect.engine import Engine
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import build

CHAT = (
    "hey, are we still on for lunch later? the usual place would be good, or maybe we try the new one next to the "
    "station. i can book a table if you tell me how many of us will come. by the way the release went out this "
    "morning and nobody complained so far, so let us hope it stays like that until monday, will you bring cake? "
)
WORDS = [*("status", "ok", "level", "info", "service", "gateway", "region", "west", "message", "accepted")]
WORDS += [*("by", "worker", "queue", "drained", "nothing", "pending")]
ROUND = 0.04  # seconds
SESSION = Session(1)


def prose(size: int) -> str:
    return (CHAT * (size // len(CHAT) + 1))[:size]


def plain_json(size: int, key: str = "kind") -> str:
    """Words and small numbers, nothing that looks like anything, unless `key` does."""
    return _json(size, lambda n: {key: WORDS[n % 15], "note": " ".join(WORDS[n % 7 : n % 7 + 6]), "n": n % 90})


def busy_json(size: int) -> str:
    """UUIDs, times in three notations, hashes, prices and URLs, as real messages are full of them."""
    random = Random(1)

    def item(n: int) -> dict[str, object]:
        return {
            "id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
            "ts": 1_763_859_724_123 + random.randrange(10**7),
            "at": f"2026-11-22T08:{random.randrange(10, 60)}:15.{random.randrange(100, 1000)}Z",
            "etag": f"{random.getrandbits(160):040x}",
            "price": f"{random.randrange(10**7) / 100:.2f}",
            "url": f"https://api.example.com/v1/items/{random.randrange(10**6)}?page={n}",
        }

    return _json(size, item)


def three_values(size: int) -> str:
    """`plain_json`, and an e-mail address, a telephone number and a card in one more member."""
    text = "write to bob@example.com, call +1 212-555-0142, card 4111 1111 1111 1111"
    return plain_json(size - 90)[:-1] + ', "text": ' + json.dumps(text) + "}"


def _json(size: int, item: Callable[[int], object]) -> str:
    """As many items as fit into `size` characters, and a member that fills them up."""
    items: list[object] = []
    while len(json.dumps({"items": [*items, item(len(items))], "pad": ""})) <= size:
        items.append(item(len(items)))
    text = json.dumps({"items": items, "pad": ""})
    return text[:-2] + "x" * (size - len(text)) + '"}'


CASES = {
    "chat 60": prose(60),
    "chat 300": prose(300),
    "JSON 1,024": plain_json(1024),
    "JSON 16,384": plain_json(16_384),
    "JSON 1,024 of names": plain_json(1024, "name"),
    "JSON 1,024, 3 values": three_values(1024),
    "JSON 1,024, ids and times": busy_json(1024),
    "JSON 16,384, ids and times": busy_json(16_384),
}


class Ours:
    """A lane under the default rules: what the relay does with a message between receiving and sending it."""

    def __init__(self) -> None:
        built = build("default", Ground(partial(Engine, budget=10.0), time.time()))
        self.engine = built.detector
        self.lane = Lane(Direction.CLIENT_TO_UPSTREAM, built.policy, self.engine, choose)
        self.engine.prepare(self.lane.wanted)
        self.engine.warm()

    def __call__(self, text: str) -> list[Action]:
        payload = text.encode()
        if self.lane.clear(Kind.TEXT, payload, SESSION):
            return []
        return self.lane.work(Kind.TEXT, payload, SESSION)

    def found(self, text: str) -> int:
        """How many values it finds."""
        return sum(len(note.findings) for note in self(text) if isinstance(note, Note))


def peers() -> tuple[dict[str, Callable[[str], object]], list[str]]:
    """Those that are installed, and why the others are not here."""
    found: dict[str, Callable[[str], object]] = {}
    missing = []
    for make in (lambda: presidio(0.5), presidio_rs, datafog):
        try:
            finder = make()
        except MissingError as error:
            missing.append(str(error))
            continue
        assert isinstance(finder, Peer)
        found[finder.name.partition("@")[0]] = getattr(
            finder.look, "__wrapped__", finder.look
        )  # without its cache
    return found, missing


def measure(look: Callable[[str], object], text: str) -> float:
    """Microseconds per call, over one ROUND or one call."""
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < ROUND:
        for _ in range(batch := 1 if spent < 0.001 and count == 0 else max(1, count)):
            look(text)
        count += batch
    return spent / count * 1e6


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    rounds = words.parse_args().rounds
    others, missing = peers()
    ours = Ours()
    names = ["hushwire", *others]
    print(f"{'us per message':>28} {'found':>6} " + "".join(f"{name:>12}{'':>8}" for name in names))
    for case, text in CASES.items():
        best = dict.fromkeys(names, float("inf"))
        for _ in range(rounds):
            for name, look in {"hushwire": ours, **others}.items():
                best[name] = min(best[name], measure(look, text))
        base = best["hushwire"]
        cells = "".join(f"{us:>12,.1f}{'' if us is base else f'{us / base:,.0f}x':>8}" for us in best.values())
        print(f"{case:>28} {ours.found(text):>6} {cells}")
    for reason in missing:
        print(f"not here: {reason}")


if __name__ == "__main__":
    main()
