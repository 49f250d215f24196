"""The texts that cost most to look at: a search for them, and what they cost at 64 KiB.

    python -m benchmarks.hostile [--seconds 60] [--size 65536] [--worst 2]

Short motifs are repeated: all of up to three symbols, then whatever changes of the worst of them, up to seven
symbols, cost still more. What is searched by is the time each recognizer takes for 4 KiB of it when it must see
everything. The worst are then sent through a lane under the default rules, as text, as a JSON array of strings
and as one of numbers: milliseconds of processor time of all of it, and of the recognizers that took most. Honest
messages that look a little like them stand below. What other connections notice of it: benchmarks.stall.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from random import Random

from benchmarks.honest import HONEST
from proxy.codecs import choose
from proxy.core.action import Refusal
from proxy.core.finding import Finding
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.detect.deadline import Deadline
from proxy.detect.engine import Engine
from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import build

SYMBOLS = (*"01245", *" .-+():/,@", *"aFx", '"', "\n", "%", "_", "=", "\u00e9")
SCREEN = 4096
LONGEST = 7
# Whole values, and what almost is one: too long for the search to come by.
VALUES = (
    *(
        "(212) 555-0142 ",
        "212-555-0142 ",
        "212 555 0142 ",
        "+1 212 555 0142 ",
        "+36 30 123 4567 ",
        "+49 30 ",
        "00 ",
    ),
    *(
        "0049 30 12345 ",
        "030 1234 567 ",
        "00-",
        "00/",
        "0 00 ",
        "tel 12345678 ",
        "12345678 office, ",
        "1.",
        "1.1.1.1",
    ),
    *(
        "4111 1111 1111 1112 ",
        "4111 1111 1111 1111 ",
        "4111111111111112 ",
        "1 2 ",
        "10.0.0.1 ",
        "10.0.0.1/",
        "::1 ",
    ),
    *(
        "fe80::1%a ",
        "1:",
        "1::",
        "::ffff:1.1.1.1 ",
        "00:00:5e:00:53:af ",
        "GB82 WEST 1234 5698 7654 32 ",
        "GB82WEST",
    ),
    *(
        "219-09-9999 ",
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyT ",
        "a@b.co ",
        "a.b@",
        "a@b.c-",
        "http://a:b@c ",
        "://a:b@",
    ),
    *(
        "eyJhbGciOiJIUzI1NiJ9.",
        "eyJ.",
        "bearer abcdefgh ",
        "password=abcdefgh ",
        "sk-abcdefgh",
        "&#64;",
        "%40",
        "626f62",
    ),
    *("Ym9iQGV4YW1wbGUuY29t ", "1\u200b", "\uff11", "a\u0301", "[at] ", "( at )", "\u0661", "passport ", "dob 1 "),
)


class Clocked:
    """A `Recognizer` that says how long it took, in seconds of processor time of its thread."""

    def __init__(self, inner: Recognizer, spent: dict[str, float]) -> None:
        self.name, self.entity, self.triggers = inner.name, inner.entity, inner.triggers
        self.before, self.after = inner.before, inner.after
        self.inner, self.spent = inner, spent

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """What the recognizer finds."""
        began = time.thread_time()
        found = list(self.inner.find(text, start, end, threshold, deadline))
        self.spent[self.name] += time.thread_time() - began
        return iter(found)


class Bench:
    """A lane under the default rules whose recognizers are clocked."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.engine = Engine(budget=30.0)
        self.engine.warm()
        self.engine.recognizers = tuple(Clocked(one, self.spent) for one in self.engine.recognizers)
        policy = build("default", Ground(lambda *_: self.engine, time.time())).policy
        self.lane = Lane(Direction.CLIENT_TO_UPSTREAM, policy, self.engine, choose)
        self.wanted = self.lane.wanted
        self.engine.prepare(self.wanted)

    def __call__(self, payload: str) -> dict[str, float]:
        """Seconds by recognizer, and `all` of the message."""
        return self._clock(lambda: self.lane.work(Kind.TEXT, payload.encode(), Session(1)))

    def everywhere(self, text: str) -> dict[str, float]:
        """The same when every recognizer sees everything."""
        return self._clock(lambda: self.engine.search([text], self.wanted, FLOOR))

    def _clock(self, job: Callable[[], object]) -> dict[str, float]:
        self.spent.clear()
        began = time.thread_time()
        try:
            job()
        except Refusal:
            return {"refused": 0.0, "all": time.thread_time() - began}
        return {**self.spent, "all": time.thread_time() - began}


