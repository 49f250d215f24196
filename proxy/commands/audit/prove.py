"""`hushwire audit prove`: that one event is in the log that was signed, for somebody who has only the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.audit.given import AsJson, Directory, audit_of
from proxy.commands.audit.trust import Key, OneLog, believed, claimed, key_of, one_of, watched
from proxy.commands.say import stop

HELP = (
    "Prove that one event is in the log, without giving the log away.\n\n"
    "Prints JSON: the event with those that were written in the same moment, its path in the tree, and the "
    "signed checkpoint. Whoever has the verifier key checks it with --check FILE, or without Hushwire: "
    "python tools/verify_audit.py --proof FILE --key VKEY.\n\n"
    "Exits with 1 if there is no proof (the event is pruned, or not signed yet), with 4 if a proof is none.\n\n"
    "Examples: [bold]hushwire audit prove 48210 > proof.json[/bold], "
    "[bold]hushwire audit prove --check proof.json --key auditor.key[/bold]"
)


def prove(
    seq: Annotated[
        int | None, typer.Argument(metavar="SEQ", min=0, help="The event, as show tells it.", show_default=False)
    ] = None,
    check: Annotated[Path | None, typer.Option("--check", metavar="FILE", help="Check a proof instead.")] = None,
    log: OneLog = "",
    key: Key = None,
    as_json: AsJson = False,
    audit: Directory = None,
) -> None:
    """`hushwire audit prove`."""
    if (seq is None) == (check is None):
        stop("say which event: hushwire audit prove SEQ; or which proof: --check FILE", code=2)
    if check is not None:
        _check(check, key, audit, as_json=as_json)
    elif seq is not None:
        _prove(seq, log, key, audit)


def _prove(seq: int, log: str, key: str | None, audit: str | None) -> None:
    from proxy.audit.blocks import SegmentError
    from proxy.audit.proof.prove import ProofError, prove

    directory = audit_of(audit)
    if not log:
        _one_has(directory, seq)
    folder = one_of(directory, log)
    verifier = believed(directory, key_of(key))
    try:
        with watched("proving", claimed([folder], "blocks"), "blocks") as tell:
            proof = prove(folder, seq, verifier, tell)
    except ProofError as error:
        stop(f"{folder.name}: {error}", code=1)
    except SegmentError as error:
        stop(f"{folder.name} cannot be read: {error}", "hushwire audit verify says more", code=1)
    except OSError as error:
        stop(f"{error.filename or folder} cannot be read ({error.strerror})", code=1)
    print(json.dumps(proof, indent=2))


def _one_has(directory: Path, seq: int) -> None:
    """Exit 2 if there are several logs: each counts its events from 0."""
    from proxy.audit.layout import logs

    folders = logs(directory)
    if len(folders) < 2:
        return
    having = [folder.name for folder in folders if (claimed([folder]) or 0) > seq]
    stop(
        f"event {seq} is in {', '.join(having)}" if having else f"event {seq} is in none of {len(folders)} logs",
        "say which is meant: --log log-0, for example; hushwire audit search --json has the log's id beside seq",
        code=2,
    )


def _check(path: Path, key: str | None, audit: str | None, *, as_json: bool) -> None:
    from proxy.audit.proof.prove import ProofError, check

    verifier = key_of(key) or believed(audit_of(audit), None)
    try:
        proven = check(path.read_bytes(), verifier)
    except OSError as error:
        stop(f"--check: {path} cannot be read ({error.strerror})", code=2)
    except ProofError as error:
        if as_json:
            print(json.dumps({"proven": False, "why": str(error)}))
            raise typer.Exit(4) from None
        stop(f"not proven: {error}", code=4)
    event, signed = json.loads(proven.line), proven.checkpoint
    if as_json:
        print(json.dumps({"proven": True, "event": event, "signed": signed.time * 10**9}))
        return
    from rich.text import Text

    from proxy.commands.audit.told import console

    terminal = console(prose=True)
    said = f" event {event['seq']} of log {signed.log} is among the {signed.seq:,} that were signed"
    terminal.print(Text.assemble(("proven:", "bold green"), said))
    terminal.print_json(data=event)
    if key is None:
        terminal.print(
            "The key was the one in the audit directory; give one that was kept elsewhere: --key", style="dim"
        )
