"""`hushwire rollback`: list the versions of rules that were in force on this machine, and put one of them back.

Its files are written only once they have been built anew and have proven themselves; proxies that watch them
follow. What is kept, and where, is proxy/rulebook/versions.py's matter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.say import AsJson, Ner, stop

if TYPE_CHECKING:
    from proxy.rulebook.live import Rules
    from proxy.rulebook.versions import Version

SHOWN = 12  # digits of a digest that people are shown


def rollback(
    digest: Annotated[
        str | None, typer.Argument(metavar="DIGEST", help="The version to put back; its first digits will do.")
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The rule file that is meant. Without it: all that are known."),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", metavar=" ", help="Only list them, as without a digest.")
    ] = False,
    ner: Ner = "off",
    as_json: AsJson = False,
) -> None:
    """List the versions of rules that were in force, or put one of them back.

    Running proxies notice and follow. Exits with 3 if it cannot go live any more; then nothing is written.
    """
    from proxy.rulebook.versions import Versions, state_directory

    versions = Versions(state_directory())
    kept = versions.all(None if rules is None else Path(rules).absolute())
    if digest is None or listed:
        _list(kept, as_json=as_json)
        return
    main = _meant(kept, digest.lower(), rules)
    changed = _put_back(main, digest, ner)
    if as_json:
        print(json.dumps(changed))
        return
    typer.echo(f"{main} is at version {changed['digest'][:SHOWN]} again")
    if changed["digest"] != changed["wanted"]:
        typer.echo(
            f"(not quite {changed['wanted'][:SHOWN]}: the rules that it extends have changed with Hushwire)"
        )


def _meant(kept: Sequence[Version], digest: str, rules: str | None) -> Path:
    """The rule file that has a version of this digest."""
    if rules is not None:
        return Path(rules).absolute()
    files = sorted({version.main for version in kept if version.digest.startswith(digest)})
    if not files:
        stop("no version is kept whose digest begins with that; hushwire rollback lists them", code=2)
    if len(files) > 1:
        stop("several rule files were at that version; say which one with --rules:", *map(str, files), code=2)
    return files[0]


def _put_back(main: Path, digest: str, ner: str) -> dict[str, str]:
    """Build the version, and write its files. Exits if that does not work."""
    from proxy.building import ground_of
    from proxy.rulebook.disk import ChangedError
    from proxy.rulebook.faults import RulesError
    from proxy.rulebook.live import Rules
    from proxy.rulebook.versions import VersionError, Versions, state_directory
    from proxy.starting import StartError

    versions = Versions(state_directory())
    try:
        wanted = versions.find(digest, main)
        book: Rules[Any] = Rules(wanted.routes, str(main), ground_of(ner), lambda _: None, versions)
        if book.shipped:
            stop("these rules come with Hushwire and are not written", code=2)
        built = book.try_swap(book.rollback(wanted.digest))
    except VersionError as error:
        stop(str(error), code=2)
    except (RulesError, StartError) as error:
        stop(str(error), "that version cannot go live any more, so nothing was written", code=3)
    except ChangedError:
        stop(f"somebody has written {main} just now; look at it, and try again", code=1)
    except OSError as error:
        stop(f"{main} cannot be written: {error.strerror}", code=1)
    return {"file": str(main), "digest": built.policy.digest, "wanted": wanted.digest}


def _list(kept: Sequence[Version], *, as_json: bool) -> None:
    rows = [version.as_json() | {"on_disk": _on_disk(version)} for version in kept]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if not rows:
        typer.echo("no versions are kept yet: hushwire run keeps each one that goes live")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("digest", "went live", "name", "routes", "file", box=None, pad_edge=False)
    for version, row in zip(kept, rows, strict=True):
        when = datetime.fromtimestamp(version.time, UTC).astimezone().isoformat(" ", "seconds")
        mark = " (on disk)" if row["on_disk"] else ""
        table.add_row(
            version.digest[:SHOWN], when, version.name, ", ".join(version.routes), f"{version.main}{mark}"
        )
    Console(soft_wrap=True).print(table)


def _on_disk(version: Version) -> bool:
    """Whether all its files say what they said then."""
    from proxy.rulebook.disk import digest_of

    return all(digest_of(file.path) == file.sha256 for file in version.files)
