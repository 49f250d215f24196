"""How many conversations look the same through a proxy as without one: `python -m benchmarks.fidelity`.

Plays every scenario of tests/wire directly and through each proxy, compares what both sides received byte
for byte, and prints the differences and a table. Proxies that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from tests.wire.compare import differences, forgiven, with_heads
from tests.wire.fronts import FRONTS, Front
from tests.wire.peer import Transcript, record
from tests.wire.scenario import Scenario
from tests.wire.scenarios import SCENARIOS

Transcripts = dict[str, Transcript]


@dataclass(frozen=True, slots=True)
class Score:
    """Identical conversations of one proxy."""

    every_byte: int  # the heads of every conversation included
    exact: int  # heads compared only where they are the subject
    forgiving: int  # the same, without case of header names and without how TCP ended after CLOSE or refusal
    lines: list[str]


def record_all(front: Front, chosen: Sequence[Scenario], limit: float) -> Transcripts:
    """Every chosen conversation through `front`."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as listener,
        front(listener.getsockname()[1]) as address,
    ):
        return {one.name: record(one.play, listener, address, one.name, limit) for one in chosen}


def score(chosen: Sequence[Scenario], direct: Transcripts, other: Transcripts) -> Score:
    """Count, and list the differences of every conversation that is not identical."""
    every_byte = exact = forgiving = 0
    lines: list[str] = []
    for one in chosen:
        here, there = direct[one.name], other[one.name]
        every_byte += not differences(here, there)
        here, there = with_heads(here, one.heads), with_heads(there, one.heads)
        found = differences(here, there)
        exact += not found
        forgiving += not differences(forgiven(here), forgiven(there))
        lines += [f"  {one.name}", *(f"      {line}" for line in found)] if found else []
    return Score(every_byte, exact, forgiving, lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fronts", nargs="*", help=f"of {', '.join(FRONTS)}; all when left out")
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds to wait for what should come")
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    options = parser.parse_args()
    chosen = [one for one in SCENARIOS.values() if options.only in one.name]
    direct = record_all(FRONTS["direct"], chosen, options.limit)
    table = [f"{'identical to direct, of ' + str(len(chosen)):32} exact  forgiving  every head too"]
    for name in options.fronts or [name for name in FRONTS if name != "direct"]:
        try:
            result = score(chosen, direct, record_all(FRONTS[name], chosen, options.limit))
        except FileNotFoundError as error:
            table.append(f"{name:32} left out: {error}")
            continue
        if not options.quiet:
            print(name, *result.lines, "", sep="\n")
        table.append(f"{name:32} {result.exact:5}  {result.forgiving:9}  {result.every_byte:14}")
    print(*table, sep="\n")


if __name__ == "__main__":
    main()
