"""The command line: `hushwire run`, `demo`, `health`. The work is done elsewhere; here it is asked for and told.

Heavy rooms are imported inside the commands, because Presidio alone costs 0.9 s and `--version` must not pay it.
Exit codes: 0 ok, 1 failure at run time or not healthy, 2 usage, 3 rules that cannot be used.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from proxy import __version__, options

if TYPE_CHECKING:
    from proxy.settings import Ready, Settings

# One line per paragraph: the terminal decides where to break.
RUN = (
    "Run the proxy in front of a WebSocket service.\n\n"
    "Clients connect to --listen instead of the service, and everything the two exchange is searched for personal "
    "data, in both directions. SIZE is like 64KiB or 16MiB, TIME like 500ms, 10s or 1h.\n\n"
    "Each option can also be set by an environment variable of its name, such as HUSHWIRE_UPSTREAM or "
    "HUSHWIRE_MAX_MESSAGE.\n\n"
    "Example: [bold]hushwire run --upstream ws://127.0.0.1:9000[/bold]"
)

# Locals in a traceback would print messages.
app = typer.Typer(
    name="hushwire",
    help="A privacy filter for WebSockets: personal data is rewritten before it reaches the other side.",
    epilog="Try [bold]hushwire demo[/bold] first: it needs nothing, and shows what each side gets to see.",
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The console script."""
    app(prog_name="hushwire")


def show_version(wanted: bool) -> None:
    """`--version`, before anything else is looked at."""
    if wanted:
        typer.echo(f"hushwire {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar=" ", callback=show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Options that stand before a command."""


def run(*, as_json: bool, **given: Any) -> None:
    """`hushwire run`; the options are the table in proxy/options."""
    settings = settled(given)
    from proxy.app import StartError, serve
    from proxy.banner import show

    def announce(ready: Ready) -> None:
        if as_json:
            print(json.dumps(event(ready)), flush=True)
        else:
            show(ready, settings)

    try:
        code = serve(settings, announce)
    except StartError as error:
        stop(str(error), code=error.code)
    raise typer.Exit(code)


run.__signature__ = options.signature()  # type: ignore[attr-defined]
app.command(help=RUN)(run)


def event(ready: Ready) -> dict[str, object]:
    """The line of `--json` that says where to connect."""
    return {
        "event": "ready",
        "listen": str(ready.listen),
        "admin": None if ready.admin is None else str(ready.admin),
        "admin_problem": ready.admin_problem,
        "pid": ready.pid,
        "upstream": str(ready.upstream),
        "rules": ready.rules,
        "digest": ready.digest,
        "entities": list(ready.entities),
        "workers": ready.workers,
    }


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", metavar=" ", help="Exit after the transcript, as it does without a terminal.")
    ] = False,
    rules: Annotated[str, typer.Option(metavar="NAME|FILE", help="The rules to show.")] = "default",
) -> None:
    """See it work: a small service, the real proxy in front of it, and what each side gets to see."""
    from proxy.demo import main as play

    raise typer.Exit(play(rules, stay=not once and sys.stdout.isatty()))


@app.command()
def health(
    admin: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", envvar="HUSHWIRE_ADMIN", help="The admin address of the proxy to ask."),
    ] = "127.0.0.1:8081",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait.")] = 3.0,
) -> None:
    """Ask a running proxy whether it is ready: one word, and why not. Exits with 0 or 1."""
    from proxy.health import ask

    healthy, sentence = ask(admin, timeout)
    typer.echo(sentence)
    raise typer.Exit(0 if healthy else 1)


def settled(given: dict[str, Any]) -> Settings:
    """Settings, or every fault on a line of its own and exit 2."""
    from proxy.faults import Unusable, settings_of

    try:
        return settings_of(given, os.environ)
    except Unusable as unusable:
        stop(*map(str, unusable.faults), "hushwire run --help explains every option", code=2)


def stop(*lines: str, code: int) -> NoReturn:
    """Say why, and exit."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)
