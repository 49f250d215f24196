"""`hushwire keys init | rotate | status`: the keys of this installation. Never shows one."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit.around import bar, noting, reading, together
from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, keys_of
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.people.epochs import Epoch
    from proxy.audit.people.keys import Keys

app = typer.Typer(
    name="keys",
    help="The keys of this installation: what signs the audit log, and what makes its fingerprints.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
INIT = (
    "Make the keys that are missing, and print the verifier key.\n\n"
    "A proxy makes them itself when it first needs them; this is for installations where it may not, and to have "
    "the verifier key early. Hand that to whoever audits the log: with it nobody, you included, can rewrite what "
    "was signed without being found out. It is no secret.\n\n"
    "Keep a copy of the folder: without its keys nobody can look up a person, and the log cannot be continued."
)
ROTATE = (
    "Begin a new epoch of fingerprints, and destroy keys of old ones if asked to.\n\n"
    "Running proxies take up the new epoch by themselves. To destroy the key of an epoch shreds all fingerprints "
    "that were made in it: nobody can look up a person there any more, whatever copies of the log exist. The log "
    "stays provable. What a legal hold covers is not destroyed. Copies of the key are yours to destroy.\n\n"
    "Examples: [bold]hushwire keys rotate[/bold], [bold]hushwire keys rotate --destroy 3[/bold], "
    "[bold]hushwire keys rotate --destroy-older-than 1y[/bold]"
)
STATUS = "Say which keys there are, since when, for how many fingerprints, and which could be destroyed."
LATE = 60  # seconds until every running proxy has taken up a new epoch
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


@app.command(help=INIT)
def init(as_json: AsJson = False, audit: Directory = None, signing: SigningKey = None) -> None:
    """`hushwire keys init`."""
    keys = keys_of(signing, _directory(audit))
    if as_json:
        print(json.dumps({"folder": str(_folder(keys)), "vkey": keys.signer.verifier.vkey, "epoch": keys.epoch}))
        return
    typer.echo(f"keys are in {_folder(keys)}; the present epoch is {keys.epoch}")
    typer.echo("for whoever audits the log, the verifier key (no secret):")
    typer.echo(f"  {keys.signer.verifier.vkey}")


@app.command(help=ROTATE)
def rotate(
    destroy: Annotated[
        list[int] | None, typer.Option("--destroy", metavar="N", min=1, help="This epoch's key; repeatable.")
    ] = None,
    older: Annotated[
        str | None,
        typer.Option("--destroy-older-than", metavar="TIME", help="Epochs that ended so long ago: 90d, 12w, 1y."),
    ] = None,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire keys rotate`."""
    from proxy.audit import events
    from proxy.audit.people.epochs import KeysError

    directory = _directory(audit)
    keys, now = keys_of(signing, directory), int(time.time())
    doomed = _doomed(keys.all, destroy or [], _seconds(older), now)
    _unheld(directory, doomed, keys.all, now)
    begun = keys.all[-1].number + 1
    try:
        with noting(directory, keys) as desk:
            if not keys.epochs.begin(begun, now):
                stop("somebody else has just begun a new epoch; hushwire keys status shows it", code=1)
            new = next(epoch for epoch in keys.epochs.read() if epoch.number == begun)
            desk.write(events.KeyRotate, epoch=begun, state="begun", check=new.check)
            for epoch in doomed:  # noted first: a key must not be gone without a word
                desk.write(events.KeyRotate, epoch=epoch.number, state="destroyed")
        for epoch in doomed:
            keys.epochs.destroy(epoch.number, now)
    except KeysError as error:
        stop(str(error), code=1)
    gone = [epoch.number for epoch in doomed]
    if as_json:
        print(json.dumps({"epoch": begun, "destroyed": gone}))
        return
    typer.echo(f"epoch {begun} has begun; running proxies take it up within seconds")
    for number in gone:
        typer.echo(f"the key of epoch {number} is destroyed, and with it all its fingerprints")
    if older is not None and not gone:
        typer.echo(f"no key was destroyed: none is of an epoch that ended more than {older} ago")


@app.command(help=STATUS)
def status(as_json: AsJson = False, audit: Directory = None, signing: SigningKey = None) -> None:
    """`hushwire keys status`."""
    from proxy.audit.layout import audit_directory
    from proxy.audit.people.keys import exposed

    keys = keys_of(signing, made=False)
    directory = audit_directory() if audit is None else audit_of(audit, begun=False)
    counted = _counted(directory) if directory.is_dir() else Counter[int]()
    epochs = [_row(epoch, keys, counted[epoch.number]) for epoch in keys.all]
    rules = _folder(keys) / "rules.key"
    own = signing is None
    told: dict[str, Any] = {
        "folder": str(_folder(keys)),
        "rules_key": rules.exists(),
        "signing_key": f"{keys.signer.verifier.key_id.hex()}",
        "signing_key_from": "this installation" if own else "--audit-key",
        "vkey": keys.signer.verifier.vkey,
        "epochs": epochs,
        "exposed": exposed(_folder(keys)),
    }
    if as_json:
        print(json.dumps(told, indent=1))
    else:
        _show(told)


