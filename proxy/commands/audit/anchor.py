"""`hushwire audit anchor`: keep the present checkpoints somewhere else, once. A proxy does so by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit.given import AsJson, Directory, audit_of
from proxy.commands.audit.trust import Key, Roots, believed, key_of
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.checkpoint import Checkpoint, Verifier

HELP = (
    "Keep the newest signed checkpoint of every log somewhere else.\n\n"
    "WHERE is [bold]file:DIR[/bold] (on another volume), [bold]git:DIR[/bold] (a repository; pushed if its branch "
    "has an upstream) or [bold]tsa:URL[/bold] (an authority's time stamp, RFC 3161; its tokens are kept in "
    "DIR/stamps). A proxy does this by itself with hushwire run --audit-anchor WHERE.\n\n"
    "A checkpoint has 300 bytes and tells how many events there are, nothing else. Whoever can write to the log "
    "must not be able to write there.\n\n"
    "Exits with 1 if a checkpoint cannot be kept, with 4 if one is not what was signed.\n\n"
    "Example: [bold]hushwire audit anchor file:/mnt/other/anchors[/bold]"
)


def anchor(
    where: Annotated[
        str, typer.Argument(metavar="WHERE", help="file:DIR, git:DIR or tsa:URL.", show_default=False)
    ],
    roots: Roots = None,
    key: Key = None,
    as_json: AsJson = False,
    audit: Directory = None,
) -> None:
    """`hushwire audit anchor`."""
    from proxy.audit.layout import logs
    from proxy.audit.proof.anchors import AnchorError
    from proxy.audit.proof.anchors import anchor as anchor_of

    directory = audit_of(audit)
    try:
        place = anchor_of(where, directory, roots)
    except AnchorError as error:
        stop(str(error), code=2)
    verifier = believed(directory, key_of(key))
    kept = []
    for folder in logs(directory):
        note = _note(folder)
        if note is not None:
            signed = _opened(folder, note, verifier)
            try:
                place.put(note, signed.log)
            except AnchorError as error:
                stop(str(error), code=1)
            kept.append((folder.name, signed))
    _say(kept, place.name, as_json=as_json)


def _note(folder: Path) -> str | None:
    try:
        return (folder / "checkpoint").read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        stop(f"{folder / 'checkpoint'} cannot be read ({error.strerror})", code=1)


def _opened(folder: Path, note: str, verifier: Verifier) -> Checkpoint:
    from proxy.audit.checkpoint import CheckpointError

    try:
        return verifier.open(note)
    except CheckpointError as error:
        stop(
            f"the checkpoint of {folder.name} is not what was signed: {error}", "see hushwire audit verify", code=4
        )


def _say(kept: list[tuple[str, Any]], where: str, *, as_json: bool) -> None:
    if as_json:
        logs = [{"name": name, "log": one.log, "blocks": one.size, "end": one.seq} for name, one in kept]
        print(json.dumps({"anchor": where, "logs": logs}))
        return
    for name, one in kept:
        print(f"{name} {one.log}: {plural(one.seq, 'event')} in {plural(one.size, 'block')}")
    print(f"kept in {where}" if kept else "there is no checkpoint to keep")
