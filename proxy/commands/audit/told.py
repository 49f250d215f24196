"""How events look on a terminal: a line of a list for each, and what it says in words. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy.audit.reading.crowds import Sort
from proxy.audit.reading.hits import Hit
from proxy.commands.say import plural, printable

ARROWS = {"up": "→", "down": "←"}
STYLES = {
    "rewritten": "green",
    "dropped": "green",
    "kept": "yellow",
    "clean": "dim",
    "unseen": "yellow",
    "leaked": "bold red",
    "refused": "bold red",
    "opened": "blue",
    "closed": "blue",
    "rules": "magenta",
    "gap": "bold red",
}
WORDS = {
    "refuse": "refused",
    "session.open": "opened",
    "session.close": "closed",
    "policy.apply": "rules",
    "policy.reject": "rules refused",
}
COUNTED = {"csv": "finding", "parquet": "finding"}  # what an export in this form has rows of
TIMES = "\N{MULTIPLICATION SIGN}"
MODES = {"shadow": "yellow", "exempt": "cyan"}
NARROW = 110  # columns below which lists do without what may be missed
ENDLESS = 10_000
MOST = 12  # sorts of findings that are told of one event


def lenient() -> None:
    """An arrow that a terminal of another time cannot show is no error."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


class _Answers(Console):
    def on_broken_pipe(self) -> None:
        """What to do about it is the verb's matter, not Rich's, which exits with 1."""
        raise BrokenPipeError


def console(*, prose: bool = False) -> Console:
    """For answers: as wide as the terminal. Into a pipe or a file go whole lines, for grep; but for `prose`."""
    lenient()
    terminal = _Answers(highlight=False, markup=False, emoji=False)
    if not prose and not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        terminal.width = ENDLESS
    return terminal


def when(t: int, *, utc: bool, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Unix time in nanoseconds, in the zone asked for."""
    return datetime.fromtimestamp(t / 1e9, UTC).astimezone(UTC if utc else None).strftime(form)


def ago(t: int, now: datetime) -> str:
    """`3 min ago`; nothing of times to come, which only a clock that was set makes."""
    seconds = now.timestamp() - t / 1e9
    if seconds < -1:
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "now" if seconds < 1 else f"{seconds:.0f} s ago"


def verdict(hit: Hit) -> Text:
    """What became of it, in one word."""
    word = hit.verdict or WORDS.get(hit.kind, hit.kind)
    return Text(printable(word), STYLES.get(word, ""))


def detail(hit: Hit) -> Text:
    """What else there is to say, on one line."""
    if hit.kind == "message":
        return findings(hit.sorts) + Text(f" ({printable(hit.cause)})" if hit.cause else "", "red")
    if hit.kind == "refuse" and hit.found:
        return findings(hit.sorts) + Text(f" ({_SAID[hit.kind](hit)})", "red")
    return Text(printable(_SAID[hit.kind](hit) if hit.kind in _SAID else ""))


def findings(sorts: Sequence[Sort]) -> Text:
    """`EMAIL_ADDRESS→mask, PHONE_NUMBER→replace`: alike ones together, with their number."""
    told, sums = Text(), Counter[tuple[str, str, str]]()
    for one in sorts:
        sums[one.entity, one.operator, one.mode] += one.findings
    for (entity, operator, mode), count in list(sums.items())[:MOST]:
        told.append(", " if told else "")
        told.append(printable(entity), "bold")
        told.append(f"→{printable(operator)}", MODES.get(mode, ""))
        told.append(f" ({mode})" if mode in MODES else "", MODES.get(mode, ""))
        told.append(f" {TIMES}{count:,}" if count > 1 else "")
    told.append(f" and {plural(len(sums) - MOST, 'other sort')}" if len(sums) > MOST else "")
    return told


def _closed(hit: Hit) -> str:
    up, down = hit.more["messages"]
    return f"{hit.more['first']} after {lasting(hit.more['ms'])}, {up}→ {down}←"


def _opened(hit: Hit) -> str:
    named = {"client": hit.more.get("client"), "who": hit.more.get("who"), "subprotocol": hit.more.get("sub")}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value)


def _started(hit: Hit) -> str:
    more = hit.more
    repaired = f"; {plural(more['repaired'], 'byte')} of a torn line were cut off" if "repaired" in more else ""
    adopted = f"; {plural(more['adopted'], 'event')} taken over unsigned" if "adopted" in more else ""
    return f"{more['who']} {more['version']}, run {more['run']}, level {more['level']}{repaired}{adopted}"


def _counted(noun: str) -> Any:
    return lambda hit: plural(hit.more["count"], noun)


_SAID: dict[str, Any] = {
    "refuse": lambda hit: f"{hit.cause}" + (f"; {hit.more['lost']} messages lost" if "lost" in hit.more else ""),
    "session.open": _opened,
    "session.close": _closed,
    "start": _started,
    "stop": lambda hit: f"run {hit.more['run']}",
    "limit": lambda hit: f"{plural(hit.more['count'], 'handshake')} turned away: {hit.more['reason']}",
    "gap": lambda hit: f"{plural(hit.more['lost'], 'event')} could not be written",
    "policy.apply": lambda hit: f"{hit.more['name']} {str(hit.policy)[:12]} in force ({hit.more['how']})",
    "policy.reject": lambda hit: f"{', '.join(hit.more['codes'])}; those before stay in force",
    "subject.lookup": lambda hit: (
        f"somebody asked about a value of {hit.more['entity']}: {hit.more['found']} found"
    ),
    "erase": lambda hit: f"request {hit.more['request']}: {plural(hit.more['rows'], 'row')} of {hit.more['what']}",
    "hold": lambda hit: f"{hit.more['hold']} {hit.more['state']}: {hit.more['reason']}",
    "key.rotate": lambda hit: f"epoch {hit.more['epoch']} {hit.more['state']}",
    "prune": lambda hit: f"{plural(hit.more['segments'], 'segment')} of {hit.more['pruned']} removed by retention",
    "export": lambda hit: (
        f"{plural(hit.more['count'], COUNTED.get(hit.more['form'], 'event'))} as {hit.more['form']}"
    ),
    "admin": lambda hit: str(hit.more["did"]),
}


def lasting(ms: int) -> str:
    """`412 ms`, `3.2 s`, `4 min 12 s`, `2 h 5 min`."""
    seconds = ms / 1000
    if seconds < 1:
        return f"{ms} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def listed(hits: Sequence[Hit], now: datetime, *, utc: bool, width: int) -> Table:
    """Events one below the other, in columns that fit into `width`: a narrow terminal gets shorter times."""
    narrow = width < NARROW
    form = "%m-%d %H:%M:%S" if narrow and all(_year(hit.t) == now.year for hit in hits) else "%Y-%m-%d %H:%M:%S"
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1 if narrow else 2, 0, 0))
    table.add_column("time" + (" (UTC)" if utc else ""), no_wrap=True)
    if not narrow:
        table.add_column("", style="dim", no_wrap=True, justify="right")
    table.add_column("session", no_wrap=True)
    table.add_column("route", no_wrap=True, overflow="ellipsis", max_width=12 if narrow else 20)
    table.add_column("", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("findings", overflow="fold")
    for hit in hits:
        table.add_row(
            when(hit.t, utc=utc, form=form),
            *(() if narrow else (ago(hit.t, now),)),
            Text(hit.sid or ""),
            Text(printable(hit.route or ", ".join(hit.routes))),
            ARROWS.get(hit.way or "", ""),
            verdict(hit),
            detail(hit),
        )
    return table


def _year(t: int) -> int:
    return datetime.fromtimestamp(t / 1e9, UTC).year
