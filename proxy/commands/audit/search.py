"""`hushwire audit search`: the events that fit, newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.given import AsJson, Directory
from proxy.commands.audit.output import json_of

if TYPE_CHECKING:
    from proxy.audit.reading.question import Question
    from proxy.audit.reading.search import Page

HELP = (
    "Search the audit log: which messages were changed or refused, when, on which connection, by which rule.\n\n"
    "Newest first. All filters have to fit; one that is given several times fits any of its values. The log is "
    "indexed first, which takes a while the first time.\n\n"
    "As JSON, an event has at most 100 findings in f; if there are more, f_all counts every sort of them, and "
    "hushwire audit export hands on all.\n\n"
    "Examples: [bold]hushwire audit search --since 2h --entity EMAIL_ADDRESS[/bold], "
    "[bold]hushwire audit search --kind refuse --json[/bold], "
    "[bold]hushwire audit search --mode shadow --since today[/bold]"
)


@asked.filtered
def search(
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")] = 50,
    every: asked.All = False,
    as_json: AsJson = False,
    audit: Directory = None,
    index_file: asked.IndexFile = None,
    utc: asked.Utc = False,
    **given: Any,
) -> None:
    """`hushwire audit search`."""
    from proxy.audit.reading.search import search as found_in

    now = datetime.now(UTC)
    question = asked.question_of(given, now, utc=utc, desks=every)
    with asked.index_of(audit, index_file) as index:
        if given["session"] is not None:
            question = replace(question, session=asked.session_of(index, given["session"]))
        asked.hint(index, question)
        page = found_in(index, question, limit)
        if as_json:
            for hit in page.hits:
                print(json_of(hit.as_json()))
            return
        from proxy.commands.audit.told import console, listed

        terminal = console()
        if page.hits:
            terminal.print(listed(page.hits, now, utc=utc, width=terminal.width))
            terminal.print()
        terminal.print(_end(page, question, index.state().events), style="dim")


def _end(page: Page, question: Question, events: int) -> str:
    """The last line: how many there are, and how to see more."""
    from proxy.audit.reading.search import COUNTED

    if not page.hits:
        if not events:
            return "The log is empty so far."
        return f"None of {events:,} events fits. Fewer filters, or a longer time, find more."
    count = len(page.hits)
    if not page.more:
        return "One event fits." if count == 1 else f"All {count:,} events that fit."
    more = f"more than {COUNTED:,}" if page.more >= COUNTED else f"{page.more:,}"
    more += " other fits" if page.more == 1 else " others fit"
    cure = "--limit shows more of them" if question.given() else "filters narrow them, --limit shows more of them"
    return f"The newest {count:,}; {more} too: {cure}, hushwire audit export hands on all."
