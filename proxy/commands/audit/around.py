"""What stands around the work of verbs: a bar while it takes long, and what is said where a log cannot be read, or
cannot take down what is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.say import stop

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    from proxy.audit.people.keys import Keys
    from proxy.audit.writing.desk import Desk

COUNTS = 44  # cells beside a bar and its name, at most
LONG = 1.0  # seconds until a bar is shown


@contextmanager
def bar(what: str, unit: str, *, alone: bool = True) -> Iterator[Callable[[int, int | None], None]]:
    """A bar for what takes longer than a second, where stderr is a terminal; yields what to tell about (done, of).

    `unit` says what is counted: `bytes` are told as people write them, `events` with their speed. Not `alone` is
    what prints its answers on the same terminal meanwhile: it has no bar.
    """
    from signal import SIG_BLOCK, SIGINT, pthread_sigmask
    from threading import Timer

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    visible = sys.stderr.isatty() and not console.is_dumb_terminal  # Rich would also believe FORCE_COLOR
    room = max(16, console.width - COUNTS)  # of the name, which may be the URL of a sink, and of the bar
    length = min(40, max(8, room - len(what)))
    name = what if len(what) <= room - length else f"{what[: room - length - 1]}…"
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(length),
        *_counts(unit),
        TimeRemainingColumn(),
    )
    shown = Progress(
        *columns,
        console=console,
        transient=True,
        redirect_stdout=False,  # or answers that go into a pipe would be shown on the terminal instead
    )
    task = shown.add_task(name, total=None)
    if not visible or not (alone or not sys.stdout.isatty()):
        yield lambda _done, _of: None
        return

    def begin() -> None:
        pthread_sigmask(SIG_BLOCK, {SIGINT})  # else Ctrl-C may end up here, while who works waits on: 9 of 12 did
        shown.start()

    due = Timer(LONG, begin)  # also where the work waits, for a disk or for somebody else, and tells nothing
    due.daemon = True
    due.start()
    try:
        yield lambda done, of: shown.update(task, completed=done, total=of)
    finally:
        due.cancel()
        due.join()
        shown.stop()


def _counts(unit: str) -> list[ProgressColumn]:
    from rich.progress import DownloadColumn, MofNCompleteColumn, ProgressColumn, TaskProgressColumn, TextColumn

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            from rich.text import Text

            speed = f", {task.speed:,.0f}/s" if task.speed else ""
            return Text(f"{task.completed:,.0f} {unit}{speed}")

    if unit == "bytes":
        return [DownloadColumn()]
    return [TaskProgressColumn(), Speed()] if unit == "events" else [MofNCompleteColumn(), TextColumn(unit)]


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
    """Exit 1 where `noting` is sure to, before long work and before anybody is asked for a value: nobody may write
    there, or the audit was begun with another key."""
    from proxy.audit.writing.log import LogError
    from proxy.audit.writing.opening import publish

    if not os.access(directory, os.W_OK):
        stop(
            f"this has to be taken down in the audit first, and {directory} cannot be written",
            "do it where the proxy runs, or on a copy that you may write to (cp -a), which takes it down too",
            code=1,
        )
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
