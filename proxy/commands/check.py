"""`hushwire check`: everything that is wrong with files, at once, before anything runs with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.say import AsJson, Ner, stop, stopping

if TYPE_CHECKING:
    from proxy.commands.judge import Verdict
    from proxy.detect.engine import Engine
    from proxy.rulebook.ground import Ground

CONFIG = Path("hushwire.yaml")
HELP = (
    "Say all that is wrong with rule files and hushwire.yaml, each fault with its place and a cure.\n\n"
    "What passes is what hushwire run runs: it is built in the same way, and every example in it is tried. "
    "Which of the two a file is, is told by its keys; of a hushwire.yaml the rules of its routes are checked too. "
    "Without a FILE: hushwire.yaml if there is one here, else the rules 'default'.\n\n"
    "Exits with 0 if nothing is wrong (there may be warnings), with 3 if anything is.\n\n"
    "Examples: [bold]hushwire check rules/chat.yaml[/bold], [bold]hushwire check --fix my.yaml[/bold], "
    "in a workflow of GitHub's [bold]hushwire check --github rules/*.yaml[/bold]"
)


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|FILE", help="Rules or a hushwire.yaml.", show_default=False),
    ] = None,
    effective: Annotated[
        bool,
        typer.Option(
            "--effective", metavar=" ", help="Print the rules with all they extend, each with its origin."
        ),
    ] = False,
    fix: Annotated[
        bool,
        typer.Option("--fix", metavar=" ", help="Put the suggested names in the place of misspelt ones."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", metavar=" ", help="With --fix: do not ask.")] = False,
    as_json: AsJson = False,
    github: Annotated[
        bool, typer.Option("--github", metavar=" ", help="Annotations for a pull request on GitHub.")
    ] = False,
    ner: Ner = "off",
) -> None:
    """`hushwire check`."""
    if sum((effective, fix, as_json, github)) > 1:
        stop("--effective, --fix, --json and --github are different things; say one of them", code=2)
    names = files or [str(CONFIG) if CONFIG.is_file() else "default"]
    if effective:
        _print_effective(names)
        return
    from proxy.building import ground_of

    with stopping():
        ground = ground_of(ner)
    if fix:
        from proxy.commands.cure import cure

        cure(names, ground, ask=not yes)
    verdicts = _judged(names, ground, prose=ner != "off")
    _tell(verdicts, as_json=as_json, github=github)
    raise typer.Exit(3 if any(verdict.faults for verdict in verdicts) else 0)


def _judged(names: Sequence[str], ground: Ground[Engine], *, prose: bool) -> list[Verdict]:
    from proxy.commands.judge import judge

    return [judge(name, ground, prose=prose) for name in dict.fromkeys(names)]


def _tell(verdicts: Sequence[Verdict], *, as_json: bool, github: bool) -> None:
    from rich.console import Console

    from proxy.commands import tell
    from proxy.rulebook.faults import in_order

    # one that several files have in common is told once
    faults = in_order(fault for one in verdicts for fault in (*one.faults, *one.remarks))
    if as_json:
        print(json.dumps([tell.as_object(fault) for fault in faults], indent=1))
        return
    if github:
        print(*map(tell.annotation, faults), sep="\n", end="\n" if faults else "")
        return
    console = Console(highlight=False, markup=False, emoji=False)
    tell.show(faults, console)
    for verdict in verdicts:
        if not verdict.faults:
            console.print(f"{verdict.name}: ok, {verdict.about}", style="green", soft_wrap=True)
            for note in verdict.notes:
                console.print(f"  note: {note}", style="dim", soft_wrap=True)
    if faults:
        console.print(tell.counted(faults), style="bold", soft_wrap=True)


def _print_effective(names: Sequence[str]) -> None:
    from proxy.rulebook.effective import effective

    if len(names) > 1:
        stop("--effective prints one set of rules; say which", code=2)
    with stopping():
        typer.echo(effective(names[0]), nl=False)
