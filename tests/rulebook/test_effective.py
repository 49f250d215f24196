"""The rules in effect are one file that says where each piece is from; tests/rulebook/test_laws.py has the law."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.rulebook.document import read, write
from proxy.rulebook.effective import effective
from proxy.rulebook.faults import RulesError

MAIN, BASE = Path("/rules/a/main.yaml"), Path("/rules/b/base.yaml")
CONTENTS = {
    MAIN: b"""version: 1
extends: [../b/base.yaml]
structure: {ignore: [$.id]}
rules:
  - {id: mine, entities: [NAME], action: keep}
""",
    BASE: b"""version: 1
threshold: 0.6
mode: shadow
entities: {NAME: {deny_list: {file: names.txt}}}
allow: [{file: ours.txt, reason: ours}]
rules:
  - {id: names, entities: [NAME], action: {hash: {key: 'file:key'}}, tests: {match: [Zephyr]}}
""",
}
EFFECTIVE = """# /rules/a/main.yaml, /rules/a/../b/base.yaml
version: 1
threshold: 0.6
entities:
  # /rules/a/../b/base.yaml:4
  NAME:
    deny_list:
      file: ../b/names.txt
structure:
  ignore:
    # /rules/a/main.yaml:3
    - $.id
allow:
  # /rules/a/../b/base.yaml:5
  - file: ../b/ours.txt
    reason: ours
rules:
  # /rules/a/main.yaml:5
  - id: mine
    entities:
    - NAME
    action:
      keep: {}
    mode: enforce
  # /rules/a/../b/base.yaml:7
  - id: names
    entities:
    - NAME
    action:
      hash:
        key: file:../b/key
    mode: shadow
"""


def test_every_piece_says_which_file_and_line_it_is_from() -> None:
    contents = CONTENTS | {MAIN.parent / "../b/base.yaml": CONTENTS[BASE]}
    assert effective(str(MAIN), contents) == EFFECTIVE


def test_rules_that_cannot_be_read_have_no_effect() -> None:
    with pytest.raises(RulesError, match="E011"):
        effective(str(MAIN), {MAIN: b"version: 1\nnonsense: 1\n"})


@pytest.mark.parametrize(
    "value", ["NO", "08:15", "2027-03-01", "1e5", "~", "", " x ", "a: b", "#", "*", "\x07\n\u2028", "1.0", "true"]
)
def test_what_is_written_reads_back(value: str) -> None:
    for whole in ({"a": value}, {"a": [value]}, {value or "k": 1.5e-7, "b": None, "c": True}):
        assert read(write(whole), "x").data == whole
