"""`hushwire audit subject`: where and when a person's value occurred. Asking is taken down before the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, keys_of
from proxy.commands.audit.person import (
    Entity,
    Stdin,
    entity_of,
    noting,
    reading,
    shredded,
    together,
    value_of,
    watched,
)
from proxy.commands.say import plural

if TYPE_CHECKING:
    from proxy.audit.keys import Keys
    from proxy.audit.subject import Found

HELP = (
    "Say where and when a person's value occurred: in which sessions, under which rules, what became of it.\n\n"
    "The log holds no values. This makes the value's fingerprint with the keys of this installation and looks for "
    "that, however the value was spelt. It is read from stdin or asked for, never given as an argument; and that "
    "somebody asked is written into the log before the answer is shown.\n\n"
    "Examples: [bold]hushwire audit subject --entity EMAIL_ADDRESS[/bold], "
    "[bold]pass show case-7 | hushwire audit subject --entity PHONE_NUMBER --stdin --json[/bold]"
)
ARROWS = {"up": "→", "down": "←"}
STYLES = {"rewritten": "green", "dropped": "green", "kept": "yellow", "leaked": "bold red"}


def subject(
    entity: Entity = None,
    stdin: Stdin = False,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit subject`."""
    from proxy.audit import events
    from proxy.audit.subject import occurrences

    directory, named = audit_of(audit), entity_of(entity)
    keys = keys_of(signing, made=False)
    fingerprints = keys.fingerprints(value_of(stdin, named), named)
    with reading(directory), watched("looking") as tell, together(directory):
        every = occurrences(directory, fingerprints.values(), tell)
    found = [one for one in every if one.event is not None]
    found.sort(key=lambda one: one.event.t if one.event is not None else 0)
    with noting(directory, keys) as desk:
        desk.write(events.Lookup, entity=named, found=len(found))
    if as_json:
        print(json.dumps(_answer(named, found, keys), indent=1))
    else:
        _show(named, found, keys)


def _answer(entity: str, found: Sequence[Found], keys: Keys) -> dict[str, Any]:
    destroyed = [epoch.number for epoch in keys.all if epoch.key is None]
    return {
        "entity": entity,
        "found": len(found),
        "epochs": [epoch.number for epoch in keys.all if epoch.key is not None],
        "destroyed": destroyed,
        "occurrences": [_row(one) for one in found],
    }


def _row(one: Found) -> dict[str, Any]:
    event, finding = one.event, one.finding
    assert event is not None
    assert finding is not None
    return {
        "log": one.log,
        "seq": event.seq,
        "index": one.row.place,
        "time": datetime.fromtimestamp(event.t / 1e9, UTC).isoformat(timespec="milliseconds"),
        "session": event.sid,
        "route": event.route,
        "direction": event.dir,
        "message": event.n,
        "rule": finding.rule,
        "operator": finding.op,
        "mode": finding.mode,
        "verdict": event.verdict,
        "policy": event.policy,
        "epoch": one.row.epoch,
    }


def _show(entity: str, found: Sequence[Found], keys: Keys) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if found:
        table = Table("time", "session", "", "route", "rule → operator", "verdict", box=None, pad_edge=False)
        for row in map(_row, found):
            when = datetime.fromisoformat(row["time"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            became = f"{row['rule']} → {row['operator']}"
            became += "" if row["mode"] == "enforce" else f" ({row['mode']})"
            style = STYLES.get(row["verdict"], "")
            cells = (when, row["session"], ARROWS[row["direction"]], row["route"], became)
            table.add_row(*map(Text, cells), Text(row["verdict"], style))
        console.print(table)
        console.print()
    console.print(_sum(entity, found), highlight=False, markup=False)
    lost = shredded(keys.all)
    if lost is not None:
        console.print(lost, style="yellow", highlight=False, markup=False)
    console.print("This lookup stands in the log, without the value.", style="dim", highlight=False)


def _sum(entity: str, found: Sequence[Found]) -> str:
    if not found:
        return f"This {entity} does not occur in the log."
    sessions = len({one.event.sid for one in found if one.event is not None})
    times = "once" if len(found) == 1 else f"{len(found):,} times"
    return f"This {entity} occurred {times}, in {plural(sessions, 'session')}."
