"""What every command says alike: why it stops, and what its options are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

Ner = Annotated[str, typer.Option("--ner", metavar="MODEL", help="Language model, as for hushwire run.")]
AsJson = Annotated[bool, typer.Option("--json", metavar=" ", help="JSON instead of text.")]


def stop(*lines: str, code: int) -> NoReturn:
    """Say why on stderr, and exit."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


@contextmanager
def stopping() -> Iterator[None]:
    """Where rules or a start fail: say why on stderr, faults with their places, and exit."""
    from proxy.commands.tell import show
    from proxy.rulebook.faults import RulesError
    from proxy.starting import StartError

    try:
        yield
    except RulesError as error:
        show(error.faults)
        raise typer.Exit(3) from None
    except StartError as error:
        if not error.faults:
            stop(str(error), code=error.code)
        show(error.faults)
        raise typer.Exit(error.code) from None


@contextmanager
def sound(name: str) -> Iterator[None]:
    """Whatever else breaks while rules are made (somebody's recognizer, no memory) is a fault of these too."""
    from proxy.rulebook.faults import Fault, RulesError

    try:
        yield
    except RulesError:
        raise
    except Exception as error:
        raise RulesError([Fault(name, 0, 0, "E026", f"building stopped with {type(error).__name__}")]) from None


def plural(count: int, noun: str, nouns: str = "") -> str:
    """`1 rule`, `2,000 rules`; `nouns` where an s is not enough."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {nouns or f'{noun}s'}"


def printable(text: str) -> str:
    """`text` in one line, without anything that a terminal would obey."""
    return "".join(
        one if one.isprintable() else " " if one == "\t" else "\N{REPLACEMENT CHARACTER}" for one in text
    )
