"""Faults as a compiler tells them: on a terminal with the line and a caret, elsewhere without a word of a file."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from proxy.commands.tell import annotation, as_object, counted, show
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.load import build
from tests.rules import ground

FILE = """\
version: 1
rules:
  - id: emails
    entities: [EMAIL_ADDRESS]
    action: {mask: {}}
    treshold: 0.6
"""


def shown(faults: tuple[Fault, ...], *, terminal: bool = True, width: int = 80) -> list[str]:
    out = io.StringIO()
    show(faults, Console(file=out, force_terminal=terminal, color_system=None, width=width))
    return out.getvalue().splitlines()


def faults(path: Path, text: str) -> tuple[Fault, ...]:
    path.write_bytes(text.encode())
    with pytest.raises(RulesError) as caught:
        build(str(path), ground())
    return caught.value.faults


def test_a_fault_reads_as_a_compiler_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    assert shown(faults(path, FILE)) == [
        f"{path}:6:5: error[E011] unknown key 'treshold'",
        "     6 |     treshold: 0.6",
        "       |     ^^^^^^^^ help: known are action, description, direction, entities, except, id, mode, tests",
    ]


def test_what_is_not_a_terminal_gets_nothing_of_the_file(tmp_path: Path) -> None:
    text = "version: 1\nname: [bob@secret.example]\ntreshold: 1 # bob@secret.example\n"
    told = faults(tmp_path / "a.yaml", text)
    assert "secret" in "".join(shown(told))
    assert [line.partition(": ")[2] for line in shown(told, terminal=False)] == [
        "error[E012] must be a text; put it in quotes",
        "error[E011] unknown key 'treshold'; did you mean 'threshold'?",
    ]


@pytest.mark.parametrize(
    "name",
    ["treshold", '"treshold"', "'treshold'", "tresh\N{LATIN SMALL LETTER O WITH DIAERESIS}ld", "漢字"],
)
@pytest.mark.parametrize("before", ["", "a: 漢字, ", "\t", "x" * 300])
@pytest.mark.parametrize("after", ["", " # behind", "y" * 300])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_the_caret_stands_under_what_is_meant(
    tmp_path: Path, name: str, before: str, after: str, ends: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(f"one{ends}{before}{name}{after}{ends}".encode())
    fault = Fault(str(path), 2, len(before) + 1, "E011", "x", "y", len(name))
    _, line, carets = shown((fault,))
    start, end = carets.index("^"), carets.rindex("^") + 1
    assert line.isprintable()
    assert cell_len(line) <= 80
    at = next(i for i in range(len(line)) if cell_len(line[:i]) == start)
    assert line[at:].startswith(name)
    assert cell_len(name) == end - start


def test_a_place_that_is_not_there_any_more_still_gets_its_cure() -> None:
    assert shown((Fault("gone.yaml", 3, 1, "E011", "wrong", "mend"), Fault("gone.yaml", 0, 0, "E001", "bad"))) == [
        "gone.yaml:3:1: error[E011] wrong",
        "  help: mend",
        "gone.yaml: error[E001] bad",
    ]


def test_a_line_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("\x1b[2Jbad\x9b1m\u202e: 1\n")
    assert all(line.isprintable() for line in shown((Fault(str(path), 1, 1, "E011", "x"),)))


def test_faults_are_counted_by_their_kind() -> None:
    error, warning, other = (
        Fault("a", 1, 1, "E011", "x"),
        Fault("a", 1, 1, "W001", "x"),
        Fault("b", 1, 1, "E011", "x"),
    )
    assert counted([error]) == "1 error in 1 file"
    assert counted([error, other, warning]) == "2 errors and 1 warning in 2 files"


def test_annotations_are_escaped_as_github_reads_them() -> None:
    fault = Fault("a,b:c%.yaml", 3, 5, "E011", "50% is\nwrong, here: x", "mend", 4)
    assert annotation(fault) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,endColumn=9,title=E011::50%25 is%0Awrong, here: x; mend"
    )
    assert annotation(Fault("a", 0, 0, "W001", "old")) == "::warning file=a,title=W001::old"


def test_json_has_every_part() -> None:
    assert as_object(Fault("a.yaml", 3, 5, "W002", "late", "move", 4)) == {
        "code": "W002",
        "severity": "warning",
        "file": "a.yaml",
        "line": 3,
        "column": 5,
        "sentence": "late",
        "help": "move",
    }
