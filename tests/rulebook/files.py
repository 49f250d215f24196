"""Random rule files that fit the schema, and messages to run them on. Whether they make sense is another matter.

`family(random)` is what build takes as `contents`: a main file, perhaps some that it extends, and lists. The pools
are small on purpose, so that names meet, rules overrule each other, and gates are shared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from proxy.core.finding import Finding
from proxy.core.message import Leaf
from proxy.core.plugs import Findings
from proxy.detect.deadline import Deadline
from proxy.detect.recognizer import Recognizer
from proxy.pseudonyms.keys import KeyRing
from proxy.rulebook.document import write
from proxy.rulebook.ground import Fields, Ground, Keys
from tests.rules import NOW

FOLDER = Path("/rules-of-a-test")  # never read: all files of a family are given
MAIN = FOLDER / "main.yaml"
LISTS = {FOLDER / "lists" / "names.txt": b"# people of ours\nBlue Heron\n\nZephyr\n"}

RING = KeyRing.throwaway()  # one, so that what is built twice makes the same of a value

Plain = dict[str, Any]


class Wide:
    """A detector without a gate: each recognizer that the rules bring along looks at all of every text."""

    def __init__(self, more: Sequence[Recognizer], keys: Keys, fields: Fields) -> None:
        self.recognizers = more
        self.entities = frozenset(one.entity for one in more) | keys.keys()

    def heavy(self, entities: frozenset[str]) -> bool:
        return False

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        return False

    def near(self, payload: bytes, entities: frozenset[str], threshold: float) -> None:
        return None

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        return [[*self._look(leaf.text, entities, threshold)] for leaf in leaves]

    def _look(self, text: str, entities: frozenset[str], threshold: float) -> list[Finding]:
        lookers = [one for one in self.recognizers if one.entity in entities]
        return [found for one in lookers for found in one.find(text, 0, len(text), threshold, Deadline(20))]


def wide(*, shadow: bool = False, now: float = NOW) -> Ground[Wide]:
    """A ground on which rules are built in milliseconds."""
    return Ground(Wide, now, shadow, ring=RING)


# -- pools: what is named, and what stands in texts ---------------------------------------------------------

DEFINED: Mapping[str, Plain] = {
    "BADGE": {"patterns": [{"regex": r"\bB-\d\d\b", "score": 0.8}]},
    "ROOM": {
        "patterns": [{"regex": r"\broom \d{3}\b", "score": 0.45}],
        "context": {"words": ["meet", "in"], "within": 20, "boost": 0.3},
    },
    "CODENAME": {"deny_list": {"values": ["Blue Heron", "Zephyr"]}},
    "STAFF": {"deny_list": {"file": "lists/names.txt", "ignore_case": False}},
    "DESK": {"patterns": [{"regex": r"(?<!\w)desk-\d(?!\w)", "score": 0.9, "engine": "backtracking"}]},
}
VALUES = {"BADGE": "B-12", "ROOM": "room 101", "CODENAME": "blue heron", "STAFF": "Zephyr", "DESK": "desk-7"}
WORDS = ["hello", "we meet in", "at", "5", "*", "é", "<x>", "NO", "08:15", "\\", '"', "1.50"]
PATHS = ["$.id", "$.text", "$.items[].id", "$..trace_id", "$.meta.*", '$["odd key"]', "$.items[0].text"]
GLOBS = ["B-*", "*1*", "Zephyr", "blue*heron", "room 999", "B-12"]
ACTIONS: list[Any] = [
    *("replace", "mask", "redact", "keep", "drop", "close"),
    {"replace": {"with": "[gone]"}},
    {"replace": {"with": ""}},
    {"mask": {"char": "#", "keep_last": 2, "keep_separators": True}},
    {"mask": {"keep_first": 1}},
    {"close": {"code": 4001, "reason": "no"}},
    *("hash", "encrypt", "fake", "tokenize"),
    {"hash": {"length": 8}},
    {"tokenize": {"restore": "both"}},
    {"tokenize": {"scope": "team", "restore": "never"}},
]
TIMES = ["2027-03-01", "2020-01-01", "2026-11-22T08:15:30Z", "2030-01-01T00:00:00+02:00"]


def _some(random: Random, pool: Sequence[Any], most: int = 3, least: int = 0) -> list[Any]:
    return random.sample(list(pool), min(len(pool), random.randint(least, most)))


def _maybe(random: Random, file: Plain, key: str, make: Callable[[], Any], chance: float = 0.4) -> None:
    if random.random() < chance:
        file[key] = make()


def text_of(random: Random) -> str:
    """Some words, with values among them."""
    return " ".join(_some(random, [*WORDS, *VALUES.values()], 5, 1))


def value_of(random: Random, depth: int = 2) -> Any:
    """A JSON value with texts in it."""
    kind = random.randrange(6 if depth else 3)
    if kind < 2:
        return text_of(random)
    if kind == 2:
        return random.choice([None, True, 12, 123456, 1.5, -7])
    if kind == 3:
        return [value_of(random, depth - 1) for _ in range(random.randint(0, 3))]
    keys = ["id", "text", "items", "trace_id", "meta", "odd key", text_of(random)]
    return {key: value_of(random, depth - 1) for key in _some(random, keys, 4)}


def message(random: Random) -> bytes:
    """A text message: JSON or not."""
    return (json.dumps(value_of(random)) if random.random() < 0.6 else text_of(random)).encode()


# -- files --------------------------------------------------------------------------------------------------


def rule_of(random: Random, number: int, entities: Sequence[str]) -> Plain:
    """A rule."""
    rule: Plain = {"id": f"r{number}", "entities": _some(random, entities, 3, 1), "action": random.choice(ACTIONS)}
    _maybe(random, rule, "description", lambda: text_of(random))
    _maybe(random, rule, "direction", lambda: random.choice(["client_to_upstream", "upstream_to_client", "both"]))
    _maybe(random, rule, "mode", lambda: random.choice(["enforce", "shadow"]), 0.2)
    _maybe(random, rule, "except", lambda: [_exception(random)], 0.2)
    proven = [VALUES[name] for name in rule["entities"] if name in VALUES]
    _maybe(random, rule, "tests", lambda: {"match": proven, "no_match": ["nothing here"]}, 0.1)
    return rule


def _exception(random: Random) -> Plain:
    exception: Plain = {"values": _some(random, GLOBS, 2, 1), "reason": "because"}
    _maybe(random, exception, "expires", lambda: random.choice(TIMES))
    return exception


def _allowed(random: Random, entities: Sequence[str]) -> Plain:
    allowed: Plain = {"reason": "because"}
    _maybe(random, allowed, "entities", lambda: _some(random, entities, 2, 1))
    if random.random() < 0.2:
        return allowed | {"file": "lists/names.txt"}
    return allowed | {"values": _some(random, GLOBS, 2, 1)}


def file_of(random: Random, extends: Sequence[str], inherited: Sequence[str]) -> Plain:
    """One file, which may name what is `inherited` too."""
    file: Plain = {"version": 1}
    if extends:
        file["extends"] = list(extends)
    own = _some(random, list(DEFINED), 3, 0 if inherited else 1)
    if own:
        file["entities"] = {name: DEFINED[name] for name in own}
    entities = [*dict.fromkeys([*own, *inherited])]
    _maybe(random, file, "name", lambda: random.choice(["one", "NO", "é b"]))
    _maybe(random, file, "threshold", lambda: random.choice([0, 0.5, 0.85, 1]), 0.3)
    _maybe(random, file, "mode", lambda: random.choice(["enforce", "shadow"]), 0.15)
    _maybe(random, file, "structure", lambda: {"ignore": _some(random, PATHS), "subprotocols": ["ocpp1.6"]}, 0.3)
    _maybe(random, file, "allow", lambda: [_allowed(random, entities)], 0.2)
    numbers = random.sample(range(8), random.randint(0, 4))
    file["rules"] = [rule_of(random, number, [*entities, "*"]) for number in numbers]
    if random.random() < 0.7:  # so that nothing is looked for in vain
        file["rules"].append({"id": f"last{random.randrange(2)}", "entities": ["*"], "action": "keep"})
    body = value_of(random)
    _maybe(
        random,
        file,
        "tests",
        lambda: [{"name": "t", "send": {"body": body}, "upstream_gets": {"body": body}}],
        0.1,
    )
    return file


def family(random: Random) -> dict[Path, bytes]:
    """The contents of MAIN and of all that it names."""
    count = random.choice([1, 1, 2, 3, 4])
    contents = dict(LISTS)
    for number in reversed(range(count)):
        above = _some(random, [f"./{other}.yaml" for other in range(number + 1, count)], 2)
        inherited = list(DEFINED) if above else []
        file = file_of(random, above, inherited if random.random() < 0.3 else _found(contents, above))
        contents[FOLDER / f"{number}.yaml" if number else MAIN] = write(file).encode()
    return contents


def _found(contents: Mapping[Path, bytes], above: Sequence[str]) -> list[str]:
    """What the files `above` define."""
    texts = [contents[FOLDER / name].decode() for name in above]
    return [name for name in DEFINED if any(f"\n  {name}:" in text for text in texts)]
