"""What verbs about a person share: asking for a value without showing it, and saying what cannot be found.

A value never stands among the arguments of a command, which every process of the machine may read.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.audit.asked import warn
from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.audit.people.epochs import Epoch

Entity = Annotated[
    str | None,
    typer.Option(
        "--entity", metavar="ENTITY", help="What the value is: EMAIL_ADDRESS, PHONE_NUMBER ...", show_default=False
    ),
]
Stdin = Annotated[
    bool, typer.Option("--stdin", metavar=" ", help="Read the value from stdin; on a terminal it is asked for.")
]


def entity_of(name: str | None) -> str:
    """The name of an entity; exit 2 for what cannot be one."""
    if name is None:
        stop("say what the value is: --entity EMAIL_ADDRESS, for example", code=2)
    if not re.fullmatch("[A-Z][A-Z0-9_]*", name):  # not repeated: it may be the value
        stop("--entity: this is no name of an entity; they are written like EMAIL_ADDRESS or PHONE_NUMBER", code=2)
    return name


def value_of(stdin: bool, entity: str) -> str:
    """The value somebody asks for; exit 2 if there is none."""
    if stdin:
        raw = sys.stdin.buffer.read()
    elif sys.stdin.isatty():
        raw = str(typer.prompt(f"{entity} (not shown)", hide_input=True, err=True)).encode(
            errors="surrogateescape"
        )
    else:
        stop("say --stdin and write the value there: among arguments every process could read it", code=2)
    try:
        value = raw.decode().strip("\r\n")
    except UnicodeDecodeError:
        stop("the value is not UTF-8; convert it first", code=2)
    if not value.strip():
        stop("there is no value on stdin", code=2)
    if "\n" in value:
        warn("there are several lines on stdin: they are taken as one value; ask for one at a time")
    return value


def shredded(epochs: list[Epoch]) -> str | None:
    """What cannot be found any more, as a sentence."""
    gone = [str(epoch.number) for epoch in epochs if epoch.key is None]
    if not gone:
        return None
    which = f"epoch {gone[0]} was" if len(gone) == 1 else f"epochs {', '.join(gone)} were"
    return f"The key of {which} destroyed: what was found then cannot be told any more."
