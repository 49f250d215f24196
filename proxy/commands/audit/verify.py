"""`hushwire audit verify`: is the log what was signed and anchored, and where is it not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit.given import AsJson, Directory, audit_of
from proxy.commands.audit.trust import Anchors, Key, OneLog, Roots, anchors_of, claimed, key_of, one_of, watched
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.proof.verify import Audit
    from proxy.audit.verdict import Head, Report

HELP = (
    "Prove that nobody has changed the audit log, or say where it was.\n\n"
    "Every block is hashed again, and the tree over all of them compared with the checkpoints that were signed. "
    "A checkpoint in the directory proves that the log fits itself. That it was not made anew by somebody who has "
    "the directory and the key, only anchors prove: name them with --anchor, and give the key with --key from "
    "where you keep it.\n\n"
    "Exits with 0 if the log is whole, with 4 if it was tampered with, with 5 if it was damaged by a crash; "
    "--repair mends that, and still exits with 5.\n\n"
    "Examples: [bold]hushwire audit verify[/bold], "
    "[bold]hushwire audit verify --key auditor.key --anchor file:/mnt/other/anchors[/bold]"
)


def verify(
    key: Key = None,
    anchor: Anchors = None,
    roots: Roots = None,
    log: OneLog = "",
    repair: Annotated[
        bool, typer.Option("--repair", metavar=" ", help="Mend what a crash has left: torn lines, derived files.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="Read so many segments at once, each in a process of its own; without, one for each core. "
            "A small log is read by one.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    audit: Directory = None,
) -> None:
    """`hushwire audit verify`."""
    from proxy.audit.layout import logs
    from proxy.audit.proof.anchors import AnchorError
    from proxy.audit.proof.crew import CrewError, cores, crew
    from proxy.audit.proof.verify import verify
    from proxy.audit.verdict import EXIT

    directory, given = audit_of(audit, begun=False), key_of(key)
    anchors = anchors_of(directory, anchor or [], roots)
    folders = logs(directory)
    if not folders and not anchors and not (directory / "public.key").exists():
        stop(f"there is no audit log in {directory}", "name its directory with --audit DIR", code=2)
    only = one_of(directory, log) if log else None
    looked_at = [only] if only else folders
    begun = time.perf_counter()
    try:
        with watched("verifying", claimed(looked_at)) as tell, crew(looked_at, jobs or cores()) as ahead:
            found = verify(directory, given, anchors, tell, only, ahead)
        mended = _mend(directory, found, given) if repair else []
    except AnchorError as error:
        stop(str(error), code=1)
    except CrewError as error:
        stop(str(error), "try again, or with --jobs 1; if it was killed, was there too little memory?", code=1)
    except OSError as error:
        stop(f"{error.filename or directory} cannot be read ({error.strerror})", code=1)
    took = time.perf_counter() - begun
    if as_json:
        print(json.dumps(_as_object(found, directory, mended, given=given is not None), indent=2))
    else:
        _show(found, directory, mended, took, given=given is not None, anchored=bool(anchors))
    raise typer.Exit(EXIT[found.verdict])


def _mend(directory: Path, found: Audit, given: Any) -> list[str]:
    """What was repaired. Nothing of a log that was tampered with."""
    from proxy.audit.blocks import SegmentError
    from proxy.audit.checkpoint import CheckpointError
    from proxy.audit.proof.repair import BusyError, repair
    from proxy.audit.snapshot import StateError
    from proxy.commands.audit.trust import believed

    done = []
    for report in found.logs:
        if report.damages and not report.faults:
            try:
                mended = repair(directory / report.name, report.damages, believed(directory, given))
            except (BusyError, CheckpointError, StateError, SegmentError) as error:
                stop(f"{report.name}: {error}", code=1)
            done += [f"{report.name}: {one}" for one in mended]
    return done


# -- how it is told -----------------------------------------------------------------------------------------


def _as_object(found: Audit, directory: Path, mended: list[str], *, given: bool) -> dict[str, Any]:
    return {
        "audit": str(directory),
        "verdict": found.verdict,
        "key": "given" if given else "public.key",
        "faults": [_fault(fault) for fault in found.faults],
        "logs": [_log(report) for report in found.logs],
        "repaired": mended,
    }


def _log(report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "log": report.log,
        "verdict": report.verdict,
        "live": report.live,
        "segments": report.segments,
        "blocks": report.blocks,
        "first": report.first,
        "end": report.events,
        "anchored": _head(report.anchored),
        "signed": _head(report.signed),
        "right": report.right,
        "unsigned": report.unsigned,
        "faults": [_fault(fault) for fault in report.faults],
        "damages": [damage.says for damage in report.damages],
        "remarks": report.remarks,
    }


def _head(head: Head | None) -> dict[str, Any] | None:
    if head is None:
        return None
    return {"end": head.point.seq, "blocks": head.point.size, "by": head.by, "t": head.when * 10**9}


def _fault(fault: Any) -> dict[str, Any]:
    return {"look": fault.look, "first": fault.first, "last": fault.last, "says": fault.says}


STYLES = {"whole": "green", "tampered": "bold red", "damaged": "yellow"}
WORDS = {"whole": "whole", "tampered": "TAMPERED WITH", "damaged": "damaged by a crash"}


def _show(found: Audit, directory: Path, mended: list[str], took: float, *, given: bool, anchored: bool) -> None:
    from rich.panel import Panel
    from rich.text import Text

    from proxy.commands.audit.told import console

    terminal = console(prose=True)
    for report in found.logs:
        title = Text.assemble(
            (report.name, "bold"), f" {report.log} ", (WORDS[report.verdict], STYLES[report.verdict])
        )
        terminal.print(
            Panel(_body(report, anchored=anchored), title=title, title_align="left", border_style="dim")
        )
    for fault in found.faults:
        terminal.print(Text.assemble(("✗ ", "bold red"), fault.says))
    for done in mended:
        terminal.print(Text.assemble(("+ ", "green"), done))
    events = sum(report.events - report.first for report in found.logs)
    speed = f" in {took:.1f} s ({events / took:,.0f} events/s)" if took > 0.5 else ""
    verdict = (WORDS[found.verdict], STYLES[found.verdict])
    terminal.print(Text.assemble(verdict, f": {plural(len(found.logs), 'log')}, {events:,} events{speed}"))
    if not given:
        terminal.print(
            f"The key was the one in {directory}. An auditor gives one that was kept elsewhere: --key", style="dim"
        )


def _body(report: Report, *, anchored: bool) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    size = f"{plural(report.segments, 'segment')}, {report.blocks - report.start:,} blocks"
    there = _range(report.first, report.events) + (", being written to" if report.live else "")
    table.add_row("events", there, Text(size, "dim"))
    if report.first:
        table.add_row("pruned", _range(0, report.first), Text("by retention", "dim"))
    if anchored or report.anchored:
        table.add_row("anchored", *_covered(report.anchored))
    table.add_row("signed", *(_covered(report.signed) if report.right is None else _right(report)))
    if not report.faults:
        tail = Text(f"{report.unsigned:,} events", "" if report.unsigned else "dim")
        table.add_row("not signed", tail, Text("the newest; only looked at" if report.unsigned else "", "dim"))
    found = [Text.assemble(("✗ ", "bold red"), (fault.says, "red")) for fault in report.faults]
    found += [Text.assemble(("! ", "bold yellow"), (damage.says, "yellow")) for damage in report.damages]
    found += [Text.assemble(("? ", "bold blue"), remark) for remark in report.remarks]
    return Group(table, *found)


def _range(first: int, end: int) -> str:
    return f"{first:,} to {end - 1:,}" if end > first else "none"


def _right(report: Report) -> tuple[Any, Any]:
    """Up to where the log is what was signed, though no checkpoint ends there."""
    from rich.text import Text

    upto = f"up to {report.right - 1:,}" if report.right and report.right > report.first else "nothing"
    return Text(upto, "yellow"), Text("is still what the checkpoint covers", "dim")


def _covered(head: Head | None) -> tuple[Any, Any]:
    from rich.text import Text

    if head is None:
        return Text("none", "yellow"), ""
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(head.when))
    return f"up to {head.point.seq - 1:,}" if head.point.seq else "none yet", Text(f"{head.by}, {when}", "dim")
