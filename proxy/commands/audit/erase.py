"""`hushwire audit erase`: a person's fingerprints, or all of a session, become zeros. The log stays provable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from proxy.commands.audit.around import bar, notable, noting, reading, together
from proxy.commands.audit.given import AsJson, Directory, SigningKey, audit_of, full_name, keys_of
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
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.people.erase import Chosen, Named
    from proxy.audit.people.keys import Keys
    from proxy.audit.people.subject import Tell

HELP = (
    "Erase what the log could tell about a person's value, or about a session.\n\n"
    "Fingerprints become zeros, in every log and also while a proxy writes; at level sanitised, what left of "
    "these messages does too. Events stay, which hold no values, and the log stays provable: an event names the "
    "places that were erased, and the request that asked for it, before anything is. What a legal hold covers is "
    "not erased. If this is interrupted, do it again.\n\n"
    "With --region a telephone number is erased under every spelling that people of that country have for it, as "
    "hushwire audit subject --region finds it: look there first.\n\n"
    "Examples: [bold]hushwire audit erase --entity EMAIL_ADDRESS --request DSR-2026-114[/bold], "
    "[bold]hushwire audit erase --session 1f3a9c22-17 --request DSR-2026-115[/bold]"
)
REQUEST = re.compile(r"[\w.:/#-]{1,64}", re.ASCII)


def erase(
    entity: Entity = None,
    stdin: Stdin = False,
    region: Region = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="RUN-SID", help="All of this session instead of a value.")
    ] = None,
    request: Annotated[
        str | None,
        typer.Option("--request", metavar="ID", help="Who asked: a case number. It stays in the log for ever."),
    ] = None,
    as_json: AsJson = False,
    audit: Directory = None,
    signing: SigningKey = None,
) -> None:
    """`hushwire audit erase`."""
    from proxy.audit.people.judged import unjudged

    directory, asked = audit_of(audit), _request(request)
    if (session is None) == (entity is None):
        stop("say what to erase: --entity ENTITY for a value, or --session RUN-SID", code=2)
    if session is not None and region is not None:
        stop("--region: it is for a telephone number, not for a session", code=2)
    what: _Session | _Subject
    if session is not None:
        keys, what = keys_of(signing, directory), _Session(directory, session)
    else:
        named = entity_of(entity)
        where, keys = region_of(region, named), keys_of(signing, made=False)
        notable(directory, keys)
        what = _Subject(directory, prints_of(keys, named, value_of(stdin, named), where), where)
    lost: dict[int, int] = {}
    with bar("looking", "segments") as tell:
        chosen = _carried_out(directory, keys, asked, what, tell)
        if session is None:
            with reading(directory), together(directory):
                lost = unjudged(directory, keys.all, tell)
    _tell(chosen, asked, what, as_json, lost, None if session is not None else shredded(keys.all))
    for sentence in unsure(lost, keys):
        typer.echo(sentence, err=True)
    if lost:
        raise typer.Exit(1)


class _Subject:
    """A value, by its fingerprints; `region` is the country whose spellings they are of."""

    what: Literal["subject", "session"] = "subject"

    def __init__(self, directory: Path, prints: Prints, region: str | None) -> None:
        self.directory, self.prints, self.region = directory, prints, region

    def choose(self, tell: Tell) -> Chosen:
        from proxy.audit.people.erase import of_subject

        return of_subject(self.directory, self.prints.keys(), tell)

    def counted(self, chosen: Chosen) -> dict[str, int]:
        """By spelling."""
        return counted(self.prints, (one.row.fingerprint for one in chosen.rows))


class _Session:
    """A connection."""

    what: Literal["subject", "session"] = "session"

    def __init__(self, directory: Path, sid: str) -> None:
        self.directory, self.sid = directory, full_name(sid)

    def choose(self, tell: Tell) -> Chosen:
        from proxy.audit.people.erase import of_session

        return of_session(self.directory, self.sid, tell)


def _carried_out(directory: Path, keys: Keys, request: str, what: _Subject | _Session, tell: Tell) -> Chosen:
    """Exits with 1 if a hold covers some of it, or it cannot be done."""
    from proxy.audit import events
    from proxy.audit.people.erase import HeldError
    from proxy.audit.people.erase import erase as carry_out
    from proxy.audit.people.hold import HoldError

    def record(parts: Iterable[Named]) -> None:
        with noting(directory, keys) as desk:
            for rows in parts:
                desk.write(events.Erase, request=request, what=what.what, rows=rows)

    try:
        with reading(directory):
            return carry_out(directory, lambda: what.choose(tell), record)
    except HeldError as error:
        held = [f"  {hold.id}: {hold.reason}" for hold in error.holds]
        stop("nothing was erased: a legal hold covers some of it", *held, code=1)
    except HoldError as error:
        stop(f"nothing was erased: {error}", code=1)


def _request(name: str | None) -> str:
    if name is None:
        stop("say who asked for it: --request ID, for example the number of a case", code=2)
    if not REQUEST.fullmatch(name):
        stop(
            "--request: up to 64 letters, digits and . : / # - _; it stays in the log, so no name or address",
            code=2,
        )
    return name


def _tell(
    chosen: Chosen,
    request: str,
    what: _Subject | _Session,
    as_json: bool,
    lost: Mapping[int, int],
    gone: str | None,
) -> None:
    sessions = {message.sid for message in chosen.messages}
    spelt = what.counted(chosen) if isinstance(what, _Subject) else {}
    if as_json:
        erased = {"fingerprints": len(chosen.rows), "bodies": len(chosen.bodies), "sids": sorted(sessions)}
        counted_by = {"spellings": spelt, "unjudged": lost}
        more = {name: counts for name, counts in counted_by.items() if counts}
        print(json.dumps({"request": request, **erased, **more}, indent=1))
        return
    if not chosen.rows and not chosen.bodies:
        typer.echo(f"nothing was there to erase; request {request} is in the log")
    else:
        bodies = f" and {plural(len(chosen.bodies), 'message')} as they left" if chosen.bodies else ""
        words = f"{plural(len(chosen.rows), 'fingerprint')}{bodies}, of {plural(len(sessions), 'session')}"
        typer.echo(f"erased {words}; request {request} is in the log")
        if isinstance(what, _Subject) and what.region is not None:
            typer.echo(f"of these, {told(spelt, what.region)}")
    if gone is not None:
        typer.echo(gone)
