"""`hushwire audit export`: what fits, for other programs. That it was exported is taken down in the log."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.around import bar, notable, noting, reading
from proxy.commands.audit.given import Directory, SigningKey, audit_of, keys_of
from proxy.commands.audit.output import Output, nobody_reads, whole_file
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.people.keys import Keys
    from proxy.audit.reading.export import Export

HELP = (
    "Hand on what the log says: as JSON lines (jsonl), byte for byte as they stand, or with a row for each "
    "finding as CSV or Parquet.\n\n"
    "That somebody exported, and how much, is written into the log: before FILE appears, or when stdout ends. "
    "With --unlogged it is not: for copies of a log, and for those who may only read it.\n\n"
    "Examples: [bold]hushwire audit export --since 7d -o week.jsonl[/bold], "
    "[bold]hushwire audit export --format parquet -o findings.parquet[/bold], "
    "[bold]hushwire audit export --format csv --entity IBAN_CODE | less[/bold]"
)


@asked.filtered
def export(
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="jsonl, csv or parquet.")] = "jsonl",
    output: Output = None,
    unlogged: Annotated[
        bool, typer.Option("--unlogged", metavar=" ", help="Do not take it down in the log.")
    ] = False,
    audit: Directory = None,
    signing: SigningKey = None,
    index_file: asked.IndexFile = None,
    utc: asked.Utc = False,
    **given: Any,
) -> None:
    """`hushwire audit export`."""
    from proxy.audit import events
    from proxy.audit.reading.export import Export

    _check(form, output)
    question = asked.question_of(given, datetime.now(UTC), utc=utc)
    directory = audit_of(audit)
    if given["session"] is not None:
        with asked.index_of(audit, index_file) as index:
            question = replace(question, session=asked.session_of(index, given["session"]))
    exporting = Export(directory, question, form)
    keys = None if unlogged else keys_of(signing, directory)
    if keys is not None:
        notable(directory, keys)
    if output is None:
        _to_stdout(exporting, keys)
        return
    with whole_file(output) as (file, appear):
        _write(exporting, file)
        if keys is not None:
            with noting(directory, keys) as desk:
                desk.write(events.Export, form=form, count=exporting.count)
        appear()
    noun = "event" if form == "jsonl" else "finding"
    typer.echo(f"{output}: {plural(exporting.count, noun)}", err=True)


def _check(form: str, output: Path | None) -> None:
    from importlib.util import find_spec

    from proxy.audit.reading.export import FORMS

    if form not in FORMS:
        stop(f"--format: there is no '{form}'; there are {', '.join(FORMS)}", code=2)
    if form == "parquet" and output is None:
        stop("Parquet is no text: say where to put it with --output FILE", code=2)
    if form == "parquet" and find_spec("pyarrow") is None:
        stop("Parquet needs an extra package: pip install 'hushwire[parquet]'", code=2)


def _to_stdout(exporting: Export, keys: Keys | None) -> None:
    """However it ends, what was handed on is taken down, in a log that was opened before."""
    from proxy.audit import events

    if keys is None:
        _write(exporting, sys.stdout.buffer)
        return
    with noting(exporting.directory, keys) as desk:
        try:
            _write(exporting, sys.stdout.buffer)
        finally:
            desk.write(events.Export, form=exporting.form, count=exporting.count)


def _write(exporting: Export, file: BinaryIO) -> None:
    """With a bar; exit 1 where the log cannot be read, quietly where nobody reads the output any more."""
    alone = file is not sys.stdout.buffer
    with reading(exporting.directory), bar("exporting", "bytes", alone=alone) as tell:
        try:
            exporting.write(file, tell)
            file.flush()
        except BrokenPipeError:
            nobody_reads()
