"""`hushwire audit VERB`: reading, proving and tending the audit log. One file per verb, registered in here."""

from __future__ import annotations

from collections.abc import Callable

import typer

from proxy.commands.audit import (
    anchor,
    erase,
    export,
    hold,
    index,
    prove,
    replay,
    report,
    search,
    ship,
    show,
    stats,
    subject,
    tail,
    verify,
)
from proxy.commands.audit.output import answering, interruptible

EXAMPLES = (
    "Examples: [bold]hushwire audit tail -f[/bold], "
    "[bold]hushwire audit stats --since today[/bold], "
    "[bold]hushwire audit verify[/bold]"
)

app = typer.Typer(
    name="audit",
    help="Look things up in the audit log, prove that nobody has changed it, and tend it.",
    no_args_is_help=True,
    epilog=EXAMPLES,
    rich_markup_mode="rich",
)


@app.callback()
def audit() -> None:
    """Verbs stand behind it, be there one or many."""


def _add(text: str, verb: Callable[..., None]) -> None:
    app.command(help=text)(interruptible(verb))


_add(search.HELP, answering(search.search))
_add(tail.HELP, tail.tail)
_add(show.HELP, answering(show.show))
_add(stats.HELP, answering(stats.stats))
_add(report.HELP, answering(report.report))
_add(export.HELP, export.export)
_add(index.HELP, answering(index.index))
_add(replay.HELP, answering(replay.replay))
_add(verify.HELP, verify.verify)
_add(prove.HELP, prove.prove)
_add(anchor.HELP, anchor.anchor)
_add(subject.HELP, answering(subject.subject))
_add(erase.HELP, erase.erase)
app.add_typer(hold.app)
_add(ship.HELP, ship.ship)