def filled(motif: str, size: int) -> str:
    """`size` characters of it."""
    return (motif * (size // len(motif) + 1))[:size]


def forms(text: str, size: int) -> dict[str, str]:
    """`text` as a message, and as JSON messages of about `size` bytes."""
    cells = [text[at : at + 40] for at in range(0, size * 40 // 46, 40)]
    found = {"text": text, "strings": json.dumps(cells)}
    digits = "".join(char for char in text if char in "0123456789.").strip(".") or "1"
    number = next((digits[:n] for n in range(8, 0, -1) if _is_number(digits[:n])), "1")
    return {**found, "numbers": f"[{','.join([number] * (size // (len(number) + 1)))}]"}


def _is_number(text: str) -> bool:
    try:
        return isinstance(json.loads(text), int | float)
    except ValueError:
        return False


Ranking = dict[str, dict[str, float]]
"""By recognizer, seconds by motif."""


def hunt(bench: Bench, seconds: float, seed: int) -> Ranking:
    """The motifs, and what each recognizer takes for 4 KiB of them. Stops after `seconds`."""
    ranking: Ranking = defaultdict(dict)
    until = time.monotonic() + seconds

    def screen(motifs: Iterable[str]) -> None:
        for motif in motifs:
            if time.monotonic() > until:
                return
            for name, took in bench.everywhere(filled(motif, SCREEN)).items():
                ranking[name][motif] = took

    screen(VALUES)
    screen("".join(parts) for length in (1, 2, 3) for parts in product(SYMBOLS, repeat=length) if _new(parts))
    random = Random(seed)
    while time.monotonic() < until:
        screen({_changed(motif, random) for motifs in ranking.values() for motif in worst(motifs, 8)})
    return ranking


def _new(parts: tuple[str, ...]) -> bool:
    """Whether it is the first of its rotations, and no repetition of something shorter."""
    turns = [parts[n:] + parts[:n] for n in range(1, len(parts))]
    return all(parts < turn for turn in turns)


def _changed(motif: str, random: Random) -> str:
    at, symbol = random.randrange(len(motif) + 1), random.choice(SYMBOLS)
    if len(motif) < LONGEST and random.random() < 0.6:
        return motif[:at] + symbol + motif[at:]
    return motif[:at] + symbol + motif[at + 1 :]


def worst(motifs: dict[str, float], count: int) -> list[str]:
    """The most expensive ones."""
    return sorted(motifs, key=lambda motif: -motifs[motif])[:count]


def row(bench: Bench, name: str, payload: str) -> tuple[float, str]:
    """(milliseconds, line) for one message, the best of three."""
    best = min((bench(payload) for _ in range(3)), key=lambda took: took["all"])
    total = best.pop("all")
    shares = sorted(best.items(), key=lambda share: -share[1])[:3]
    told = ", ".join(f"{recognizer} {took * 1e3:.1f}" for recognizer, took in shares if took > total / 20)
    return total * 1e3, f"{total * 1e3:8.1f}  {name:<34} {told}"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=60.0, help="how long to search")
    words.add_argument("--size", type=int, default=65_536, help="of the messages that are measured, in bytes")
    words.add_argument("--worst", type=int, default=2, help="how many motifs of each recognizer to measure")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    bench = Bench()
    ranking = hunt(bench, asked.seconds, asked.seed)
    chosen = dict.fromkeys(motif for motifs in ranking.values() for motif in worst(motifs, asked.worst))
    chosen.update(dict.fromkeys(VALUES))
    rows = [
        row(bench, f"{motif!r} {form}", payload)
        for motif in chosen
        for form, payload in forms(filled(motif, asked.size), asked.size).items()
    ]
    print(f"{len(ranking['all']):,} motifs; milliseconds of {asked.size:,} bytes of the worst\n")
    for _, line in sorted(rows, reverse=True)[:40]:
        print(line)
    print("\nhonest messages\n")
    for name, make in HONEST.items():
        print(row(bench, name, make(asked.size))[1])


if __name__ == "__main__":
    main()
