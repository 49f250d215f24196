"""`hushwire audit tail`: the newest events, and with -f whatever happens, as it happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.given import AsJson, Directory, audit_of
from proxy.commands.audit.output import json_of, nobody_reads
from proxy.commands.say import stop

if TYPE_CHECKING:
    from rich.console import Console

    from proxy.audit import events
    from proxy.audit.reading.question import Question

HELP = (
    "Show the newest events, oldest first, and with -f those that come, of all logs: those that begin later too. "
    "Ends with Ctrl-C.\n\n"
    "Examples: [bold]hushwire audit tail -f[/bold], "
    "[bold]hushwire audit tail -f --verdict dropped --verdict leaked[/bold], "
    "[bold]hushwire audit tail -n 0 -f --json | jq .route[/bold]"
)
EVERY = 0.2  # seconds between two looks
WITHOUT = {"client", "until"}


def _filtered(verb: Callable[..., None]) -> Callable[..., None]:
    return asked.filtered(verb, without=WITHOUT)


@_filtered
def tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", metavar=" ", help="Go on until stopped.")] = False,
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=0, help="How many to begin with.")] = 20,
    every: asked.All = False,
    as_json: AsJson = False,
    audit: Directory = None,
    utc: asked.Utc = False,
    **given: Any,
) -> None:
    """`hushwire audit tail`."""
    from proxy.audit.reading.tail import Tail

    question = asked.question_of(given, datetime.now(UTC), utc=utc, desks=every)
    question = replace(question, session=given["session"])
    directory = audit_of(audit)
    following = Tail(directory, question)
    try:
        with suppress(KeyboardInterrupt) if follow else nullcontext():
            newest = following.last(count)
            _tell(newest, as_json=as_json, utc=utc)
            if not newest and count and not follow:
                _doubt(question)
            while follow:
                time.sleep(EVERY)
                _tell(following.new(), as_json=as_json, utc=utc)
    except BrokenPipeError:
        nobody_reads()
    except OSError as error:
        stop(f"{error.filename or directory}: {error.strerror}", "are you who runs the proxy?", code=1)


def _doubt(question: Question) -> None:
    """Why there may be nothing."""
    if question.given():
        asked.warn("no event fits; hushwire audit search says which names there are")
    else:
        asked.warn("the log is empty so far")


def _tell(found: Sequence[events.Any], *, as_json: bool, utc: bool) -> None:
    if not found:
        return
    if as_json:
        from proxy.audit.reading.hits import of_event

        for event in found:
            print(json_of(of_event(event).as_json()))
    else:
        from proxy.commands.audit.told import console

        terminal = console()
        for event in found:
            _line(terminal, event, utc=utc)
    sys.stdout.flush()


def _line(terminal: Console, event: events.Any, *, utc: bool) -> None:
    """One event, on one line as long as it takes."""
    from rich.text import Text

    from proxy.audit.reading.hits import of_event
    from proxy.commands.audit.told import ARROWS, detail, verdict, when
    from proxy.commands.say import printable

    hit = of_event(event)
    arrow = ARROWS.get(hit.way or "", " ") if hit.kind == "message" else " "
    route = printable(hit.route or ", ".join(hit.routes))
    word = verdict(hit)
    word.pad_right(max(9 - len(word), 0))
    line = Text.assemble(
        (when(hit.t, utc=utc, form="%H:%M:%S.%f")[:-3], "dim"),
        "  ",
        f"{hit.sid or '':16}",
        "  ",
        f"{route:14}",
        " ",
    )
    terminal.print(line + Text(f"{arrow} ") + word + Text("  ") + detail(hit), soft_wrap=True)
