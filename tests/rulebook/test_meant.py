"""A misspelt name gets the right one suggested: measured over every name there is, misspelt in every usual way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from proxy.config.schema import ConfigText
from proxy.detect.recognizers.countries import countries
from proxy.rulebook.actions import OPERATORS, Action
from proxy.rulebook.faults import unknown
from proxy.rulebook.meant import meant
from proxy.rulebook.paths import nearly, spelt
from proxy.rulebook.structure import subprotocols
from proxy.rulebook.synonyms import CALLED
from proxy.rulebook.told import allowed
from tests.rules import built

ENTITIES = sorted(built("default").detector.entities)
PACKS = ("default", "pass", "strict", "llm-chat", "payments", "health")
ENTITY = ("entities", "X")
RULES = [(), ("structure",), ("rules", 0), ("rules", 0, "tests"), ("rules", 0, "except", 0), ENTITY, ("allow", 0)]
RULES += [(*ENTITY, name) for name in ("context", "deny_list", "presidio", "tests")]
RULES += [(*ENTITY, "patterns", 0), ("tests", 0), ("tests", 0, "send"), ("recognizers", 0)]
ROUTE = ("routes", 0)
CONFIG = [(), ("listen",), ("listen", "tls"), ("admin",), ("limits",), ROUTE]
CONFIG += [(*ROUTE, name) for name in ("match", "upstream", "auth", "limits")]
PARAMS = [list(field.annotation.__args__[0].model_json_schema().get("properties", ())) for field in
          Action.model_fields.values()]  # fmt: skip
NAMES: list[Sequence[str]] = [
    *(allowed(path) for path in RULES),
    *(allowed(path, ConfigText) for path in CONFIG),
    *filter(None, PARAMS),
    *(OPERATORS, ENTITIES, PACKS, sorted(countries()), sorted(subprotocols())),
    *(("client_to_upstream", "upstream_to_client", "both"), ("enforce", "shadow"), ("scan", "pass", "deny")),
    *(["text", "span"], ["client_to_upstream", "upstream_to_client", "both", "never"]),
    *(("linear", "backtracking"), ("auto", "keep", "upstream"), ("refuse", "replace"), ("close", "pass")),
]
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def misspelt(name: str) -> Iterator[str]:
    """Swapped, dropped, doubled, hit beside; in other case, in the plural, with other separators."""
    yield from (name[:i] + name[i + 1] + name[i] + name[i + 2 :] for i in range(len(name) - 1))
    for i, letter in enumerate(name):
        yield name[:i] + name[i + 1 :]
        yield name[:i] + letter + name[i:]
        for row in KEYBOARD:
            at = row.find(letter.lower())
            for beside in row[max(at - 1, 0) : at + 2] if at >= 0 else "":
                yield name[:i] + (beside.upper() if letter.isupper() else beside) + name[i + 1 :]
    yield from (name.upper(), name.lower(), name.title(), name.replace("_", "-"), name.replace("_", ""))
    yield name.removesuffix("s") if name.endswith("s") else f"{name}s"


def test_nine_of_ten_typos_get_the_right_name() -> None:
    typos = {
        (typo, name, tuple(names))
        for names in NAMES
        for name in names
        for typo in misspelt(name)
        if typo and typo not in names
    }
    right = sum(meant(typo, names) == name for typo, name, names in typos)
    assert len(typos) > 5000
    assert right / len(typos) > 0.95


@pytest.mark.parametrize("name", CALLED)
def test_another_word_for_it_is_understood_where_it_is_possible(name: str) -> None:
    homes = [names for names in NAMES if name in {one.lower() for one in names}]
    for word in CALLED[name].split():
        assert name in {(meant(word, names) or "").lower() for names in homes}, word


@pytest.mark.parametrize(
    ("typo", "known", "right"),
    [
        ("remove", OPERATORS, "redact"),
        ("anonymize", OPERATORS, "replace"),
        ("pseudonymise", OPERATORS, "tokenize"),
        ("pattern", allowed(ENTITY), "patterns"),
        ("regexp", allowed((*ENTITY, "patterns", 0)), "regex"),
        ("mask_char", PARAMS[1], "char"),
        ("keepLast", PARAMS[1], "keep_last"),
        ("allowlist", allowed(()), "allow"),
        ("min_score", allowed(()), "threshold"),
        ("operator", allowed(("rules", 0)), "action"),
        ("exceptions", allowed(("rules", 0)), "except"),
        ("EMAIL", ENTITIES, "EMAIL_ADDRESS"),
        ("US_DRIVER_LICENSE", ENTITIES, "DRIVER_LICENSE"),
        ("EMPLOYEE", [*ENTITIES, "EMPLOYEE_ID"], "EMPLOYEE_ID"),
        ("server_to_client", NAMES[-9], "upstream_to_client"),
        ("dry-run", ("enforce", "shadow"), "shadow"),
        ("germany", countries(), "de"),
        ("backend", allowed(ROUTE, ConfigText), "upstream"),
        ("max_message_size", allowed((*ROUTE, "limits"), ConfigText), "message"),
    ],
)
def test_what_people_write_elsewhere_is_understood(typo: str, known: Sequence[str], right: str) -> None:
    assert meant(typo, known) == right


def test_what_is_like_nothing_gets_no_suggestion() -> None:
    for strange in ("zzz", "SHOE", "x", "", "_", "fr", "\x1b[2J"):
        assert meant(strange, countries()) is None
        assert meant(strange, OPERATORS) is None
    assert unknown("operator", "zzz", ["keep", "drop"]) == ("unknown operator 'zzz'", "known are drop, keep", "")
    assert unknown("entity", "SHOE", []).help == "there is none"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("id", "$.id"),
        ("$id", "$.id"),
        (".id", "$.id"),
        ("user.id", "$.user.id"),
        ("/user/id", "$.user.id"),
        ("$.items[*].id", "$.items[].id"),
        ("$['odd key']", '$["odd key"]'),
        ("$.**.id", "$..id"),
        ("$.a.", "$.a"),
        ("a b", ""),
        ("", ""),
    ],
)
def test_a_path_of_another_dialect_is_understood(wrong: str, right: str) -> None:
    assert nearly(wrong) == right
    if right:
        spelt(right)
