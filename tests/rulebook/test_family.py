"""Files that extend others: what stands where, what counts, and what is wrong in which file."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.core.message import Direction
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.load import Built, build
from tests.rulebook.files import Wide, wide

FOLDER = Path("/rules-of-a-test")
BASE = r"""
version: 1
threshold: 0.7
entities:
  BADGE: {patterns: [{regex: '\bB-\d\d\b', score: 0.8}]}
  ROOM: {patterns: [{regex: 'room \d', score: 0.8}]}
rules:
  - {id: badges, entities: [BADGE], action: mask, tests: {match: [B-12]}}
  - {id: rooms, entities: [ROOM], action: redact}
"""


def family(**files: str) -> Built[Wide]:
    """The rules of main.yaml, where each file is given by what stands behind its version."""
    contents = {
        FOLDER / f"{name}.yaml": (text if "version" in text else f"version: 1\n{text}").encode()
        for name, text in files.items()
    }
    return build(str(FOLDER / "main.yaml"), wide(), contents)


def faults(**files: str) -> list[Fault]:
    with pytest.raises(RulesError) as caught:
        family(**files)
    return list(caught.value.faults)


def ids(built: Built[Wide]) -> list[str]:
    return [rule.id for rule in built.policy.rules]


def rule(name: str, action: str = "replace", more: str = "") -> str:
    return f"{{id: {name}, entities: [BADGE], action: {action}{more}}}"


def rules(*written: str) -> str:
    return f"rules: [{', '.join(written)}]\n"


def test_new_rules_stand_before_inherited_ones_and_one_of_the_same_id_in_its_place() -> None:
    built = family(base=BASE, main="extends: [./base.yaml]\n" + rules(rule("first"), rule("rooms"), rule("last")))
    assert ids(built) == ["first", "last", "badges", "rooms"]
    assert built.policy.rules[-1].operator == "replace"


def test_the_first_of_several_stands_before_the_second() -> None:
    a, b = (f"extends: [./base.yaml]\n{rules(rule(name))}" for name in "ab")
    built = family(base=BASE, a=a, b=b, main="extends: [./a.yaml, ./b.yaml]\n" + rules(rule("main")))
    assert ids(built) == ["main", "a", "b", "badges", "rooms"]
    assert [file.path.name for file in built.files] == ["main.yaml", "a.yaml", "base.yaml", "b.yaml"]


def test_what_another_extended_file_refines_is_refined_whatever_the_order() -> None:
    refined = "extends: [./base.yaml]\n" + rules(rule("badges", "redact"))
    for names in ("./base.yaml, ./refined.yaml", "./refined.yaml, ./base.yaml"):
        built = family(base=BASE, refined=refined, main=f"extends: [{names}]\n")
        assert [one.operator for one in built.policy.rules] == ["redact", "redact"]


def test_values_and_definitions_of_the_child_count_and_lists_are_united() -> None:
    child = r"""
