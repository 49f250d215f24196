"""How well personal data is found, and how quiet it is otherwise: `python -m benchmarks.detect_quality`.

The same messages to Hushwire, Presidio (without and with spaCy's small model), datafog and presidio-rs. Sets that
are not part of the repository (presidio-research's synthetic texts, Privy's payloads, datafog's cases) are read
from `--data`; without them their tables are left out, and said to be.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.corpus import clean, personal
from benchmarks.corpus.values import CHECKED
from benchmarks.finders import PEERS, Finder, MissingError, Ours, named
from benchmarks.quality_tables import Result, Results, Set, Text, tables
from benchmarks.report import machine
from benchmarks.scoring import Board, Score, Span, only

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CORE = frozenset(
    {"PERSON", "LOCATION", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS"}
)
SAMPLE = 1000  # texts of each set that a slow detector is shown


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one file of the data folder; FileNotFoundError if there is none."""
    return [json.loads(line) for line in (data / f"{name}.jsonl").read_text("utf-8").splitlines()]


def spanned(data: Path, name: str) -> list[Text]:
    """Texts with `[start, end, type or null]`."""
    return [(row["text"], tuple(Span(*span) for span in row["spans"]), None) for row in rows(data, name)]


def cases(data: Path) -> list[Text]:
    """datafog's cases, with the names that Presidio has for what is personal in them; the rest is neutral."""
    found: list[Text] = []
    for row in rows(data, "datafog_structured_pii"):
        spans = (Span(one["start"], one["end"], named(one["type"])) for one in row["expected_entities"])
        found.append((row["input"], tuple(only(spans, CORE)), None))
    return found


def sets(data: Path, seed: int = 0) -> list[Set]:
    """Everything to find something in; another `seed` makes other messages of the same kinds."""
    found = []
    if data.is_dir():
        found = [
            Set("synth v2", spanned(data, "presidio_research_synth_v2"), core=True),
            Set("privy", spanned(data, "privy_json_payloads"), core=True),
            Set("datafog", cases(data), core=True),
        ]
    found.append(Set("plain", [(one.text, one.spans, None) for one in personal.plain(seed=personal.SEED + seed)]))
    found.append(
        Set("hidden", [(one.text, one.spans, one.label) for one in personal.hidden(seed=personal.SEED + seed)])
    )
    return found


def clean_sets(data: Path, seed: int = 0) -> dict[str, list[str]]:
    """Everything to find nothing in."""
    found = {"made up": [one.text for one in clean.frames(seed=clean.SEED + seed)]}
    if data.is_dir():
        found["thirty"] = [row["text"] for row in rows(data, "clean_frames")]
        found["datafog negative"] = [row["input"] for row in rows(data, "datafog_negative_cases")]
    return found


def sample(items: Sequence[Any], count: int) -> Sequence[Any]:
    """At most `count` of them, evenly spread."""
    step = -(-len(items) // count)
    return items[::step]


def is_json(text: str) -> bool:
    """Whether a JSON parser takes it."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def measure(finder: Finder, everything: Sequence[Set], quiet: dict[str, list[str]], count: int) -> Result:
    """Show `finder` every set; slow ones get at most `count` texts of each."""
    result = Result()
    started = time.perf_counter()
    documents: list[str] = []
    for name, texts in quiet.items():
        chosen = sample(texts, count) if finder.slow else texts
        touched = [(text, spans) for text in chosen if (spans := finder.find(text))]
        result.touched[name] = len(touched), len(chosen)
        result.wrong += [f"{name}: {told(text, span)}" for text, spans in touched for span in spans]
        documents += chosen
    for one in everything:
        chosen = sample(one.texts, count) if finder.slow else one.texts
        result.boards[one.title], result.shown[one.title] = board(finder, one, chosen, result), len(chosen)
        documents += [text for text, _, _ in chosen]
    documents = [text for text in documents if is_json(text)]
    broken = sum(not is_json(finder.redact(text)) for text in documents)
    result.broken = broken, len(documents)
    result.seconds = time.perf_counter() - started
    return result


def board(finder: Finder, of: Set, texts: Iterable[Text], result: Result) -> Board:
    """Score `finder` on `texts`."""
    found = Board()
    for text, gold, label in texts:
        spans: Sequence[Span] = finder.find(text)
        if of.core:
            spans = [span for span in spans if span.entity in CORE]
            gold = only(gold, CORE)  # noqa: PLW2901 - the same spans, some of them neutral
        missed, wrong = found.add(gold, spans, label)
        result.misses += [f"{of.title} {label or ''}: {told(text, span)}" for span in missed]
        result.wrong += [f"{of.title}: {told(text, span)}" for span in wrong]
    return found


def told(text: str, span: Span) -> str:
    """A span with its surroundings. All texts are made up, so they may be shown."""
    before, after = text[max(0, span.start - 24) : span.start], text[span.end : span.end + 12]
    return f"{span.entity} {before!r} >>{text[span.start : span.end]!r}<< {after!r}"


def as_json(results: Results, missing: dict[str, str]) -> dict[str, Any]:
    """The counts behind the tables."""

    def counts(score: Score) -> dict[str, int]:
        return {"gold": score.gold, "found": score.found, "predicted": score.predicted, "right": score.right}

    found = {}
    for name, result in results.items():
        boards = {
            title: {"total": counts(one.total), "by": {k: counts(s) for k, s in one.by.items()}}
            for title, one in result.boards.items()
        }
        found[name] = {
            "touched": result.touched,
            "broken": result.broken,
            "seconds": result.seconds,
            "sets": boards,
        }
        found[name]["shown"] = result.shown
    return {"machine": machine(), "goal_types": CHECKED, "detectors": found, "missing": missing}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", default="default", help="rules of ours, by name or path")
    parser.add_argument("--ner", default="off", help="language models for names, with commas: rampart,strict")
    parser.add_argument("--only", default="", help="peers whose name contains this; 'none' for ours alone")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the evaluation data of others")
    parser.add_argument("--seed", type=int, default=0, help="make other messages, of the same kinds")
    parser.add_argument("--quick", action="store_true", help="60 texts of each set for slow detectors")
    parser.add_argument("--misses", action="store_true", help="list what ours missed and what it found wrongly")
    parser.add_argument("--json", type=Path, help="write the counts here")
    options = parser.parse_args()
    everything, quiet = sets(options.data, options.seed), clean_sets(options.data, options.seed)
    results: Results = {}
    missing: dict[str, str] = {}
    if not options.data.is_dir():
        missing["synth v2, privy, datafog, thirty"] = f"no folder {options.data.name}: see --data"
    models = dict.fromkeys(("off", *options.ner.split(",")))
    makers: list[tuple[str, Callable[[], Finder]]] = [
        ("hushwire" if ner == "off" else f"hushwire {ner}", partial(Ours, options.rules, ner)) for ner in models
    ]
    makers += [(name, make) for name, make in PEERS if options.only in name]
    for name, make in makers:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            results[name] = measure(make(), everything, quiet, 60 if options.quick else SAMPLE)
        except MissingError as error:
            missing[name] = str(error)
    print(tables(results, everything, quiet))
    print(*(f"n/a {name}: {why}" for name, why in missing.items()), sep="\n")
    if options.misses:
        print("missed:", *results["hushwire"].misses, "wrong:", *results["hushwire"].wrong, sep="\n  ")
    if options.json:
        options.json.write_text(json.dumps(as_json(results, missing), indent=1))


if __name__ == "__main__":
    main()
