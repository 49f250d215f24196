"""`hushwire init`: a commented file to start from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from proxy.commands.say import stop

HELP = (
    "Write a commented file to start from: rules of your own, or with --config a hushwire.yaml.\n\n"
    "It passes hushwire check as it stands. A file that is there already is left alone.\n\n"
    "Examples: [bold]hushwire init[/bold], [bold]hushwire init --schema rules/chat.yaml[/bold], "
    "[bold]hushwire init --config[/bold]"
)


def init(
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="rules.yaml, or hushwire.yaml with --config.", show_default=False),
    ] = None,
    config: Annotated[bool, typer.Option("--config", metavar=" ", help="A hushwire.yaml.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", metavar=" ", help="Its JSON Schema beside it, for editors that read one.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", metavar=" ", help="Replace a file that is there.")] = False,
) -> None:
    """`hushwire init`."""
    from proxy.commands import starter
    from proxy.commands.schema import schema_of

    path = Path(file or ("hushwire.yaml" if config else "rules.yaml"))
    text = (starter.CONFIG if config else starter.RULES).format(
        file=path, path=_shown(path), name=re.sub(r"\W+", "-", path.stem).strip("-")[:64] or "rules"
    )
    written = {path: text}
    if schema:
        beside = path.with_name("hushwire.schema.json" if config else "rules.schema.json")
        made = schema_of("config" if config else "rules")
        written = {
            beside: json.dumps(made, indent=1, ensure_ascii=False) + "\n",
            path: f"# yaml-language-server: $schema=./{beside.name}\n{text}",
        }
    if path.exists() and not force:
        stop(f"{path} is there already; name another file, or say --force to replace it", code=2)
    try:
        for one, content in written.items():
            one.parent.mkdir(parents=True, exist_ok=True)
            one.write_text(content, "utf-8")
    except OSError as error:
        stop(f"{error.filename}: cannot be written: {error.strerror}", code=1)
    typer.echo(f"{path} is written; now: hushwire check {path}")


def _shown(path: Path) -> str:
    """As an option takes it: a file of rules is told from a name by its path."""
    return str(path) if path.is_absolute() or path.parent != Path() else f"./{path}"