extends: [./base.yaml]
threshold: 0.75
entities: {ROOM: {deny_list: {values: [attic]}}}
structure: {ignore: [$.b]}
"""
    built = family(base=BASE + "structure: {ignore: [$.a]}\n", main=child)
    assert built.policy.threshold == 0.75
    assert built.policy.ignores is not None and built.policy.ignores("$.a") and built.policy.ignores("$.b")
    assert {one.entity: one.triggers == () for one in built.detector.recognizers} == {"ROOM": True, "BADGE": False}
    assert family(base=BASE, main="extends: [./base.yaml]\n").policy.threshold == 0.7


def test_files_that_disagree_must_be_reconciled() -> None:
    mine, theirs = (f"extends: [./base.yaml]\n{rules(rule('badges', action))}" for action in ("redact", "keep"))
    files = {"base": BASE, "mine": mine, "theirs": theirs}
    main = "extends: [./mine.yaml, ./theirs.yaml]\n"
    (fault,) = faults(**files, main=main)
    assert (fault.code, fault.line, fault.column) == ("E036", 2, 10)
    assert "have different rules with the id 'badges'" in fault.sentence
    assert ids(family(**files, main=main + rules(rule("badges")))) == ["badges", "rooms"]
    files["theirs"] = mine  # no quarrel
    assert ids(family(**files, main=main)) == ["badges", "rooms"]


def test_rules_that_extend_themselves_are_a_fault() -> None:
    (fault,) = faults(a="extends: [./main.yaml]\n", main="extends: [./a.yaml]\n")
    assert (fault.source, fault.code, fault.line) == (str(FOLDER / "a.yaml"), "E019", 2)
    assert fault.sentence == "these rules extend themselves, by way of main.yaml, a.yaml"
    (fault,) = faults(main="extends: [./main.yaml]\n")
    assert fault.code == "E019"


def test_a_file_that_is_not_there_is_told_where_it_is_named() -> None:
    told = faults(main="extends: [./none.yaml, defualt, '', \"a\\0.yaml\"]\n" + rules(rule("a")))
    assert [(one.code, one.line, one.column) for one in told] == [
        ("E001", 2, 11),
        ("E018", 2, 24),
        ("E013", 2, 33),
        ("E001", 2, 37),
    ]
    assert "did you mean 'default'?" in told[1].help


def test_what_is_wrong_in_an_extended_file_is_told_there_and_all_at_once() -> None:
    told = faults(base="treshold: 1\n", other="- [", main="extends: [./base.yaml, ./other.yaml]\nmod: shadow\n")
    assert [(Path(one.source).stem, one.code) for one in told] == [
        ("main", "E011"),
        ("base", "E011"),
        ("other", "E003"),
    ]
    assert [one.line for one in told[:2]] == [3, 2]


def test_an_inherited_example_may_be_overruled_and_one_of_the_main_file_not() -> None:
    keep = rule("mine", "keep")
    assert ids(family(base=BASE, main="extends: [./base.yaml]\n" + rules(keep))) == ["mine", "badges", "rooms"]
    (fault,) = faults(
        base=BASE, main="extends: [./base.yaml]\n" + rules(keep, rule("dead", more=", tests: {match: [B-12]}"))
    )
    assert fault.code == "E031"
    assert fault.sentence.endswith("rule 'mine' stands before it and decides about what is found")


@pytest.mark.parametrize(
    ("base", "main", "shadows"),
    [
        ("", "mode: shadow\n", ["main", "badges", "rooms"]),
        ("mode: shadow\n", "", ["badges", "rooms"]),
        ("mode: shadow\n", "mode: enforce\n", []),
    ],
)
def test_a_mode_of_a_file_is_that_of_its_rules_and_of_those_it_extends(
    base: str, main: str, shadows: list[str]
) -> None:
    built = family(base=BASE + base, main=f"extends: [./base.yaml]\n{main}" + rules(rule("main")))
    assert [one.id for one in built.policy.rules if one.shadow] == shadows
    assert set(built.policy.wanted(Direction.CLIENT_TO_UPSTREAM)) == {"BADGE", "ROOM"}


def test_shipped_rules_are_extended_by_their_name(tmp_path: Path) -> None:
    (tmp_path / "default").mkdir()
    (tmp_path / "my.yaml").write_text("version: 1\nextends: [pass]\n")
    built = build(str(tmp_path / "my.yaml"), wide())
    assert [file.path.name for file in built.files] == ["my.yaml", "pass.yaml"]
    assert built.policy.name == "my"


def test_contents_stand_in_for_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    path.write_text("version: 2\n")
    built = build(str(path), wide(), {path: b"version: 1\n"})
    assert built.policy.rules == ()
    with pytest.raises(RulesError, match="E002"):
        build(str(path), wide(), {path: b"\xff"})


def test_a_rehearsal_of_rules_that_are_partly_in_shadow_mode_proves_what_would_happen() -> None:
    own = rule("badges", "redact", ", mode: shadow") + ", " + rule("next", "mask", ", tests: {match: [B-12]}")
    for mode in ("", "mode: shadow\n"):
        built = family(main=f"{mode}entities: {{BADGE: {{deny_list: {{values: [B-12]}}}}}}\n" + rules(own))
        assert [one.shadow for one in built.policy.rules] == [True, bool(mode)]
