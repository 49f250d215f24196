"""What a change of rules comes to, told by names."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.rulebook.changes import ELSEWHERE, changes
from proxy.rulebook.faults import RulesError

BASE = """
version: 1
threshold: 0.4
entities: {STAFF: {patterns: [{regex: 'AC-[0-9]+', score: 0.9}]}}
rules:
  - {id: a, entities: [STAFF], action: replace}
  - {id: b, entities: [URL], action: replace}
  - {id: c, entities: ["*"], action: replace}
"""


def changed(tmp_path: Path, before: str, after: str) -> dict[str, list[str]]:
    path = tmp_path / "my.yaml"
    found = changes(str(path), {path: before.encode()}, {path: after.encode()})
    return {what: names for what, names in found.items() if names}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("version: 1", "# a remark\nversion: 1", {}),
        ("  - {id: b,", "  - {id: new, entities: [URL], action: keep}\n  - {id: b,", {"added": ["new"]}),
        ("  - {id: b, entities: [URL], action: replace}\n", "", {"removed": ["b"]}),
        ("[URL], action: replace", "[URL], action: redact", {"changed": ["b"]}),
        ("id: b,", "id: b, mode: shadow,", {"changed": ["b"]}),
        ("id: b,", "id: b, except: [{values: [x], reason: y}],", {"changed": ["b"]}),
        ("id: b,", "id: d,", {"added": ["d"], "removed": ["b"]}),
        ("0.4", "0.5", {"else": ["threshold"]}),
        ("version: 1", "version: 1\nmode: shadow", {"changed": ["a", "b", "c"]}),
        ("AC-[0-9]+", "AC-[0-9]{4}", {"else": ["entities"]}),
        ("version: 1", "version: 1\nkeys: {STAFF: [badge]}", {"else": ["keys"]}),
        ("version: 1", "version: 1\ncountries: [uk]", {"else": ["countries"]}),
        ("version: 1", "version: 1\nstructure: {ignore: [$.id]}", {"else": ["ignore"]}),
    ],
)
def test_a_change_is_told_by_what_it_is(
    tmp_path: Path, old: str, new: str, expected: dict[str, list[str]]
) -> None:
    assert old in BASE
    assert changed(tmp_path, BASE, BASE.replace(old, new)) == expected


def test_rules_that_change_places_are_moved(tmp_path: Path) -> None:
    lines = BASE.splitlines(keepends=True)
    lines[5], lines[6] = lines[6], lines[5]
    assert changed(tmp_path, BASE, "".join(lines)) == {"moved": ["b", "a"]}


def test_what_is_extended_counts_and_where_it_stands_does_not(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    assert changed(tmp_path, BASE, "version: 1\nextends: [./base.yaml]\n") == {}


def test_bad_rules_have_faults_and_no_changes(tmp_path: Path) -> None:
    with pytest.raises(RulesError):
        changed(tmp_path, BASE, "version: 2")


def test_nothing_that_rules_can_say_is_left_out() -> None:
    from dataclasses import fields

    from proxy.rulebook.merge import Merged

    told_apart = {"members", "rules", "shadows", "rehearsal", "tests"}  # the rules themselves, and their proofs
    assert {field.name for field in fields(Merged)} == {*ELSEWHERE, *told_apart}
