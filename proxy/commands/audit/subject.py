"""`hushwire audit subject`: where and when a person's value occurred. Asking is taken down before the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from proxy.commands.audit.around import bar, noting, reading, together
from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, keys_of
from proxy.commands.audit.person import Entity, Stdin, entity_of, shredded, value_of
from proxy.commands.say import plural

if TYPE_CHECKING:
    from proxy.audit.people.keys import Keys
    from proxy.audit.people.lookup import Occurrence
    from proxy.audit.reading.hits import Hit

HELP = (
    "Say where and when a person's value occurred: in which sessions, under which rules, what became of it.\n\n"
    "The log holds no values. This makes the value's fingerprint with the keys of this installation and looks for "
    "that, however the value was spelt. It is read from stdin or asked for, never given as an argument; and that "
    "somebody asked is written into the log before the answer is shown.\n\n"
    "Examples: [bold]hushwire audit subject --entity EMAIL_ADDRESS[/bold], "
    "[bold]pass show case-7 | hushwire audit subject --entity PHONE_NUMBER --stdin --json[/bold]"
)


def subject(
    entity: Entity = None,
    stdin: Stdin = False,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit subject`."""
    from proxy.audit import events
    from proxy.audit.people.lookup import look_up

    directory, named = audit_of(audit), entity_of(entity)
    keys = keys_of(signing, made=False)
    fingerprints = keys.fingerprints(value_of(stdin, named), named)
    with reading(directory), bar("looking", "segments") as tell, together(directory):
        found = look_up(directory, named, fingerprints.values(), tell)
    with noting(directory, keys) as desk:
        desk.write(events.Lookup, entity=named, found=len(found))
    if not found:
        _doubt(named)
    if as_json:
        print(json.dumps(_answer(named, found, keys), indent=1))
    else:
        _show(named, found, keys)


def _doubt(entity: str) -> None:
    """That a value occurs nowhere is no answer where its entity is misspelt."""
    from proxy.commands.audit.asked import perhaps, warn
    from proxy.detect.engine import Engine

    known = Engine().entities
    if entity not in known:
        near = perhaps(entity, known)
        warn(f"{entity} is no entity that comes along{near or ', so one of your own rules has to find it'}")


def _answer(entity: str, found: Sequence[Occurrence], keys: Keys) -> dict[str, Any]:
    return {
        "entity": entity,
        "found": len(found),
        "epochs": [epoch.number for epoch in keys.all if epoch.key is not None],
        "destroyed": [epoch.number for epoch in keys.all if epoch.key is None],
        "occurrences": [_row(one) for one in found],
    }


def _row(one: Occurrence) -> dict[str, Any]:
    hit, finding = one.hit, one.finding
    return {
        "log": hit.log,
        "seq": hit.seq,
        "index": one.place,
        "time": datetime.fromtimestamp(hit.t / 1e9, UTC).isoformat(timespec="milliseconds"),
        "session": hit.sid,
        "route": hit.route,
        "direction": hit.way,
        "message": hit.n,
        "rule": finding.rule,
        "operator": finding.operator,
        "mode": finding.mode,
        "verdict": _verdict(hit),
        "policy": hit.policy,
        "epoch": one.epoch,
    }


def _verdict(hit: Hit) -> str:
    """A refusal has findings only if it refused their message."""
    return hit.verdict or "refused"


def _show(entity: str, found: Sequence[Occurrence], keys: Keys) -> None:
    from rich.table import Table
    from rich.text import Text

    from proxy.commands.audit.told import ARROWS, STYLES, console, when

    screen = console()
    if found:
        table = Table("time", "session", "", "route", "rule → operator", "verdict", box=None, pad_edge=False)
        for hit, finding in ((one.hit, one.finding) for one in found):
            became = f"{finding.rule} → {finding.operator}"
            became += "" if finding.mode == "enforce" else f" ({finding.mode})"
            cells = (when(hit.t, utc=False), hit.sid, ARROWS.get(hit.way or "", ""), hit.route, became)
            verdict = Text(_verdict(hit), STYLES.get(_verdict(hit), ""))
            table.add_row(*(Text(cell or "") for cell in cells), verdict)
        screen.print(table)
        screen.print()
    screen.print(_sum(entity, found))
    if lost := shredded(keys.all):
        screen.print(lost, style="yellow")
    screen.print("This lookup stands in the log, without the value.", style="dim")


def _sum(entity: str, found: Sequence[Occurrence]) -> str:
    if not found:
        return f"This {entity} does not occur in the log."
    sessions = len({one.hit.sid for one in found})
    times = "once" if len(found) == 1 else f"{len(found):,} times"
    return f"This {entity} occurred {times}, in {plural(sessions, 'session')}."
