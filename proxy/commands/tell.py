"""How faults are told: to people as a compiler does, as JSON, and as annotations of GitHub's.

A line of the file is repeated on a terminal only, for whoever has the file anyway: what goes to a log or a pipe
quotes nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from proxy.commands.say import plural, printable
from proxy.rulebook.family import SHIPPED
from proxy.rulebook.faults import Fault

BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # YAML 1.1 section 5.4, by which PyYAML counts
STYLES = {"error": "bold red", "warning": "bold yellow"}
LEAST = 40  # cells for a line of a file, however narrow the terminal says it is


def severity(fault: Fault) -> str:
    """`error`, or `warning` for what goes live all the same."""
    return "warning" if fault.code.startswith("W") else "error"


def counted(faults: Iterable[Fault]) -> str:
    """`2 errors and 1 warning in 1 file`."""
    every = list(faults)
    kinds = [severity(fault) for fault in every]
    counts = [plural(kinds.count(kind), kind) for kind in STYLES if kind in kinds]
    return f"{' and '.join(counts)} in {plural(len({fault.source for fault in every}), 'file')}"


# -- for people ---------------------------------------------------------------------------------------------


def show(faults: Sequence[Fault], console: Console | None = None) -> None:
    """Print each with its place; on a terminal with the line it stands in, and a caret under what is meant.

    On stderr, unless there is a `console`.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        for fault in faults:
            console.print(str(fault), soft_wrap=True, markup=False, highlight=False)
        return
    lines: dict[str, list[str]] = {}
    for fault in faults:
        if fault.source not in lines:
            lines[fault.source] = _lines(fault.source)
        style = STYLES[severity(fault)]
        place = f"{fault.source}:{fault.line}:{fault.column}" if fault.line else fault.source
        head = (f"{place}: ", "bold"), (f"{severity(fault)}[{fault.code}]", style), f" {fault.sentence}"
        console.print(Text.assemble(*head), soft_wrap=True)
        for line in _excerpt(fault, lines[fault.source], console.width, style):
            console.print(line, soft_wrap=True)


def _lines(source: str) -> list[str]:
    """The lines of a file as it is now; none if it cannot be read any more."""
    for path in (Path(source), SHIPPED / source):
        try:
            return BREAKS.split(path.read_bytes().decode("utf-8-sig", "replace"))
        except (OSError, ValueError):
            continue
    return []


def _excerpt(fault: Fault, lines: Sequence[str], width: int, style: str) -> Iterator[Text]:
    """The line of a fault, and the caret line; or only the cure."""
    cure = Text.assemble(("help: ", "bold cyan"), fault.help) if fault.help else Text()
    if not 1 <= fault.line <= len(lines):
        if fault.help:
            yield Text("  ") + cure
        return
    gutter = f"{fault.line:>6} | "
    before, meant, after = _cropped(lines[fault.line - 1], fault, max(width - len(gutter), LEAST))
    yield Text.assemble((gutter, "blue"), before, (meant, style), after)
    caret = "^" * max(cell_len(meant), 1)
    blank = (" " * (len(gutter) - 2) + "| ", "blue")
    yield Text.assemble(blank, " " * cell_len(before), (caret, style), " ", cure)


def _cropped(line: str, fault: Fault, room: int) -> tuple[str, str, str]:
    """What stands before, at and behind a fault, so that it fits; with nothing that a terminal would obey."""
    start = min(fault.column - 1, len(line))
    end = min(start + max(fault.width, 1), len(line))
    left = max(0, start - room // 3) if len(line) > room else 0
    before, meant = printable(line[left:start]), printable(line[start:end])[: room // 2]
    after = printable(line[end : end + room])
    before = ("..." if left else "") + before.removeprefix(before[: 3 * bool(left)])
    space = room - cell_len(before) - cell_len(meant)
    return before, meant, after if cell_len(after) <= space else after[: max(space - 3, 0)] + "..."


# -- for programs -------------------------------------------------------------------------------------------


def as_object(fault: Fault) -> dict[str, object]:
    """For `--json`."""
    return {
        "code": fault.code,
        "severity": severity(fault),
        "file": fault.source,
        "line": fault.line,
        "column": fault.column,
        "sentence": fault.sentence,
        "help": fault.help,
    }


def annotation(fault: Fault) -> str:
    """A command of GitHub's workflows, which shows a fault beside its line in a pull request."""
    place = {"file": fault.source}
    if fault.line:
        place |= {"line": str(fault.line), "col": str(fault.column)}
        if fault.width:
            place["endColumn"] = str(fault.column + fault.width)
    place["title"] = fault.code
    properties = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in place.items())
    said = f"{fault.sentence}; {fault.help}" if fault.help else fault.sentence
    return f"::{severity(fault)} {properties}::{_escaped(said)}"


def _escaped(text: str, more: str = "") -> str:
    """As @actions/core does: the per cent sign first."""
    for one in f"%\r\n{more}":
        text = text.replace(one, f"%{ord(one):02X}")
    return text
