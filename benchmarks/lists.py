"""What a deny list costs: to load, in memory, and per message, beside the same rules without one.

    python -m benchmarks.lists [--rounds 7]

Each length of the list has a process of its own. Loading is building the rules, less building them without the
list; again is a reload that finds the list unchanged. Messages are prose, so that every word could begin a value;
the one with a hit has an address at its end, or with the list a value. With and without take turns; the best round
of each is shown.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.detect_speed import SESSION, measure, prose
from proxy.codecs import choose
from proxy.core.action import Action
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.detect.engine import Engine
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import Built, build

LENGTHS, SIZES = (100, 10_000, 100_000), (60, 1024, 16_384)
SYLLABLES = ["ka", "lo", "mi", "ren", "tor", "bel", "san", "dra", "vin", "gor", "hal", "ster", "mon", "pel", "ri"]
SYLLABLES += ["ta", "no", "sch", "lei", "mar", "ber", "jo", "ste", "\u00f6l", "j\u00e9"]
RULES = "version: 1\nrules: [{id: all, entities: ['*'], action: replace}]\n"
LISTED = RULES + "entities: {CUSTOMER: {deny_list: {file: names.txt}}}\n"


def names(count: int) -> list[str]:
    """People, companies and customer numbers, all different."""
    random = Random(count)
    found: set[str] = set()
    while len(found) < count:
        words = ["".join(random.choices(SYLLABLES, k=random.randint(2, 4))).capitalize() for _ in range(2)]
        kind = random.randrange(10)
        found.add(
            f"KD-{random.randrange(10**8)}" if kind == 0 else " ".join(words) + (" GmbH" if kind < 4 else "")
        )
    return sorted(found)


def resident() -> float:
    """MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class Looks:
    """What a relay does with a message between receiving and sending it, under the rules in a file."""

    def __init__(self, built: Built[Engine]) -> None:
        self.lane = Lane(Direction.CLIENT_TO_UPSTREAM, built.policy, built.detector, choose)
        built.detector.prepare(self.lane.wanted)
        built.detector.warm()

    def __call__(self, text: str) -> list[Action]:
        payload = text.encode()
        if self.lane.clear(Kind.TEXT, payload, SESSION):
            return []
        return self.lane.work(Kind.TEXT, payload, SESSION)


def weigh(count: int, folder: Path, rounds: int) -> list[float]:
    """One row: seconds to load and again, MiB, and for each message microseconds with and without the list."""
    values = names(count)
    plain, listed = folder / "plain.yaml", folder / "listed.yaml"
    plain.write_text(RULES)
    listed.write_text(LISTED)
    (folder / "names.txt").write_text("\n".join(values))
    ground = Ground(partial(Engine, budget=10.0, cache=folder), time.time())
    without = Looks(build(str(plain), ground))
    base = _seconds(lambda: build(str(plain), ground))
    gc.collect()
    before, began = resident(), time.thread_time()
    built = build(str(listed), ground)
    load = time.thread_time() - began
    gc.collect()
    mib = resident() - before
    again = _seconds(lambda: build(str(listed), ground))
    looks = Looks(built)
    texts = [prose(size) for size in SIZES]
    hit = next(value for value in values[count // 2 :] if value.isascii())
    row = [load - base, again - base, mib]
    for text, other in [
        *zip(texts, texts, strict=True),
        (f"{prose(1000)} {hit}", f"{prose(1000)} bob@example.com"),
    ]:
        assert bool(looks(text)) == bool(without(other)) == (text is not other)
        best = [float("inf")] * 2
        for _ in range(rounds):
            best = [min(best[0], measure(looks, text)), min(best[1], measure(without, other))]
        row += best
    return row


def _seconds(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(5):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return min(spent)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--length", type=int, help=argparse.SUPPRESS)
    words.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.length:
        print(json.dumps(weigh(asked.length, asked.folder, asked.rounds)))
        return
    heads = [*(f"clean {size:,}" for size in SIZES), "a hit in 1,024"]
    print(
        f"{'values':>8}{'load CPU s':>12}{'again':>8}{'MiB':>7}  us: " + "".join(f"{head:>22}" for head in heads)
    )
    with tempfile.TemporaryDirectory() as folder:
        for length in LENGTHS:
            command = [sys.executable, "-m", "benchmarks.lists", "--rounds", str(asked.rounds)]
            command += ["--length", str(length), "--folder", folder]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            load, again, mib, *us = json.loads(done.stdout)
            pairs = zip(us[::2], us[1::2], strict=True)
            cells = "".join(f"{with_:>9.1f} / {without:.1f} {with_ / without:>4.1f}x" for with_, without in pairs)
            print(f"{length:>8,}{load:>12.2f}{again:>8.2f}{mib:>7.1f}      {cells}")


if __name__ == "__main__":
    main()
