"""`hushwire try`: lines in, and what leaves of them out, one by one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.say import AsJson, Ner, printable, stop, stopping

if TYPE_CHECKING:
    from proxy.commands.treat import Treated
    from proxy.core.action import Done

HELP = (
    "Show what leaves of messages: each line of stdin is one, of one connection.\n\n"
    "What leaves is written to stdout, as soon as it is known, and what was found in it to stderr. A line that is "
    "dropped or refused leaves nothing; after a refusal the next line is the first of another connection.\n\n"
    "Examples: [bold]hushwire try[/bold] and type, "
    "[bold]tail -f messages.log | hushwire try --rules rules/chat.yaml > clean.log[/bold]"
)


def trial(
    rules: Annotated[str, typer.Option(metavar="NAME|FILE", help="The rules that decide.")] = "default",
    direction: Annotated[
        str, typer.Option(metavar="WAY", help="client_to_upstream or upstream_to_client.")
    ] = "client_to_upstream",
    as_json: AsJson = False,
    ner: Ner = "off",
) -> None:
    """`hushwire try`."""
    from proxy.core.message import Direction

    ways = {way.label: way for way in Direction}
    if direction not in ways:
        stop(f"--direction: '{direction}' is not a choice; write {' or '.join(ways)}", code=2)
    from proxy.building import built_of, ground_of
    from proxy.commands.treat import Connection

    with stopping():
        built = built_of(rules, ground_of(ner))
    connection = Connection(built.policy, built.detector)
    if sys.stdin.isatty() and not as_json:
        typer.echo(f"rules {built.policy.name}, {direction}; type a message, and end with Ctrl-D", err=True)
    for line in sys.stdin.buffer:
        payload = line.rstrip(b"\r\n")
        treated = connection.treat(ways[direction], payload)
        if as_json:
            print(json.dumps(as_object(treated)), flush=True)
            continue
        if treated.sent is not None:
            typer.echo(printable(treated.sent.decode()) if sys.stdout.isatty() else treated.sent)
        if note := said(treated):
            typer.secho(f"  {note}", err=True, dim=True)


def said(treated: Treated) -> str:
    """A note of what was done, without any value; empty if there is nothing to say."""
    parts = [*_done(treated.done)]
    if treated.close is not None:
        assert treated.cause is not None  # they come together
        parts.append(f"closes with {treated.close.code} {treated.close.reason} ({treated.cause.value})")
    elif treated.sent is None:
        parts.append("the message is dropped")
    return "; ".join(parts)


def _done(done: Iterable[Done]) -> list[str]:
    how = {"shadow": "would {} (shadow)", "exempt": "exempt"}
    told = [f"{one.entity}: {one.rule} {how.get(one.mode, '{}').format(one.operator)}" for one in done]
    return list(dict.fromkeys(told))


def as_object(treated: Treated) -> dict[str, Any]:
    """For `--json`: with the message, as it leaves."""
    close = treated.close
    return {
        "verdict": treated.verdict,
        "sent": None if treated.sent is None else treated.sent.decode(errors="replace"),
        "cause": None if treated.cause is None else treated.cause.value,
        "close": None if close is None else {"code": close.code, "reason": close.reason},
        "findings": [
            {
                "entity": one.entity,
                "rule": one.rule,
                "operator": one.operator,
                "mode": one.mode,
                "recognizer": one.recognizer,
                "length": one.length,
                "score": one.score,
            }
            for one in treated.done
        ],
    }
