"""What every audit verb is given alike: which audit, and in which form to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.say import stop

Directory = Annotated[
    str | None,
    typer.Option(
        "--audit",
        metavar="DIR",
        envvar="HUSHWIRE_AUDIT",
        help="The audit directory; by default $XDG_STATE_HOME/hushwire/audit.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", metavar=" ", help="JSON instead of text.")]


def audit_of(written: str | None) -> Path:
    """The audit directory that is meant; exit 2 if there is none."""
    from proxy.audit.layout import audit_directory

    directory = Path(written) if written else audit_directory()
    if not directory.is_dir():
        stop(f"there is no audit in {directory}", "name its directory with --audit DIR", code=2)
    return directory
