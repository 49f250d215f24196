"""`hushwire audit show`: one connection from its opening to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.given import AsJson, Directory
from proxy.commands.audit.output import json_of
from proxy.commands.say import plural, printable, stop

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from proxy.audit.reading.crowds import Sort
    from proxy.audit.reading.hits import Hit
    from proxy.audit.reading.sessions import Timeline

HELP = (
    "Show what happened on a connection: when it was opened and by whom, what was found and done, message by "
    "message, which rules were in force, and how it ended.\n\n"
    "SESSION is RUN-SID as search shows it, the first digits of RUN with -SID, or SID alone if that is unique.\n\n"
    "Examples: [bold]hushwire audit show 1f3a9c22-17[/bold], [bold]hushwire audit show 17[/bold]"
)
DIGITS = 12  # of a digest, as hushwire rollback shows them


def show(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Which one.", show_default=False)],
    as_json: AsJson = False,
    audit: Directory = None,
    index_file: asked.IndexFile = None,
    utc: asked.Utc = False,
) -> None:
    """`hushwire audit show`."""
    from proxy.audit.reading.sessions import timeline

    with asked.index_of(audit, index_file) as index:
        found = timeline(index, asked.session_of(index, session))
    if found is None:
        stop("that session was removed just now: retention", code=1)
    if as_json:
        print(json_of(_object(found), 1))
        return
    from proxy.commands.audit.told import console

    terminal = console()
    _head(terminal, found, utc=utc)
    _lines(terminal, found)
    _foot(terminal, found)


def _object(found: Timeline) -> dict[str, Any]:
    told = found._asdict()
    told["events"] = told.pop("hits")
    return told | {name: [hit.as_json() for hit in told[name]] for name in ("events", "policies")}


def _head(terminal: Console, found: Timeline, *, utc: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from proxy.commands.audit.told import lasting, when

    terminal.print(
        Text.assemble(
            ("session ", "dim"), (found.sid, "bold"), (" on route ", "dim"), (printable(found.route), "bold")
        )
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    form = "%A %Y-%m-%d %H:%M:%S %Z"
    if found.opened is None:
        grid.add_row("opened", "before the oldest event that is left")
    else:
        grid.add_row("opened", when(found.opened, utc=utc, form=form))
    opening = next((hit for hit in found.hits if hit.kind == "session.open"), None)
    for name, key in (("client", "client"), ("let in as", "who"), ("subprotocol", "sub")):
        if opening is not None and opening.more.get(key):
            grid.add_row(name, Text(printable(str(opening.more[key]))))
    if found.ms is not None:
        grid.add_row("lasted", lasting(found.ms))
    if found.policy:
        grid.add_row("rules", f"{printable(found.policy[:DIGITS])} (hushwire rollback lists what they said)")
    terminal.print(grid)
    terminal.print()


def _lines(terminal: Console, found: Timeline) -> None:
    """One line for each event, and one for each sort of finding; changes of the rules where they happened."""
    from rich.table import Table

    from proxy.commands.audit.told import NARROW

    narrow = terminal.width < NARROW
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0))
    table.add_column(justify="right", style="dim", no_wrap=True)
    for _ in range(3):
        table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    begin = found.opened if found.opened is not None else found.hits[0].t
    for hit in sorted((*found.hits, *found.policies), key=lambda one: one.id):
        for row in _rows(hit, (hit.t - begin) / 1e9, narrow=narrow):
            table.add_row(*row)
    terminal.print(table)
    if found.closed is None:
        terminal.print("\nIt has not ended, as far as the log says.", style="dim")


def _rows(hit: Hit, seconds: float, *, narrow: bool) -> Iterator[tuple[Any, ...]]:
    """What a narrow terminal has no room for, sizes and lengths, stands in the JSON."""
    from proxy.commands.audit.told import ARROWS, detail, verdict

    offset = f"{seconds:+.3f} s"
    if hit.kind == "session.open":  # the rest is in the head
        yield offset, "", verdict(hit)
    elif hit.kind == "refuse" and hit.found:
        where = ARROWS.get(hit.way or "", "")
        yield from _treated(hit, printable(hit.cause or ""), where, narrow=narrow, offset=offset)
    elif hit.kind != "message":
        yield (
            offset,
            ARROWS.get(hit.way or "", ""),
            verdict(hit),
            printable(hit.more["first"]) if hit.kind == "session.close" else detail(hit),
        )
    else:
        size = f"{hit.size_in}" if hit.size_in == hit.size_out else f"{hit.size_in} → {hit.size_out}"
        how = [] if narrow else [f"{size} B, {hit.lat_us} us"]
        how += [printable(hit.cause)] if hit.cause else []
        where = f"{ARROWS.get(hit.way or '', '')} {hit.n}"
        yield from _treated(hit, ", ".join(how), where, narrow=narrow, offset=offset)


def _treated(hit: Hit, how: str, where: str, *, narrow: bool, offset: str) -> Iterator[tuple[Any, ...]]:
    """A line for each sort of finding."""
    from rich.text import Text

    from proxy.commands.audit.told import MOST, verdict

    first, *others = [_finding(one, narrow=narrow) for one in hit.sorts[:MOST]] or [(Text(), "")]
    yield offset, where, verdict(hit), first[0], "; ".join(filter(None, (first[1], how)))
    for told, by in others:
        yield "", "", "", told, by
    if len(hit.sorts) > MOST:
        rest = f"and {plural(len(hit.sorts) - MOST, 'other sort')}: --json has them"
        yield "", "", "", Text(rest, "dim"), ""


def _finding(one: Sort, *, narrow: bool) -> tuple[Text, str]:
    """Alike ones together: `EMAIL_ADDRESS→mask`, how many, and who did it."""
    from rich.text import Text

    from proxy.commands.audit.told import MODES, TIMES

    told = Text(printable(one.entity), "bold")
    told.append(f"→{printable(one.operator)}", MODES.get(one.mode, "green"))
    told.append(f" ({one.mode})" if one.mode in MODES else "", MODES.get(one.mode, ""))
    told.append(f" {TIMES}{one.findings:,}" if one.findings > 1 else "")
    by = f"{one.rule}, {one.recognizer} {_span(*(f'{score:.2f}' for score in one.score))}"
    return told, printable(by if narrow else f"{by}, {_span(*map(str, one.length))} chars")


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low}-{high}"


def _foot(terminal: Console, found: Timeline) -> None:
    end = next((hit.more for hit in found.hits if hit.kind == "session.close"), None)
    terminal.print()
    if end is not None:
        sides = []
        for index, way in enumerate(("up", "down")):
            size, count = f"{end['bytes'][index]:,} bytes", end["findings"][index]
            sides.append(f"{way}: {plural(end['messages'][index], 'message')}, {size}, {plural(count, 'finding')}")
        codes = [code if code is not None else "none" for code in end["codes"]]
        sides.append(f"close codes they sent: client {codes[0]}, upstream {codes[1]}")
        terminal.print("\n".join(sides), style="dim")
    noted = sum(hit.kind == "message" for hit in found.hits)
    every = end is not None and noted >= sum(end["messages"])
    rest = "" if every else "; clean ones are only counted, unless its level says more"
    terminal.print(f"{plural(noted, 'message')} in the log{rest}.", style="dim")