def _row(epoch: Epoch, keys: Keys, marks: int) -> dict[str, Any]:
    state = "destroyed" if epoch.key is None else "present" if epoch.number == keys.epoch else "kept"
    row = {"epoch": epoch.number, "begun": _iso(epoch.begun), "state": state, "fingerprints": marks}
    return row | ({} if epoch.destroyed is None else {"destroyed": _iso(epoch.destroyed)})


def _show(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from proxy.commands.audit.asked import warn

    for sentence in told["exposed"]:
        warn(sentence)
    typer.echo(f"keys in {told['folder']}")
    typer.echo(
        f"  of rules       {'rules.key' if told['rules_key'] else 'none yet: made when a rule first needs it'}"
    )
    typer.echo(f"  signs the log  {told['signing_key']}, of {told['signing_key_from']}")
    typer.echo(f"  verifier key   {told['vkey']}\n")
    table = Table("epoch", "began", "fingerprints", "key", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    styles = {"present": "green", "destroyed": "dim"}
    for row in told["epochs"]:
        key = row["state"] + (f" {_local(row['destroyed'])}" if "destroyed" in row else "")
        cells = (str(row["epoch"]), _local(row["begun"]), f"{row['fingerprints']:,}", key)
        table.add_row(*cells, style=styles.get(row["state"], ""))
    Console().print(table)
    kept = [row["epoch"] for row in told["epochs"] if row["state"] == "kept"]
    if kept:
        named = " ".join(f"--destroy {number}" for number in kept)
        typer.echo(f"\n{plural(len(kept), 'old key')} could be destroyed, if no hold is on them:")
        typer.echo(f"  hushwire keys rotate {named}")


def _counted(directory: Path) -> Counter[int]:
    """Fingerprints that are left, by epoch."""
    from proxy.audit.layout import logs, segments
    from proxy.audit.marks import rows

    counted: Counter[int] = Counter()
    with reading(directory), bar("counting", "segments") as tell:
        parts = [segment for log in logs(directory) for segment in segments(log)]
        for done, segment in enumerate(parts):
            tell(done, len(parts))
            if (marks := segment.beside("marks")).exists():
                counted.update(row.epoch for row in rows(marks) if not row.gone)
    return counted


def _doomed(every: Sequence[Epoch], named: Sequence[int], older: int | None, now: int) -> list[Epoch]:
    """The epochs whose keys are to be destroyed; exit 2 for one that never was."""
    known = {epoch.number: epoch for epoch in every}
    for number in named:
        if number not in known:
            stop(f"--destroy: there is no epoch {number}; hushwire keys status lists them", code=2)
        if known[number].key is None:
            stop(f"--destroy: the key of epoch {number} was destroyed already", code=2)
    ends = {epoch.number: after.begun for epoch, after in pairwise(every)}
    old = {number for number, end in ends.items() if older is not None and end <= now - older}
    return [epoch for epoch in every if epoch.key is not None and (epoch.number in named or epoch.number in old)]


def _unheld(directory: Path, doomed: Sequence[Epoch], every: Sequence[Epoch], now: int) -> None:
    """Exit 1 if a hold may cover something found in one of these epochs."""
    from proxy.audit.people import held
    from proxy.audit.people.hold import SECOND, HoldError, holds

    ends = {epoch.number: after.begun for epoch, after in pairwise(every)}
    try:
        active = holds(directory) if doomed else []
        if doomed and directory.is_dir():
            with reading(directory), bar("looking", "segments") as tell, together(directory):
                held.check(directory, tell)
    except HoldError as error:
        stop(f"no key was destroyed: {error}", code=1)
    for epoch in doomed:
        last = ends.get(epoch.number, now) + LATE
        for hold in active:
            if hold.spans(epoch.begun * SECOND, last * SECOND):
                stop(f"no key was destroyed: {hold.id} holds what was found in epoch {epoch.number}", code=1)


def _seconds(written: str | None) -> int | None:
    if written is None:
        return None
    match = re.fullmatch(r"(\d{1,5})([dwmy])", written)
    if match is None:
        stop("--destroy-older-than: write days, weeks, months or years, such as 90d, 12w, 6m or 1y", code=2)
    return int(match[1]) * DAYS[match[2]] * 86400


def _directory(audit: str | None) -> Path:
    """Where the log is, or will be."""
    from proxy.audit.layout import audit_directory

    return Path(audit) if audit else audit_directory()


def _folder(keys: Keys) -> Path:
    return keys.epochs.folder.parent


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _local(written: str) -> str:
    return datetime.fromisoformat(written).astimezone().strftime("%Y-%m-%d %H:%M")
