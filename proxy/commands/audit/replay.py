"""`hushwire audit replay`: a conversation as it left, printed, or played once more against a service."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from proxy.commands.audit import asked
from proxy.commands.audit.around import bar, reading
from proxy.commands.audit.given import WHOLE, AsJson, Directory, audit_of
from proxy.commands.audit.output import json_of
from proxy.commands.say import plural, printable, stop

if TYPE_CHECKING:
    from rich.console import Console

    from proxy.audit.events import Message
    from proxy.audit.reading.conversation import Spoken
    from proxy.commands.audit.play import Played

HELP = (
    "Print the conversation of a session as it left, or play the client's side of it once more.\n\n"
    "Both need an audit of level [bold]sanitised[/bold]: it keeps what left, after redaction. That may still hold "
    "what no rule looks for.\n\n"
    "With --to, the messages that went to the service are sent to another one, in their order and after the "
    "answers they came after, and the answers are compared: which differ, are missing, or are new. Answers of a "
    "service that nobody redacts differ wherever something was redacted; put a proxy in between to compare like "
    "with like. Exits with 1 if they differ.\n\n"
    "Examples: [bold]hushwire audit replay 1f3a9c22-17[/bold], "
    "[bold]hushwire audit replay 1f3a9c22-17 --to ws://127.0.0.1:9000 --speed max[/bold]"
)
LEVEL = "start the proxy with --audit-level sanitised to have what leaves kept"


def replay(
    session: Annotated[
        str,
        typer.Argument(metavar="SESSION", help="As search shows it; SID alone if unique.", show_default=False),
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Play it against this service (ws:// or wss://).")
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="N|max", help="With --to: the pauses as they were (1), shorter (2), or none.")
    ] = "1",
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="With --to: how long to wait for an answer.")
    ] = 5.0,
    as_json: AsJson = False,
    audit: Directory = None,
) -> None:
    """`hushwire audit replay`."""
    directory = audit_of(audit)
    factor = _factor(speed)
    if not re.fullmatch(WHOLE, session):
        with asked.index_of(audit, None) as index:
            session = asked.session_of(index, session)
    with reading(directory):
        if to is not None:
            _play(_spoken(directory, session), session, to, factor, patience, as_json=as_json)
        else:
            _print(directory, session, as_json=as_json)


def _spoken(
    directory: Path, session: str, tell: Callable[[int, int | None], None] = lambda _done, _of: None
) -> Iterator[Spoken]:
    from proxy.audit.reading.conversation import size, spoken

    done, whole = 0, size(directory)

    def read(volume: int) -> None:
        nonlocal done
        done += volume
        tell(done, whole)

    return spoken(directory, sid=session, tell=read)


def _factor(speed: str) -> float:
    """What pauses are divided by."""
    if speed == "max":
        return float("inf")
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        stop(f"--speed: '{speed}' is no speed; write 1, another number above 0, or max", code=2)
    return factor


def _none(session: str) -> NoReturn:
    stop(
        f"there is no session {session} in this audit",
        "its whole name is asked for, RUN-SID: hushwire audit search shows it",
        code=2,
    )


# -- printed ------------------------------------------------------------------------------------------------


def _print(directory: Path, session: str, *, as_json: bool) -> None:
    """Exits with 1 if there is a conversation, but nothing of what was said. On a terminal the first line ends the
    bar."""
    from proxy.commands.audit.told import console

    terminal = console()
    counted: Counter[str] = Counter()
    began: int | None = None
    with ExitStack() as shown:
        for one in _spoken(directory, session, shown.enter_context(bar("reading", "bytes"))):
            if sys.stdout.isatty():
                shown.close()
            began = one.event.mono if began is None else began
            seconds = (one.event.mono - began) / 1e9
            if as_json:
                print(json_of(as_object(one, seconds)))
            else:
                _show(one, seconds, terminal)
            counted["events"] += 1
            counted["kept"] += one.payload is not None
            counted[absent(one) or "there"] += 1
    if not counted["events"]:
        _none(session)
    if counted["erased"] and not counted["kept"]:
        stop("all that was said was erased, as somebody asked, or removed by retention", code=1)
    if counted["not kept"] and not counted["kept"]:
        stop("nothing of what was said is kept", LEVEL, code=1)


def absent(one: Spoken) -> str | None:
    """Why there is no payload of a message that left; None if there is one, or nothing left."""
    from proxy.audit.events import Message

    if not isinstance(one.event, Message) or one.payload is not None or one.event.verdict == "dropped":
        return None
    return "erased" if isinstance(one.event.body, str) else "not kept"


def as_object(one: Spoken, seconds: float) -> dict[str, Any]:
    """For `--json`: with the names of the log, and `seconds` since the first event."""
    from proxy.audit.events import Message, Refuse, SessionClose
    from proxy.audit.reading.question import kind_of

    event = one.event
    told: dict[str, Any] = {"log": event.log, "seq": event.seq, "t": event.t, "kind": kind_of(event)}
    told |= {"sid": event.sid, "seconds": round(seconds, 6)}
    if isinstance(event, Message):
        told |= {"dir": event.dir, "n": event.n, "op": event.op, "verdict": event.verdict}
        if one.payload is None:
            return told | {"absent": absent(one) or "dropped"}
        if event.op == "text":
            return told | {"text": one.payload.decode(errors="replace")}
        return told | {"base64": base64.b64encode(one.payload).decode()}
    if isinstance(event, Refuse):
        return told | {"dir": event.dir, "cause": event.cause}
    if isinstance(event, SessionClose):
        return told | {"first": event.first, "codes": event.codes}
    return told | {"route": event.route, "sub": event.sub or None}


def _show(one: Spoken, seconds: float, console: Console) -> None:
    """One event, in a line or two."""
    from rich.text import Text

    from proxy.audit.events import Message, Refuse, SessionClose

    event = one.event
    text = Text(f"{seconds:>10.3f}  ", "dim")
    if isinstance(event, Message):
        text.append(*(("client -->  ", "cyan") if event.dir == "up" else ("<-- service ", "green")))
        text.append(*_said(one))
        if event.f:
            text.append(f"\n{'':24}{_done(event)}", "dim")
    elif isinstance(event, Refuse):
        text.append(f"refused: {event.cause}", "bold red")
    elif isinstance(event, SessionClose):
        text.append(f"closed by {event.first}, after {event.ms / 1000:.3f} s", "bold")
    else:
        sub = f", {event.sub}" if isinstance(event.sub, str) else ""
        when = datetime.fromtimestamp(event.t / 1e9).astimezone().isoformat(" ", "seconds")
        text.append(f"opened {when}, route {event.route}{sub}", "bold")
    console.print(text, soft_wrap=True)


def _said(one: Spoken) -> tuple[str, str]:
    """What left, and in which style."""
    if one.payload is None:
        return f"({absent(one) or 'dropped'})", "dim italic"
    if getattr(one.event, "op", "text") == "binary":
        return f"({plural(len(one.payload), 'byte')}) {one.payload[:32].hex(' ')}", ""
    return printable(one.payload.decode(errors="replace")), ""


def _done(event: Message) -> str:
    """What was done to it, by entity and operator."""
    counted = Counter(f"{one.entity}\N{RIGHTWARDS ARROW}{one.op}" for one in event.f if one.mode == "enforce")
    times = "\N{MULTIPLICATION SIGN}"
    return ", ".join(what if count == 1 else f"{what} {times}{count}" for what, count in counted.items())


# -- played -------------------------------------------------------------------------------------------------


def _play(
    conversation: Iterator[Spoken], session: str, url: str, factor: float, patience: float, *, as_json: bool
) -> None:
    """Exits with 1 if the answers differ, or the service could not be talked to."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from proxy.commands.audit.play import PlayError, play

    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("connecting")
            played = play(
                conversation, url, factor, patience, lambda sent: bar.update(task, description=f"{sent} sent")
            )
    except PlayError as error:
        stop(f"--to {url}: {error}", code=1)
    if not played.events:
        _none(session)
    if not played.sent and played.absent:
        stop("nothing of what was said is kept", LEVEL, code=1)
    if as_json:
        print(json.dumps(played.as_object(), indent=1))
    else:
        _tell(played)
    raise typer.Exit(0 if played.alike else 1)


def _tell(played: Played) -> None:
    for one in played.different:
        typer.echo(str(one))
    answers = f"{played.same} of {plural(played.expected, 'answer')} came as before"
    typer.echo(f"{plural(played.sent, 'message')} sent; {answers}")
    if played.absent:
        typer.echo(f"{plural(played.absent, 'message')} could not be sent: erased, or never kept")
    if played.ended:
        typer.echo(f"the service ended the connection: {played.ended}")
