"""`hushwire audit VERB`: reading, proving and tending the audit log. One file per verb, registered in here."""

from __future__ import annotations

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
from proxy.commands.audit.output import answering

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


app.command(help=search.HELP)(answering(search.search))
app.command(help=tail.HELP)(tail.tail)
app.command(help=show.HELP)(answering(show.show))
app.command(help=stats.HELP)(answering(stats.stats))
app.command(help=report.HELP)(answering(report.report))
app.command(help=export.HELP)(export.export)
app.command(help=index.HELP)(answering(index.index))
app.command(help=replay.HELP)(replay.replay)
app.command(help=verify.HELP)(verify.verify)
app.command(help=prove.HELP)(prove.prove)
app.command(help=anchor.HELP)(anchor.anchor)
app.command(help=subject.HELP)(answering(subject.subject))
app.command(help=erase.HELP)(erase.erase)
app.add_typer(hold.app)
app.command(help=ship.HELP)(ship.ship)
