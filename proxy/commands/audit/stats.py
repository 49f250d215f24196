"""`hushwire audit stats`: how much was redacted, of what, by which rule, where and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.given import AsJson, Directory
from proxy.commands.audit.output import json_of
from proxy.commands.say import plural, printable, stop

if TYPE_CHECKING:
    from rich.console import Console

    from proxy.audit.reading.stats import Stats

HELP = (
    "Count what was redacted: by entity, rule, route and time, with refusals and sessions beside it.\n\n"
    "Whole quarters of an hour are counted. Findings are those in force; what only would have happened (shadow) "
    "or was let pass by an exception (exempt) is told apart, and so is what a rule closed the connection for "
    "(stopped).\n\n"
    "Examples: [bold]hushwire audit stats --since today[/bold], "
    "[bold]hushwire audit stats --by rule --route support-chat[/bold]"
)
FINDINGS = ("entity", "rule", "operator", "recognizer", "route", "direction", "policy", "verdict", "mode")
TIMES = ("hour", "day")
OTHERS = ("cause", "kind")
BY = (*FINDINGS, *TIMES, *OTHERS)
TOP = 10  # rows of a table; --by shows all
BAR = 30  # cells, where there is room
COUNTS = 26  # cells of the numbers before it, with what is between
STOPPED = "stopped"  # found in a message that a rule closed the connection for: not redacted
HOURS = 72  # longer spans are shown by day
WITHOUT = {"session", "client"}
Counts = Sequence[tuple[str, int]]


def _filtered(verb: Callable[..., None]) -> Callable[..., None]:
    return asked.filtered(verb, without=WITHOUT)


@_filtered
def stats(
    by: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help=f"One table, and all of it: {', '.join(BY)}.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    audit: Directory = None,
    index_file: asked.IndexFile = None,
    utc: asked.Utc = False,
    **given: Any,
) -> None:
    """`hushwire audit stats`."""
    from proxy.audit.reading.stats import Stats

    if by is not None and by not in BY:
        stop(f"--by: there is no '{by}'; there are {', '.join(BY)}", code=2)
    question = asked.question_of(given, datetime.now(UTC), utc=utc)
    with asked.index_of(audit, index_file) as index:
        asked.hint(index, question)
        counts = Stats(index.db, question)
        if as_json:
            told = dict(counted(counts, by, utc=utc, iso=True)) if by else _object(counts, utc=utc)
            print(json_of(told, 1))
        else:
            _show(counts, by, utc=utc)


def counted(counts: Stats, by: str, *, utc: bool, iso: bool = False) -> Counts:
    """Sums by one thing, the largest first, or in order of time; with `iso`, hours say their zone."""
    from proxy.audit.reading.stats import by as summed
    from proxy.audit.reading.stats import by_time

    if by in TIMES:
        times = by_time(counts.over_time(), days=by == "day", zone=UTC if utc else None)
        if iso and by == "hour":
            return [(when.isoformat(timespec="minutes"), count) for when, count in times]
        form = "%Y-%m-%d" if by == "day" else "%Y-%m-%d %H:%M"
        return [(when.strftime(form), count) for when, count in times]
    if by in OTHERS:
        return summed(counts.events(), lambda row: getattr(row, by), lambda row: row.events)
    rows = counts.findings()
    if by == "mode":
        return summed(rows, lambda row: STOPPED if row.stopped else row.mode, lambda row: row.findings)
    rows = [row for row in rows if row.mode == "enforce" and (by == "operator" or not row.stopped)]
    field = {"direction": "way", "operator": "became"}.get(by, by)
    return summed(rows, lambda row: getattr(row, field), lambda row: row.findings)


def _object(counts: Stats, *, utc: bool) -> dict[str, Any]:
    return {
        "since": counts.since,
        "until": counts.until,
        "messages": dict(_messages(counts)),
        "sessions": counts.sessions()._asdict(),
        **{
            by: dict(counted(counts, by, utc=utc, iso=True))
            for by in ("mode", "entity", "rule", "route", "cause", "hour")
        },
    }


def _messages(counts: Stats) -> Counts:
    """By verdict; clean ones are none of the log's at most levels."""
    from proxy.audit.reading.stats import by as summed

    rows = [row for row in counts.events() if row.kind == "message"]
    return summed(rows, lambda row: row.verdict, lambda row: row.events)


# -- for people ---------------------------------------------------------------------------------------------


def _show(counts: Stats, by: str | None, *, utc: bool) -> None:
    from proxy.commands.audit.told import console

    terminal = console()
    if by is not None:
        rows = counted(counts, by, utc=utc)
        _bars(terminal, by, rows, len(rows))
        return
    _totals(terminal, counts, utc=utc)
    for title in ("entity", "rule", "route"):
        _bars(terminal, title, counted(counts, title, utc=utc), TOP)
    hours = counted(counts, "hour", utc=utc)
    time = "hour" if len(hours) <= HOURS else "day"
    _bars(terminal, time, hours if time == "hour" else counted(counts, time, utc=utc), HOURS)
    _bars(terminal, "cause", counted(counts, "cause", utc=utc), TOP, style="red")


def _totals(terminal: Console, counts: Stats, *, utc: bool) -> None:
    from rich.table import Table

    from proxy.commands.audit.told import lasting, when

    modes, messages = dict(counted(counts, "mode", utc=utc)), _messages(counts)
    sessions = counts.sessions()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    span = [when(end, utc=utc, form="%Y-%m-%d %H:%M") if end else "" for end in (counts.since, counts.until)]
    if any(span):
        grid.add_row("time", f"{span[0] or 'the beginning'} to {span[1] or 'now'}")
    told = f"{modes.get('enforce', 0):,} in force"
    told += "".join(f", {modes[mode]:,} {mode}" for mode in ("shadow", "exempt", STOPPED) if mode in modes)
    grid.add_row("findings", told)
    grid.add_row("messages", ", ".join(f"{count:,} {name}" for name, count in messages) or "none")
    about = f"{sessions.opened:,} opened, {sessions.closed:,} ended"
    if sessions.closed:
        mean = lasting(int(sessions.seconds * 1000 / sessions.closed))
        about += f"; on average {mean} and {sessions.messages / sessions.closed:,.1f} messages, clean ones too"
    grid.add_row("sessions", about)
    terminal.print(grid)


def _bars(terminal: Console, title: str, rows: Counts, most: int, style: str = "green") -> None:
    """A table whose bars are as long as the counts are large."""
    from rich.bar import Bar
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    largest, total = max(count for _, count in rows) or 1, sum(count for _, count in rows) or 1
    shown = [(printable(name), count) for name, count in rows[:most]]
    room = terminal.width - COUNTS - max(24, *(len(name) for name, _ in shown))
    width = min(BAR, max(8, room))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(title, overflow="fold", min_width=min(24, terminal.width - COUNTS - width))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("", width=width)
    for name, count in shown:
        share = f"{100 * count / total:.1f}%"
        table.add_row(Text(name), f"{count:,}", share, Bar(largest, 0, count, width=width, color=style))
    terminal.print()
    terminal.print(table)
    if len(rows) > most:
        rest = plural(len(rows) - most, "other")
        terminal.print(f"and {rest}: hushwire audit stats --by {title}", style="dim")
