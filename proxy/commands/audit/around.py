"""What stands around the work of verbs: a bar while it takes long, and what is said where a log cannot be read, or
cannot take down what is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.audit.people.keys import Keys
    from proxy.audit.writing.desk import Desk

LONG = 1.0  # seconds until a bar is shown


@contextmanager
def bar(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal for what takes longer than a second; yields what to tell about (done, of). `unit` says
    what is counted; `bytes` are told as people write them."""
    import time

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    name = TextColumn("{task.description}", markup=False)
    counted: list[ProgressColumn] = (
        [DownloadColumn()] if unit == "bytes" else [MofNCompleteColumn(), TextColumn(unit)]
    )
    columns = name, BarColumn(), *counted, TimeRemainingColumn()
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task, began = shown.add_task(what, total=None), time.monotonic()

    def tell(done: int, of: int) -> None:
        if time.monotonic() - began > LONG:
            shown.start()
        shown.update(task, completed=done, total=of)

    try:
        yield tell
    finally:
        shown.stop()


@contextmanager
def reading(directory: Path) -> Iterator[None]:
    """Exit 1 where the audit cannot be read."""
    from proxy.audit.blocks import SegmentError

    try:
        yield
    except BrokenPipeError:  # of what is printed meanwhile
        raise
    except SegmentError as error:
        stop(f"a segment {error}", f"hushwire audit verify --audit {directory} says what happened to it", code=1)
    except OSError as error:
        stop(f"{error.filename or directory}: {error.strerror}", "are you who runs the proxy?", code=1)


def together(directory: Path) -> AbstractContextManager[None]:
    """A turn with others that only read."""
    from proxy.audit.tend import turn

    return turn(directory, alone=False)


def notable(directory: Path, keys: Keys) -> None:
    """Exit 1 where `noting` is sure to, because the audit was begun with another key: before long work."""
    from proxy.audit.writing.log import LogError
    from proxy.audit.writing.opening import publish

    try:
        publish(directory / "public.key", keys.signer.verifier)
    except LogError as error:
        stop(f"this has to be taken down in the audit first: {error}", code=1)
    except OSError as error:
        stop(f"this has to be taken down in {directory} first, which failed: {error.strerror}", code=1)


@contextmanager
def noting(directory: Path, keys: Keys) -> Iterator[Desk]:
    """A desk to take something down at; what was written is on the disk afterwards. Exit 1 if it cannot be."""
    from proxy.audit.writing.desk import desk
    from proxy.audit.writing.log import LogError

    try:
        with desk(directory, keys) as opened:
            yield opened
    except LogError as error:
        stop(f"this has to be taken down in the audit first: {error}", code=1)
    except OSError as error:
        stop(f"this has to be taken down in {directory} first, which failed: {error.strerror}", code=1)
