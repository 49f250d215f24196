"""What a detector did with each set, and how that is shown: benchmarks/detect_quality.py fills it in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.report import table
from benchmarks.scoring import Board, Score, Span

Text = tuple[str, tuple[Span, ...], str | None]
"""A message, its gold spans, and the label to count them under (None: their entity)."""


@dataclass(frozen=True, slots=True)
class Set:
    """Messages to find something in. `core` counts only the eight types that all detectors know."""

    title: str
    texts: Sequence[Text]
    core: bool = False


@dataclass(slots=True)
class Result:
    """What one detector did with everything."""

    boards: dict[str, Board] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    touched: dict[str, tuple[int, int]] = field(default_factory=dict)  # clean set -> (touched, all)
    broken: tuple[int, int] = (0, 0)  # JSON messages that were no JSON any more, of those looked at
    seconds: float = 0.0
    misses: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def percent(value: float | None) -> str:
    """One place, which is what sets of this size can bear."""
    return "-" if value is None else f"{100 * value:.1f}"


Results = dict[str, Result]


def quiet_table(results: Results, quiet: Iterable[str]) -> str:
    """Messages without personal data that were touched, and JSON that was broken."""
    lines = []
    for name, result in results.items():
        cells = [f"{touched}/{of}" for touched, of in (result.touched[one] for one in quiet)]
        share = percent(result.touched["made up"][0] / result.touched["made up"][1])
        lines.append([name, *cells, share, "{}/{}".format(*result.broken), f"{result.seconds:.1f}"])
    header = ["", *quiet, "made up, %", "JSON broken", "seconds"]
    return table(
        "Messages without personal data that were touched; JSON that was none after redaction", header, lines
    )


def totals_table(results: Results, titles: Iterable[str]) -> str:
    """Recall, precision and F2 on each set."""
    lines = []
    for name, result in results.items():
        scores = [result.boards[title].total for title in titles]
        lines.append([name, *(f"{percent(s.recall)} {percent(s.precision)} {percent(s.f2)}" for s in scores)])
    return table("Recall, precision, F2 in %", ["", *titles], lines)


def by_table(results: Results, title: str, heading: str, show: Callable[[Score], str]) -> str:
    """One line for each entity or trick, one column for each detector."""
    labels = Counter({k: s.gold for r in results.values() for k, s in r.boards[title].by.items() if s.gold})
    lines = []
    for label in sorted(labels):
        scores = [result.boards[title].by.get(label, Score()) for result in results.values()]
        lines.append([label, str(max(score.gold for score in scores)), *map(show, scores)])
    return table(heading, ["", "spans", *results], lines)


def recall_precision(score: Score) -> str:
    """Both, for types."""
    return f"{percent(score.recall)} {percent(score.precision)}"


def tables(results: Results, everything: Sequence[Set], quiet: Iterable[str]) -> str:
    """All of them."""
    titles = [one.title for one in everything]
    parts = [quiet_table(results, quiet), totals_table(results, titles)]
    for title in titles:
        if title == "hidden":
            heading = "hidden in one message: recall by trick, %"
            parts.append(by_table(results, title, heading, lambda score: percent(score.recall)))
        else:
            parts.append(by_table(results, title, f"{title}: recall and precision by type, %", recall_precision))
    return "\n".join(parts)
