"""What verbs about a person share: asking for a value without showing it, waiting visibly, and taking it down.

A value never stands among the arguments of a command, which every process of the machine may read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.audit.desk import Desk
    from proxy.audit.epochs import Epoch
    from proxy.audit.keys import Keys

Entity = Annotated[
    str | None,
    typer.Option(
        "--entity", metavar="ENTITY", help="What the value is: EMAIL_ADDRESS, PHONE_NUMBER ...", show_default=False
    ),
]
Stdin = Annotated[
    bool, typer.Option("--stdin", metavar=" ", help="Read the value from stdin; on a terminal it is asked for.")
]
LONG = 1.0  # seconds until a bar is shown


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
    return value


@contextmanager
def watched(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal for what takes longer than a second; yields what to tell about (done, of)."""
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("segments"), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task, began = bar.add_task(what), time.monotonic()

    def tell(done: int, of: int) -> None:
        if time.monotonic() - began > LONG:
            bar.start()
        bar.update(task, completed=done, total=of)

    try:
        yield tell
    finally:
        bar.stop()


@contextmanager
def reading(directory: Path) -> Iterator[None]:
    """Exit 1 where the audit cannot be read."""
    from proxy.audit.blocks import SegmentError

    try:
        yield
    except SegmentError as error:
        stop(f"a segment {error}", f"hushwire audit verify --audit {directory} says what happened to it", code=1)
    except OSError as error:
        stop(f"{error.filename or directory}: {error.strerror}", "are you who runs the proxy?", code=1)


@contextmanager
def noting(directory: Path, keys: Keys) -> Iterator[Desk]:
    """A desk to take something down at; what was written is on the disk afterwards. Exit 1 if it cannot be."""
    from proxy.audit.desk import desk
    from proxy.audit.log import LogError

    try:
        with desk(directory, keys) as opened:
            yield opened
    except LogError as error:
        stop(f"this has to be taken down in the audit first: {error}", code=1)
    except OSError as error:
        stop(f"this has to be taken down in {directory} first, which failed: {error.strerror}", code=1)


def together(directory: Path) -> AbstractContextManager[None]:
    """A turn with others that only read."""
    from proxy.audit.tend import turn

    return turn(directory, alone=False)


def shredded(epochs: list[Epoch]) -> str | None:
    """What cannot be found any more, as a sentence."""
    gone = [str(epoch.number) for epoch in epochs if epoch.key is None]
    if not gone:
        return None
    which = f"epoch {gone[0]} was" if len(gone) == 1 else f"epochs {', '.join(gone)} were"
    return f"The key of {which} destroyed: what was found then cannot be told any more."
