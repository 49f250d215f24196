"""Where answers go: into a pipe whose reader may leave, or into a file that is whole or not there."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn, TextIO

import typer

from proxy.commands.say import stop

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Written whole or not at all; without it stdout."),
]


def json_of(value: object, indent: int | None = None, out: TextIO | None = None) -> str:
    """For `--json`; in ASCII where `out`, by default stdout, can show nothing else."""
    encoding = (sys.stdout if out is None else out).encoding or "ascii"
    return json.dumps(value, indent=indent, ensure_ascii=codecs.lookup(encoding).name != "utf-8")


def nobody_reads() -> NoReturn:
    """The reader of a pipe has gone (head, less): it has what it wanted, and nothing is to be said at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise typer.Exit(0)


def answering(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb that only answers ends quietly with 0 where nobody reads on. Not for those whose exit code judges."""

    @wraps(verb)
    def answered(*args: Any, **given: Any) -> None:
        try:
            verb(*args, **given)
            sys.stdout.flush()  # else it fails when Python ends, where nobody can catch it
        except BrokenPipeError:
            nobody_reads()

    return answered


def interruptible(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb that ends with 130 at Ctrl-C, and says so in a line of its own."""

    @wraps(verb)
    def interrupted(*args: Any, **given: Any) -> None:
        try:
            verb(*args, **given)
        except KeyboardInterrupt:
            typer.echo("\rinterrupted" if sys.stderr.isatty() else "interrupted", err=True)  # over the ^C
            raise typer.Exit(130) from None

    return interrupted


@contextmanager
def whole_file(output: Path) -> Iterator[tuple[BinaryIO, Callable[[], None]]]:
    """A file for its owner only, and what gives it its name when it is whole. Exit 2 if it cannot be made or
    written. What `output` is a link to is replaced, and nothing but a file is: /dev/null stays what it is."""
    if output.is_dir():
        stop(f"--output: {output} is a directory; name a file in it", code=2)
    if output.exists() and not output.is_file():
        stop(f"--output: {output} is no file; leave --output away, and say where stdout goes", code=2)
    whole = output.resolve()
    part = whole.with_name(f".{whole.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:

            def appear() -> None:
                file.flush()
                os.fsync(file.fileno())
                part.replace(whole)

            yield file, appear
    except OSError as error:  # also when it is closed, with what could not be written before
        stop(f"--output: {output} cannot be written ({error.strerror})", code=2)
    finally:
        part.unlink(missing_ok=True)
