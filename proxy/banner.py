"""What `hushwire run` says when it is up: what is protected, where to connect, how to try it, what to mind.

Plain ASCII and no boxes, so that it reads the same in a terminal, in a log and without colour.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy import __version__
from proxy.health import EVERYWHERE
from proxy.settings import Address, Ready, Served, Settings


def show(ready: Ready, settings: Settings) -> None:
    """Print the banner on stderr; stdout is for machines."""
    console = Console(stderr=True, highlight=False)
    console.print()
    console.print(Text.assemble(("hushwire ", "bold"), (__version__, "bold"), " is up"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows(ready, settings):
        table.add_row(f"  {label}", text)
    for warning in warnings(ready, settings):
        table.add_row(Text("  warning", "bold yellow"), warning)
    console.print(table)
    console.print()
    line = f"{python()} -m websockets {client_url(ready, settings)}"
    console.print(Text.assemble("  Try it:  ", (line, "bold cyan")), soft_wrap=True)
    if console.is_terminal:
        console.print("  Stop it: Ctrl-C", style="dim")
    console.print()


def rows(ready: Ready, settings: Settings) -> Iterator[tuple[str, Text]]:
    """Label and text of each line."""
    yield "clients", Text(client_url(ready, settings), "bold")
    for route in ready.routes:
        if ready.named:
            yield "route", Text.assemble((route.name, "bold"), f": {route.match}")
        yield "service", Text(route.upstream)
        yield "removes", Text("nothing: mode shadow", "bold yellow") if route.shadow else removes(route.entities)
        yield "rules", Text(f"{route.rules}, digest {route.digest[:12]}")
    if ready.audit is not None:
        about = f"level {settings.audit_level}" + (f", kept {days(settings)}" if settings.audit_keep else "")
        yield "audit", Text.assemble(ready.audit, (f" ({about})", "dim"))
    if ready.workers > 1:
        yield "workers", Text(str(ready.workers))
    if ready.admin is not None:
        admin = f"http://{reachable(ready.admin)}"
        yield "health", Text(f"{admin}/-/ready")
        yield "metrics", Text(f"{admin}/-/metrics" + (" (bearer token)" if settings.admin_token else ""))


def days(settings: Settings) -> str:
    """How long events are kept, in words."""
    return f"{settings.audit_keep / 86400:g} days"


def removes(entities: Iterable[str]) -> Text:
    """What is protected, in words: CREDIT_CARD is a credit card."""
    names = ", ".join(entity.replace("_", " ").lower() for entity in entities)
    if not names:
        return Text("nothing", "bold yellow")
    return Text.assemble((names, "green"), ", in both directions")


def warnings(ready: Ready, settings: Settings) -> Iterator[str]:
    """What somebody who just started it may not know."""
    for route in ready.routes:
        for warning in route_warnings(route):
            yield f"route {route.name}: {warning}" if ready.named else warning
    if ready.audit is None:
        yield "no audit: nobody can tell later what left, what was removed, and by which rule (--audit off)"
    for sink in ready.unfed:
        yield (
            f"nothing of the audit is removed before it is at {sink}, where this proxy does not ship; add that to "
            f"--audit-ship, or end the waiting: hushwire audit ship --forget {sink}"
        )
    yield from ready.unanchored
    if ready.admin_problem is not None:
        yield f"no health and no metrics: {ready.admin_problem}; choose another port with --admin"
    if not ready.listen.loopback and settings.tls_cert is None:
        yield "other machines can connect, without TLS; add --tls-cert, or put a TLS front before it"


def route_warnings(route: Served) -> Iterator[str]:
    """What may leak on this route."""
    if not route.entities and not route.shadow:
        yield f"the rules '{route.rules}' change nothing: every message passes as it is"
    if route.shadow:
        yield "everything passes as it is; what would be changed is only counted (mode: shadow)"
    if route.settings.binary == "pass":
        yield "binary messages are forwarded unseen (--binary pass)"
    if route.settings.on_error == "pass":
        yield "a message that cannot be inspected is forwarded as it is, personal data and all (on_error: pass)"


def client_url(ready: Ready, settings: Settings) -> str:
    """What to type into a client on this machine."""
    return f"{'wss' if settings.tls_cert else 'ws'}://{reachable(ready.listen)}/"


def reachable(address: Address) -> Address:
    """An address to connect to: `all interfaces` can be listened on, but not dialled."""
    return address._replace(host=EVERYWHERE.get(address.host, address.host))


def python() -> str:
    """How another terminal here calls this interpreter: its virtual environment is not active there."""
    program = Path(sys.executable)
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)
