"""What every audit verb is given alike: which audit, and in which form to answer."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.audit.people.keys import Keys

Directory = Annotated[
    str | None,
    typer.Option(
        "--audit",
        metavar="DIR",
        envvar="HUSHWIRE_AUDIT",
        help="The audit directory; by default $XDG_STATE_HOME/hushwire/audit.",
    ),
]
SigningKey = Annotated[
    str | None,
    typer.Option(
        "--audit-key",
        metavar="env:NAME|file:PATH",
        envvar="HUSHWIRE_AUDIT_KEY",
        help="The key that signs the log, as for hushwire run; by default this installation's.",
    ),
]
WHOLE = r"[0-9a-f]{8}-\d+"  # name of a session
AsJson = Annotated[bool, typer.Option("--json", metavar=" ", help="JSON instead of text.")]


def audit_of(written: str | None, *, begun: bool = True) -> Path:
    """The audit directory that is meant; exit 2 if there is none, 1 if it is closed to this user. Unless `begun`
    is false there is a log, too: that somebody does not occur in some other directory is no answer."""
    from proxy.audit.layout import audit_directory, logs

    directory = Path(written) if written else audit_directory()
    if not directory.is_dir():
        stop(f"there is no audit in {directory}", "name its directory with --audit DIR", code=2)
    if not os.access(directory, os.R_OK | os.X_OK):
        stop(f"{directory} cannot be read: permission denied", "are you who runs the proxy?", code=1)
    if begun and not (logs(directory) or (directory / "public.key").exists()):
        stop(f"there is no audit log in {directory}", "name its directory with --audit DIR", code=2)
    return directory


def full_name(session: str) -> str:
    """RUN-SID as it was written, for verbs that change something: a number may mean another session tomorrow."""
    if not re.fullmatch(WHOLE, session):
        stop("--session: write all of its name, like 1f3a9c22-17; hushwire audit search shows it", code=2)
    return session


def keys_of(signing: str | None, audit: Path | None = None, *, made: bool = True) -> Keys:
    """The keys of this installation; exit 2 if they cannot be used, or are missing and not to be `made` now. What
    is made has no number that the log in `audit` has used."""
    from proxy.audit.people.judged import newest
    from proxy.audit.people.keys import Keys, KeysError, keys_folder
    from proxy.commands.audit.asked import warn

    try:
        keys = Keys.open(keys_folder(), signing, made=made, used=newest(audit) if made and audit else 0)
    except KeysError as error:
        stop(str(error), code=2)
    except OSError as error:
        stop(f"{error.filename or audit}: {error.strerror}", "are you who runs the proxy?", code=1)
    if keys.loss:
        warn(keys.loss)
    return keys
