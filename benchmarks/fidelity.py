"""How many conversations look the same through a proxy as without one: `python -m benchmarks.fidelity`.

Plays every scenario of tests/wire directly and through each proxy, compares what both sides received byte
for byte, and prints the differences and a table. Proxies that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.wire.accepted import ACCEPTED
from tests.wire.compare import differences, forgiven, with_heads
from tests.wire.fronts import FRONTS, Front
from tests.wire.peer import Transcript
from tests.wire.scenario import Scenario
from tests.wire.scenarios import GROUPS
from tests.wire.talk import record

Transcripts = dict[str, Transcript]
Groups = dict[str, list[Scenario]]


@dataclass(slots=True)
class Score:
    """Identical conversations of one proxy. `exact` has one count per group of scenarios; heads are compared
    only where they are the subject. `forgiving` does not mind the case of header names, nor how TCP ended
    after a CLOSE or a refusal. `every_byte` compares the heads of all conversations."""

    exact: dict[str, int]
    forgiving: int = 0
    every_byte: int = 0
    lines: list[str] = field(default_factory=list)


def record_all(front: Front, chosen: Groups, limit: float) -> Transcripts:
    """Every chosen conversation through `front`."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as listener,
        front(listener.getsockname()[1]) as address,
    ):
        scenarios = (one for group in chosen.values() for one in group)
        return {one.name: record(one.play, listener, address, one.name, limit) for one in scenarios}


def score(chosen: Groups, direct: Transcripts, other: Transcripts) -> Score:
    """Count, and list the differences of every conversation that is not identical."""
    result = Score(dict.fromkeys(chosen, 0))
    for group, scenarios in chosen.items():
        for one in scenarios:
            here, there = direct[one.name], other[one.name]
            result.every_byte += not differences(here, there)
            here, there = with_heads(here, one.heads), with_heads(there, one.heads)
            found = differences(here, there)
            result.exact[group] += not found
            result.forgiving += not differences(forgiven(here), forgiven(there))
            result.lines += [f"  {one.name}", *(f"      {line}" for line in found)] if found else []
    return result


def table(chosen: Groups, scores: dict[str, Score | str]) -> Iterator[str]:
    """One line for each proxy, under a line of totals."""
    total = sum(map(len, chosen.values()))
    columns = [*(f"{group} {len(scenarios)}" for group, scenarios in chosen.items()), f"all {total}"]
    columns += ["forgiving", "every head"]
    yield "  ".join(["identical to direct, of".ljust(24), *columns])
    for name, result in scores.items():
        if isinstance(result, str):
            yield f"{name:24}  left out: {result}"
            continue
        counts = [*result.exact.values(), sum(result.exact.values()), result.forgiving, result.every_byte]
        cells = (str(count).rjust(len(column)) for count, column in zip(counts, columns, strict=True))
        yield "  ".join([name.ljust(24), *cells])


def accepted_lines() -> Iterator[str]:
    """The accepted differences, by reason, as a Markdown list."""
    reasons: dict[str, list[str]] = {}
    for name, accepted in ACCEPTED.items():
        looking = "" if "pass" in accepted.rules else " (not under rules that look at nothing)"
        reasons.setdefault(accepted.reason + looking, []).append(f"`{name}`")
    for reason, names in reasons.items():
        yield f"- {reason}: {', '.join(names)}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fronts", nargs="*", help=f"of {', '.join(FRONTS)}; all when left out")
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds to wait for what should come")
    parser.add_argument("--accepted", action="store_true", help="list the accepted differences and stop")
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    options = parser.parse_args()
    if options.accepted:
        print(*accepted_lines(), sep="\n")
        return
    chosen = {group: [one for one in scenarios if options.only in one.name] for group, scenarios in GROUPS.items()}
    direct = record_all(FRONTS["direct"], chosen, options.limit)
    scores: dict[str, Score | str] = {}
    for name in options.fronts or [name for name in FRONTS if name != "direct"]:
        try:
            result = score(chosen, direct, record_all(FRONTS[name], chosen, options.limit))
        except FileNotFoundError as error:
            scores[name] = str(error)
            continue
        scores[name] = result
        if not options.quiet:
            print(name, *result.lines, "", sep="\n", flush=True)
    print(*table(chosen, scores), sep="\n")


if __name__ == "__main__":
    main()
