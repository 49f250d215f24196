"""`hushwire audit subject`: where and when a person's value occurred. Asking is taken down before the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from proxy.commands.audit.around import bar, notable, noting, reading, together
from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, keys_of
from proxy.commands.audit.person import (
    Entity,
    Prints,
    Region,
    Stdin,
    counted,
    entity_of,
    prints_of,
    region_of,
    shredded,
    told,
    unsure,
    value_of,
)
from proxy.commands.say import plural

if TYPE_CHECKING:
    from rich.table import Table

    from proxy.audit.people.keys import Keys
    from proxy.audit.people.lookup import Occurrence
    from proxy.audit.reading.hits import Hit

HELP = (
    "Say where and when a person's value occurred: in which sessions, under which rules, what became of it.\n\n"
    "The log holds no values. This makes the value's fingerprint with the keys of this installation and looks for "
    "that, however the value was spelt. It is read from stdin or asked for, never given as an argument; and that "
    "somebody asked is written into the log before the answer is shown.\n\n"
    "A telephone number has other fingerprints where it is written without the code of its country, because that "
    "may be another number elsewhere: --region DE looks for what people in Germany mean by it, too, and says what "
    "was found under which spelling.\n\n"
    "Examples: [bold]hushwire audit subject --entity EMAIL_ADDRESS[/bold], "
    "[bold]hushwire audit subject --entity PHONE_NUMBER --region DE[/bold], "
    "[bold]pass show case-7 | hushwire audit subject --entity PHONE_NUMBER --stdin --json[/bold]"
)


def subject(
    entity: Entity = None,
    stdin: Stdin = False,
    region: Region = None,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit subject`."""
    from proxy.audit import events
    from proxy.audit.people.judged import unjudged
    from proxy.audit.people.lookup import look_up

    directory, named = audit_of(audit), entity_of(entity)
    where, keys = region_of(region, named), keys_of(signing, made=False)
    notable(directory, keys)
    prints = prints_of(keys, named, value_of(stdin, named), where)
    with reading(directory), bar("looking", "segments") as tell, together(directory):
        found = look_up(directory, named, prints.keys(), tell)
        lost = unjudged(directory, keys.all, tell)
    with noting(directory, keys) as desk:
        desk.write(events.Lookup, entity=named, found=len(found))
    if not found:
        _doubt(named)
    if as_json:
        print(json.dumps(_answer(named, found, prints, keys) | {"unjudged": lost}, indent=1))
    else:
        _show(named, found, prints, where, keys, lost)
    if lost:
        raise typer.Exit(1)


def _doubt(entity: str) -> None:
    """That a value occurs nowhere is no answer where its entity is misspelt."""
    from proxy.commands.audit.asked import perhaps, warn
    from proxy.detect.engine import Engine

    known = Engine().entities
    if entity not in known:
        near = perhaps(entity, known)
        warn(f"{entity} is no entity that comes along{near or ', so one of your own rules has to find it'}")


def _answer(entity: str, found: Sequence[Occurrence], prints: Prints, keys: Keys) -> dict[str, Any]:
    return {
        "entity": entity,
        "found": len(found),
        "spellings": counted(prints, (one.fingerprint for one in found)),
        "epochs": [epoch.number for epoch in keys.all if epoch.key is not None],
        "destroyed": [epoch.number for epoch in keys.all if epoch.key is None],
        "occurrences": [_row(one, prints) for one in found],
    }


def _row(one: Occurrence, prints: Prints) -> dict[str, Any]:
    """With the names that the log has; `index` is the finding's place in `f`."""
    hit, finding = one.hit, one.finding
    return {
        "log": hit.log,
        "seq": hit.seq,
        "index": one.place,
        "t": hit.t,
        "sid": hit.sid,
        "route": hit.route,
        "dir": hit.way,
        "n": hit.n,
        "rule": finding.rule,
        "op": finding.operator,
        "mode": finding.mode,
        "verdict": _verdict(hit),
        "policy": hit.policy,
        "epoch": one.epoch,
        "spelling": prints[one.fingerprint],
    }


def _verdict(hit: Hit) -> str:
    """A refusal has findings only if it refused their message."""
    return hit.verdict or "refused"


def _show(
    entity: str,
    found: Sequence[Occurrence],
    prints: Prints,
    region: str | None,
    keys: Keys,
    lost: Mapping[int, int],
) -> None:
    from proxy.commands.audit.told import console

    screen = console()
    if found:
        screen.print(_table(found, prints, screen.width, spelt=region is not None))
        screen.print()
    screen.print(_sum(entity, found, whole=not lost))
    if region is not None and found:
        screen.print(f"Of these, {told(counted(prints, (one.fingerprint for one in found)), region)}.")
    for sentence in unsure(lost, keys):
        screen.print(sentence, style="bold red", soft_wrap=True)
    if gone := shredded(keys.all):
        screen.print(gone, style="yellow")
    screen.print("This lookup stands in the log, without the value.", style="dim")


def _table(found: Sequence[Occurrence], prints: Prints, width: int, *, spelt: bool) -> Table:
    """A line for each message and what was done there, however often the value is in it."""
    from rich.table import Table
    from rich.text import Text

    from proxy.commands.audit.told import ARROWS, NARROW, STYLES, TIMES, when

    form = "%m-%d %H:%M:%S" if width < NARROW else "%Y-%m-%d %H:%M:%S"
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1 if width < NARROW else 2, 0, 0))
    for name in ("time", "session", ""):
        table.add_column(name, no_wrap=True)
    for name in ("route", "rule → operator", *(("spelling",) if spelt else ()), "verdict"):
        table.add_column(name, overflow="fold")
    lines: dict[tuple[str | int, ...], list[Occurrence]] = {}
    for one in found:
        dealt = one.finding.rule, one.finding.operator, one.finding.mode
        lines.setdefault((one.hit.log, one.hit.seq, *dealt, prints[one.fingerprint]), []).append(one)
    for alike in lines.values():
        hit, finding, times = alike[0].hit, alike[0].finding, len(alike)
        became = f"{finding.rule} → {finding.operator}"
        became += "" if finding.mode == "enforce" else f" ({finding.mode})"
        became += f" {TIMES}{times:,}" if times > 1 else ""
        cells = (when(hit.t, utc=False, form=form), hit.sid, ARROWS.get(hit.way or "", ""), hit.route, became)
        verdict = Text(_verdict(hit), STYLES.get(_verdict(hit), ""))
        way = (prints[alike[0].fingerprint],) if spelt else ()
        table.add_row(*(Text(cell or "") for cell in cells), *way, verdict)
    return table


def _sum(entity: str, found: Sequence[Occurrence], *, whole: bool) -> str:
    if not found:
        nowhere = f"This {entity} does not occur in the log."
        return nowhere if whole else f"Nobody can tell whether this {entity} occurs in the log."
    sessions = len({one.hit.sid for one in found})
    times = "once" if len(found) == 1 else f"{len(found):,} times"
    return f"This {entity} occurred {times}, in {plural(sessions, 'session')}."
