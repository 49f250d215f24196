"""`hushwire audit ship`: copies on another machine by hand, and how far every sink is."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.audit.around import bar, noting
from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, keys_of
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.sinks.cursor import Lag
    from proxy.audit.sinks.shipper import Shipper

HELP = (
    "Ship the audit log to another machine, or show how far every sink is.\n\n"
    "With a URL it goes on until Ctrl-C, and tries again if the sink is away; with --once it ends when everything "
    "is there.\n\n"
    "URL is one of [bold]postgresql://USER@HOST/DATABASE[/bold], [bold]clickhouse://USER@HOST/DATABASE[/bold] "
    "(clickhouses:// by TLS), [bold]kafka://BROKER,BROKER/TOPIC[/bold]. A URL with a password does not belong on "
    "a command line: write env:NAME or file:PATH of where it stands.\n\n"
    "Only what a signed checkpoint covers is shipped, with its checkpoints: the copy can be verified. What was "
    "shipped before is not shipped again, and what arrives twice is kept once. A proxy ships by itself with "
    "hushwire run --audit-ship URL.\n\n"
    "Exits with 1 if the sink cannot be reached, or a log is not what was signed.\n\n"
    "Examples: [bold]hushwire audit ship --status[/bold], "
    "[bold]hushwire audit ship --once postgresql://audit@db.example.com/audit[/bold]"
)


def ship(
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="Where to; or env:NAME, file:PATH.", show_default=False)
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", metavar=" ", help="End when everything is there, or the sink is not.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", metavar=" ", help="From the beginning: the copy was lost, or is a new one.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", metavar=" ", help="Show how far every sink is, as without a URL.")
    ] = False,
    forget: Annotated[
        str | None, typer.Option("--forget", metavar="NAME", help="Have retention wait for this sink no more.")
    ] = None,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit ship`."""
    directory = audit_of(audit)
    with _shipping():
        if forget is not None:
            _forget(directory, forget, as_json=as_json)
        elif url is None or status:
            _status(directory, as_json=as_json)
        else:
            _ship(directory, url, signing, once=once, again=again, as_json=as_json)


@contextmanager
def _shipping() -> Iterator[None]:
    from proxy.audit.sinks import ShipError
    from proxy.audit.sinks.cursor import CursorError
    from proxy.audit.sinks.place import PlaceError

    try:
        yield
    except PlaceError as error:
        stop(f"URL: {error}", code=2)
    except ShipError as error:
        stop(f"not everything was shipped: {error}", "what arrived is not shipped again next time", code=1)
    except CursorError as error:
        stop(str(error), code=1)
    except OSError as error:
        stop(f"{error.filename or 'the audit'}: {error.strerror}", "are you who runs the proxy?", code=1)


def _ship(directory: Path, url: str, signing: str | None, *, once: bool, again: bool, as_json: bool) -> None:
    """Exit 1 if a log is left out."""
    from proxy.audit.sinks.cursor import alone
    from proxy.audit.sinks.place import open_sink, place
    from proxy.audit.sinks.shipper import Shipper

    at, count = place(url), 0
    with alone(directory, at.name), closing(open_sink(at)) as sink, bar(at.where, "events") as tell:

        def arrived(events: int) -> None:
            nonlocal count
            count += events
            tell(count, count + shipper.left())

        shipper = Shipper(directory, at, sink, arrived)
        if again:
            shipper.again()
        if shipper.new:
            shipper.leaving = lambda events: _note(directory, at.kind, events, signing)
        if not once and not as_json:
            typer.echo(f"shipping to {at.where} until Ctrl-C (--once ends when everything is there)")
        if once:
            while not shipper.once():
                pass
        else:
            _until_interrupted(shipper)
    damaged = shipper.cursor.damaged
    if as_json:
        print(json.dumps({"name": at.name, "where": at.where, "shipped": count, "damaged": damaged}))
    else:
        typer.echo(f"{plural(count, 'event')} shipped to {at.where}")
    if damaged:
        told = [f"{folder} is left out: {why}" for folder, why in sorted(damaged.items())]
        stop(*told, "hushwire audit verify says what happened to it", code=1)


def _note(directory: Path, kind: str, count: int, signing: str | None) -> None:
    """That copies go to another place from now on is itself something to look up: before the first one leaves,
    and not if the place cannot be reached."""
    from proxy.audit import events

    with noting(directory, keys_of(signing, directory)) as desk:
        desk.write(events.Export, form=f"shipped to {kind}", count=count)


def _until_interrupted(shipper: Shipper) -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("hushwire").setLevel(logging.INFO)
    shipper.run(stopped)


def _forget(directory: Path, name: str, *, as_json: bool) -> None:
    from proxy.audit.sinks.cursor import alone, forget, lags

    known = [lag.name for lag in lags(directory)]
    if name not in known:
        stop(f"--forget: there is no sink of this name; known: {', '.join(known) or 'none'}", code=2)
    with alone(directory, name):
        forget(directory, name)
    if as_json:
        print(json.dumps({"forgotten": name}))
    else:
        typer.echo(
            f"{name} is forgotten: retention does not wait for it, and what is shipped there next begins anew"
        )


def _status(directory: Path, *, as_json: bool) -> None:
    from proxy.audit.sinks.cursor import lags

    found = lags(directory)
    if as_json:
        print(json.dumps([lag._asdict() | {"since": round(lag.since * 10**9)} for lag in found], indent=1))
    elif not found:
        typer.echo("nothing is shipped yet; hushwire audit ship --help says how")
    else:
        _show(found)


def _show(found: list[Lag]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("sink", "state", "shipped", "behind", "where", "retention", box=None, pad_edge=False)
    colours = {"even": "green", "behind": "yellow", "failing": "red", "new": "yellow"}
    for column in (2, 3):
        table.columns[column].justify = "right"
    for lag in found:
        behind = f"{lag.events:,} ({_span(lag.seconds)})" if lag.events else "0"
        colour = "red" if lag.problem else colours[lag.state]
        waits = "waits for it" if lag.wanted else "does not wait"
        cells = (lag.name, Text(lag.state, colour), f"{lag.shipped:,}", behind, Text(lag.where), waits)
        table.add_row(*cells)
    Console(highlight=False).print(table)
    for lag in found:
        if lag.problem:
            since = (
                f" since {datetime.fromtimestamp(lag.since).astimezone():%Y-%m-%d %H:%M:%S}" if lag.since else ""
            )
            typer.echo(f"{lag.name} fails{since}: {lag.problem}")
        if lag.missed:
            typer.echo(
                f"{lag.name} lacks {plural(lag.missed, 'event')} that retention removed before they were shipped"
            )


def _span(seconds: float) -> str:
    """In the largest unit that fits."""
    units = ((86400, "d"), (3600, "h"), (60, "min"))
    return next((f"{seconds / size:.0f} {unit}" for size, unit in units if seconds >= size), f"{seconds:.0f} s")
