"""`hushwire audit hold place | release | list`: what must neither be pruned nor erased."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.audit.around import bar, noting, reading, together
from proxy.commands.audit.asked import hint, index_of
from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, full_name, keys_of
from proxy.commands.say import plural, printable, stop

if TYPE_CHECKING:
    from proxy.audit.people.hold import Hold

app = typer.Typer(
    name="hold",
    help="Legal holds: while one is in force, nothing it covers is pruned or erased, and no key of it destroyed.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
PLACE = (
    "Place a hold on the events of a time, a session or a route; without any, on everything.\n\n"
    "The reason is shown to whoever wants to erase, and stays in the log for ever: a case number, no name.\n\n"
    "Examples: [bold]hushwire audit hold place --reason 'case 7' --from 2026-11-01 --to 2026-11-30[/bold], "
    "[bold]hushwire audit hold place --reason 'case 8' --session 1f3a9c22-17[/bold]"
)
RELEASE = "Release a hold. What it covered may be pruned and erased again, by the next proxy or command that does."
LIST = "List the holds in force, and with --all those that were released."
LONGEST = 200  # characters of a reason
DAY = 86400


@app.command(help=PLACE)
def place(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a line.")],
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="2026-11-01, or 2026-11-01T12:00 (local).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="A day is meant to its end.")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="RUN-SID", help="Only this one.")] = None,
    route: Annotated[str | None, typer.Option("--route", metavar="NAME", help="Only this one.")] = None,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit hold place`."""
    from proxy.audit import events
    from proxy.audit.people import hold as holds

    directory, why = audit_of(audit), " ".join(printable(reason).split())
    if not 0 < len(why) <= LONGEST:
        stop(f"--reason: write a line of up to {LONGEST} characters", code=2)
    first, last = _time(begin, "--from"), _time(end, "--to", whole=True)
    if first is not None and last is not None and first > last:
        stop("--from is behind --to", code=2)
    if session is not None:
        full_name(session)
    if route is not None:
        _doubt(directory, route)
    keys = keys_of(signing, directory)
    with _holding():
        made = holds.place(directory, why, int(time.time()), begin=first, end=last, session=session, route=route)
    try:  # in force first: a hold that could not be noted holds all the same
        with noting(directory, keys) as desk:
            desk.write(events.Hold, hold=made.id, state="placed", reason=why, covers=made.scope)
    except typer.Exit as failed:
        stop(
            f"{made.id} is in force all the same; hushwire audit hold release {made.id} ends it",
            code=failed.exit_code,
        )
    if as_json:
        print(json.dumps(_row(made), indent=1))
    else:
        typer.echo(f"{made.id} is in force and covers {_covered(made)}")


def _doubt(directory: Path, route: str) -> None:
    """A route that is misspelt would hold nothing. It is held all the same: its first event may be to come."""
    from proxy.audit.reading.question import Question

    with index_of(str(directory), None) as index:
        hint(index, Question(route=(route,)))


@app.command(help=RELEASE)
def release(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="As hold list shows it.", show_default=False)],
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit hold release`."""
    from proxy.audit import events
    from proxy.audit.people import hold as holds

    directory = audit_of(audit)
    keys = keys_of(signing, directory)
    with _holding():
        meant = holds.one(directory, hold)
        with noting(directory, keys) as desk:
            desk.write(events.Hold, hold=meant.id, state="released", reason=meant.reason)
        holds.release(directory, meant.id, int(time.time()))
    if as_json:
        print(json.dumps({"hold": meant.id, "state": "released"}))
    else:
        typer.echo(f"{meant.id} is released")


@app.command("list", help=LIST)
def list_(
    every: Annotated[bool, typer.Option("--all", metavar=" ", help="Released ones too.")] = False,
    as_json: AsJson = False,
    audit: Directory = None,
) -> None:
    """`hushwire audit hold list`."""
    from proxy.audit.people import held
    from proxy.audit.people import hold as holds

    directory = audit_of(audit)
    with _holding(), reading(directory), bar("looking", "segments") as tell, together(directory):
        known = holds.every(directory) if every else holds.holds(directory)
        lost = list(held.lost(directory, tell))
    if as_json:
        print(json.dumps(list(map(_row, known)), indent=1))
    elif known:
        _show(known)
    elif not lost:
        typer.echo("no hold is in force")
    if lost:
        stop(*lost, f"restore {directory / holds.FILE}, or place it again", code=1)


def _show(known: list[Hold]) -> None:
    from rich.table import Table
    from rich.text import Text

    from proxy.commands.audit.told import console

    table = Table("hold", "placed", "covers", "reason", box=None, pad_edge=False)
    for hold in known:
        ended = "" if hold.released is None else f" (released {_local(hold.released)})"
        style = "dim" if ended else ""
        cells = (hold.id, _local(hold.placed), _covered(hold), hold.reason + ended)
        table.add_row(*(Text(cell, style) for cell in cells))
    console(prose=True).print(table)
    typer.echo(f"\n{plural(sum(hold.released is None for hold in known), 'hold')} in force")


def _covered(hold: Hold) -> str:
    words = [f"session {hold.session}"] if hold.session else []
    words += [f"route {hold.route}"] if hold.route else []
    words += [f"from {_local(hold.begin)}"] if hold.begin is not None else []
    words += [f"to {_local(hold.end)}"] if hold.end is not None else []
    return " ".join(words) or "everything"


def _row(hold: Hold) -> dict[str, object]:
    """With the names that the log has; times are Unix time in nanoseconds, as everywhere in it."""
    times = {"placed": hold.placed, "from": hold.begin, "to": hold.end, "released": hold.released}
    written = {name: time * 10**9 for name, time in times.items() if time is not None}
    named = {"sid": hold.session, "route": hold.route}
    told = {name: value for name, value in named.items() if value is not None}
    return {"hold": hold.id, "reason": hold.reason, **told, **written}


def _local(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _time(written: str | None, option: str, *, whole: bool = False) -> int | None:
    """Unix time; the last second of a day that is meant as a `whole`."""
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written).astimezone()
    except (ValueError, OverflowError):
        stop(f"{option}: '{printable(written)}' is no time; write 2026-11-01 or 2026-11-01T12:00", code=2)
    day = whole and len(written) <= len("2026-11-01")
    return int(moment.timestamp()) + (DAY - 1 if day else 0)


@contextmanager
def _holding() -> Iterator[None]:
    from proxy.audit.people.hold import HoldError

    try:
        yield
    except HoldError as error:
        stop(str(error), code=1)
