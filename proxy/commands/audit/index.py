"""`hushwire audit index`: bring the index up to date, make it anew, or keep it up to date."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.given import AsJson, Directory
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.reading.index import Index, State

HELP = (
    "Take into the index what the logs have more than it. Search and its like do so by themselves; this makes the "
    "first question fast too.\n\n"
    "The index is derived from the logs: it may be deleted at any time, and read with any SQLite browser (views "
    "event_list and finding_list).\n\n"
    "Examples: [bold]hushwire audit index[/bold], [bold]hushwire audit index --follow[/bold]"
)
EVERY = 0.5  # seconds between two looks of --follow


def index(
    follow: Annotated[bool, typer.Option("--follow", "-f", metavar=" ", help="Go on until stopped.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", metavar=" ", help="Make it anew.")] = False,
    as_json: AsJson = False,
    audit: Directory = None,
    index_file: asked.IndexFile = None,
) -> None:
    """`hushwire audit index`."""
    from proxy.audit.reading.index import MEMORY

    if index_file == MEMORY:
        stop("--index: in memory it would be gone when this command ends; name a file", code=2)
    began = time.monotonic()
    with asked.index_of(audit, index_file, anew=rebuild, kept=True) as opened:
        state, seconds = opened.state(), time.monotonic() - began
        if as_json:
            print(
                json.dumps({**state._asdict(), "path": str(opened.path), "seconds": round(seconds, 3)}), flush=True
            )
        else:
            _show(opened, state, seconds)
        while follow:
            try:
                time.sleep(EVERY)
                new = asked.caught_up(opened)
            except KeyboardInterrupt:
                return
            if new and as_json:
                print(json.dumps({"new": new, "events": opened.state().events}), flush=True)


def _show(opened: Index, state: State, seconds: float) -> None:
    from proxy.commands.audit.told import console, when

    span = ""
    if state.oldest is not None and state.newest is not None:
        span = f", from {when(state.oldest, utc=False)} to {when(state.newest, utc=False)}"
    held = f"{plural(state.events, 'event')} of {plural(state.sessions, 'session')}{span}"
    size = f"{state.size / (1 << 20):,.1f} MiB, up to date after {seconds:.1f} s"
    console().print(f"{opened.path}: {held} ({size})", soft_wrap=True)
