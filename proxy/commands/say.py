"""What every command says alike: why it stops, and what its options are called."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

Ner = Annotated[str, typer.Option("--ner", metavar="MODEL", help="Language model, as for hushwire run.")]
AsJson = Annotated[bool, typer.Option("--json", metavar=" ", help="JSON instead of text.")]


def stop(*lines: str, code: int) -> NoReturn:
    """Say why on stderr, and exit."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def plural(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """`text` in one line, without anything that a terminal would obey."""
    return "".join(
        one if one.isprintable() else " " if one == "\t" else "\N{REPLACEMENT CHARACTER}" for one in text
    )
