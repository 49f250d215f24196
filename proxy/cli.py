"""The command line: `hushwire run`, `demo`, `explain`, `health`, and what proxy/commands holds.

Heavy rooms are imported inside the commands, because together they cost 0.5 s and `--version` must not pay it.
Exit codes: 0 ok, 1 failure at run time or not healthy, 2 usage, 3 rules that cannot be used.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy import __version__, options
from proxy.commands import audit, check, diff, init, keys, schema, test, trial
from proxy.commands.decrypt import decrypt
from proxy.commands.rollback import rollback
from proxy.commands.say import stop, stopping

if TYPE_CHECKING:
    from proxy.route import Plan
    from proxy.settings import Ready, Served

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


def run(*, config: str | None, as_json: bool, **given: Any) -> None:
    """`hushwire run`; the options are the table in proxy/options."""
    plan = planned(config, given)
    from proxy.app import serve
    from proxy.banner import show

    def announce(ready: Ready) -> None:
        if as_json:
            print(json.dumps(event(ready)), flush=True)
        else:
            show(ready, plan.settings)

    with stopping():
        code = serve(plan, announce)
    raise typer.Exit(code)


run.__signature__ = options.signature()  # type: ignore[attr-defined]
app.command(help=RUN)(run)
app.command(help=init.HELP)(init.init)
app.command(help=check.HELP)(check.check)
app.command(help=test.HELP)(test.test)
app.command("try", help=trial.HELP)(trial.trial)
app.command(help=diff.HELP)(diff.diff)
app.command(help=schema.HELP)(schema.schema)
app.command()(decrypt)
app.add_typer(audit.app)
app.add_typer(keys.app)


def event(ready: Ready) -> dict[str, object]:
    """The line of `--json` that says where to connect."""
    return {
        "event": "ready",
        "listen": str(ready.listen),
        "admin": None if ready.admin is None else str(ready.admin),
        "admin_problem": ready.admin_problem,
        "audit": ready.audit,
        "audit_unfed": list(ready.unfed),
        "audit_unanchored": list(ready.unanchored),
        "pid": ready.pid,
        "workers": ready.workers,
        **({"routes": list(map(served, ready.routes))} if ready.named else served(ready.routes[0])),
    }


def served(route: Served) -> dict[str, object]:
    """What `--json` says about a route."""
    return {
        "route": route.name,
        "match": route.match,
        "upstream": route.upstream,
        "rules": route.rules,
        "digest": route.digest,
        "entities": list(route.entities),
        "mode": "shadow" if route.shadow else "enforce",
        "on_error": route.settings.on_error,
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
def explain(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The message; - reads it from stdin.")] = None,
    file: Annotated[str | None, typer.Option("--json-file", metavar="FILE|-", help="Read it from here.")] = None,
    rules: Annotated[str, typer.Option(metavar="NAME|FILE", help="The rules that decide.")] = "default",
    direction: Annotated[
        str, typer.Option(metavar="WAY", help="client_to_upstream or upstream_to_client.")
    ] = "client_to_upstream",
    ner: Annotated[str, typer.Option(metavar="MODEL", help="Language model, as for hushwire run.")] = "off",
    as_json: Annotated[
        bool, typer.Option("--json", metavar=" ", help="One JSON object instead of a table.")
    ] = False,
) -> None:
    """Say what a message becomes and why: what was found, by whom, which rule decided, what was left and why.

    Prints the message, so it is for your own terminal. Exits with 0 whether or not anything was found.
    """
    payload = message(text, file)
    from proxy.core.message import Direction

    ways = {way.label: way for way in Direction}
    if direction not in ways:
        stop(f"--direction: '{direction}' is not a choice; write {' or '.join(ways)}", code=2)
    from proxy.building import built_of, ground_of
    from proxy.explain import explain
    from proxy.explain_show import as_object, show

    logging.basicConfig(format="%(message)s")
    logging.getLogger("hushwire").setLevel(logging.INFO)  # which says why the first time takes longer
    with stopping():
        built = built_of(rules, ground_of(ner))
    try:
        explanation = explain(payload, built.policy, ways[direction], built.detector)
    except TimeoutError:
        stop(
            f"looking took more than {built.detector.budget:g} seconds; a proxy would refuse this message", code=1
        )
    if as_json:
        print(json.dumps(as_object(explanation), indent=2))
    else:
        show(explanation)


def message(text: str | None, file: str | None) -> bytes:
    """The bytes to explain; exit 2 if there are none, or two."""
    if (text is None) == (file is None):
        stop("say what to explain: hushwire explain TEXT, or --json-file FILE (- is stdin)", code=2)
    if "-" in (text, file):
        return sys.stdin.buffer.read()
    if text is not None:
        return text.encode(errors="surrogateescape")  # what argv holds, bad UTF-8 too
    try:
        return Path(str(file)).read_bytes()
    except OSError as error:
        stop(f"--json-file: cannot read '{file}' ({error.strerror})", code=2)


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


app.command()(rollback)


def planned(config: str | None, given: dict[str, Any]) -> Plan:
    """The routes to serve; or every fault on a line of its own, and exit 2 (options) or 3 (files)."""
    from proxy.faults import Unusable, settings_of
    from proxy.route import only

    try:
        if config is None:
            return only(settings_of(given, os.environ))
        from proxy.config import plan_of, read

        with stopping():
            return plan_of(read(Path(config), os.environ), given, os.environ)
    except Unusable as unusable:
        stop(*map(str, unusable.faults), "hushwire run --help explains every option", code=2)
