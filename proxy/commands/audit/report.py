"""`hushwire audit report`: what categories of personal data flowed where, for a record of processing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.given import Directory
from proxy.commands.audit.output import Output, json_of, whole_file
from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.audit.reading.question import Question
    from proxy.audit.reading.report import Report

HELP = (
    "Write a record of what the proxy processed: which categories of personal data flowed on which routes and in "
    "which direction, what was done about them under which rules, what was not, and how far that is proven.\n\n"
    "It is meant to be filed: as a part of the records that GDPR Article 30 asks for. It says what the log says, "
    "and what the log cannot know.\n\n"
    "Examples: [bold]hushwire audit report --since 2026-10-01 --until 2026-11-01[/bold], "
    "[bold]hushwire audit report --format markdown -o record.md[/bold]"
)
FORMATS = ("text", "markdown", "json")
WITH = {"since", "until", "route"}


def _filtered(verb: Callable[..., None]) -> Callable[..., None]:
    return asked.filtered(verb, without={field for field, *_ in asked.TABLE} - WITH)


@_filtered
def report(
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="text, markdown or json.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", metavar=" ", help="The same as --format json.")] = False,
    output: Output = None,
    audit: Directory = None,
    index_file: asked.IndexFile = None,
    utc: asked.Utc = False,
    **given: Any,
) -> None:
    """`hushwire audit report`."""
    from proxy.audit.reading.report import report as made

    if form not in FORMATS:
        stop(f"--format: '{form}' is none; there are {', '.join(FORMATS)}", code=2)
    now = datetime.now(UTC)
    question: Question = asked.question_of(given, now, utc=utc)
    with asked.index_of(audit, index_file) as index:
        asked.hint(index, question)
        found = made(index, question)
        directory = index.directory
    form = "json" if as_json else form
    if output is None:
        _write(sys.stdout, found, form, now, directory, utc=utc)
        return
    with whole_file(output) as (file, appear):
        text = TextIOWrapper(file, "utf-8", write_through=True)
        _write(text, found, form, now, directory, utc=utc)
        text.detach()  # else it would close the file
        appear()


def _write(out: TextIO, found: Report, form: str, now: datetime, directory: Path, *, utc: bool) -> None:
    from proxy.commands.audit.record import record
    from proxy.commands.audit.told import lenient

    if form == "json":
        print(json_of(found.as_json(), 1, out), file=out)
        return
    parts = record(found, now, str(directory), utc=utc)
    if form == "markdown":
        lenient()
        print("\n\n".join(map(_markdown, parts)), file=out)
    else:
        _show(parts, out)


def _markdown(part: Any) -> str:
    from proxy.commands.audit.record import Heading, Rows

    if isinstance(part, Heading):
        return f"{'#' * part.level} {part.text}"
    if isinstance(part, Rows):
        rule = ["---:" if part.right(at) else "---" for at in range(len(part.head))]
        return "\n".join(map(_piped, (part.head, rule, *part.rows)))
    return str(part)


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _show(parts: Sequence[Any], out: TextIO) -> None:
    from rich.table import Table
    from rich.text import Text

    from proxy.commands.audit.record import Heading, Rows
    from proxy.commands.audit.told import console

    terminal = console(prose=True)
    terminal.file = out
    for part in parts:
        if isinstance(part, Heading):
            terminal.print(Text(part.text, "bold" if part.level > 1 else "bold underline"))
        elif isinstance(part, Rows):
            table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
            for at, name in enumerate(part.head):
                longest = max((len(row[at]) for row in part.rows), default=0)
                whole = part.right(at) or (at == 0 and longest <= terminal.width // 3)  # hard to read in pieces
                justify: Any = "right" if part.right(at) else "left"
                table.add_column(name, justify=justify, overflow="fold", no_wrap=whole)
            for row in part.rows:
                table.add_row(*map(Text, row))
            terminal.print(table)
        else:
            terminal.print(Text(str(part)))
        if not isinstance(part, Heading):
            terminal.print()
