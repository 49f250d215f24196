"""Lists in files: what they say is looked for or left alone, and what they cannot say is told line by line."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from proxy.core.message import Leaf
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.load import Built, build
from proxy.rulebook.supply import TOLD
from tests.rulebook.files import Wide, wide

MAIN, NAMES = Path("/rules-of-a-test/main.yaml"), Path("/rules-of-a-test/lists/names.txt")
RULES = b"""version: 1
entities: {NAME: {deny_list: {file: lists/names.txt}}}
rules: [{id: a, entities: [NAME], action: replace}]
"""


def made(names: bytes) -> Built[Wide]:
    return build(str(MAIN), wide(), {MAIN: RULES, NAMES: names})


def faults(names: bytes) -> list[Fault]:
    with pytest.raises(RulesError) as caught:
        made(names)
    return list(caught.value.faults)


def found(built: Built[Wide], text: str) -> list[str]:
    (some,) = built.detector.find([Leaf("", text, 0, len(text), 0)], frozenset({"NAME"}), 0.5)
    return [text[one.start : one.end] for one in some]


def test_a_line_is_a_value_but_for_comments_and_empty_lines_and_twice_is_once() -> None:
    built = made("\ufeff# ours\r\n\r\nBlue Heron  \r\n  Zo\u00eb\n# Ann\nblue heron\nZo\u00eb".encode())
    assert found(built, "BLUE HERON, Ann and zo\u00eb") == ["BLUE HERON", "zo\u00eb"]


def test_a_list_is_among_the_files_of_its_rules_and_a_change_of_it_is_one_of_theirs() -> None:
    one, other = made(b"Blue Heron\n"), made(b"Blue Heron\nZephyr\n")
    (file,) = (file for file in one.files if file.path == NAMES)
    assert file.sha256 == sha256(b"Blue Heron\n").hexdigest()
    assert one.policy.digest != other.policy.digest
    assert (found(one, "zephyr"), found(other, "zephyr")) == ([], ["zephyr"])


@pytest.mark.parametrize(
    ("names", "line", "code", "part"),
    [
        (b"# none\n\nBlue Heron\n\nx\nZephyr\n", 5, "E023", "2 characters at least"),
        (b"ab\n" + b"y" * 201, 2, "E023", "200 characters at most"),
        (b"ab\nc\0d", 2, "E023", "no control characters"),
        (b"ab\r\ncd\r\n\xe9t\xe9\r\n", 3, "E002", "not UTF-8 at byte 8"),
    ],
)
def test_a_line_that_is_no_value_is_a_fault_at_its_place(names: bytes, line: int, code: str, part: str) -> None:
    (fault,) = faults(names)
    assert (fault.source, fault.line, fault.column, fault.code) == (str(NAMES), line, 1, code)
    assert part in fault.sentence


def test_of_many_such_lines_some_are_told_and_the_others_counted() -> None:
    told = faults(b"x\n" * (TOLD + 7) + b"Blue Heron\n")
    assert [fault.line for fault in told] == [0, *range(1, TOLD + 1)]
    assert told[0].sentence == "7 more lines are no values either"


def test_a_list_without_values_is_a_fault_of_the_rules() -> None:
    (fault,) = faults(b"# none yet\n\n")
    assert (fault.source, fault.line, fault.code) == (str(MAIN), 2, "E023")
