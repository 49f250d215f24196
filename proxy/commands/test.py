"""`hushwire test`: what the examples in rule files prove, and how much of the rules they reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.say import AsJson, Ner, plural, sound, stopping

if TYPE_CHECKING:
    from rich.console import Console

    from proxy.commands.trials import Trial
    from proxy.rulebook.faults import Fault

HELP = (
    "Try every example in rule files: those of rules and entities, and the conversations.\n\n"
    "Each example is also tried written otherwise: in JSON, escaped, in JSON in a string; a match also in upper "
    "and lower case where its entity is read in either, and with full-width digits. A match must be found in all "
    "of them, in each direction in which its rule acts; a no_match must stay clean in JSON.\n\n"
    "Exits with 1 if an example fails, or with --coverage if a rule or an entity has no match example; with 3 if "
    "the rules cannot be used at all.\n\n"
    "Example: [bold]hushwire test --coverage rules/chat.yaml[/bold]"
)


def test(
    files: Annotated[list[str], typer.Argument(metavar="NAME|FILE", help="Rules.", show_default=False)],
    coverage: Annotated[
        bool,
        typer.Option("--coverage", metavar=" ", help="List what has no example; fail if there is any."),
    ] = False,
    as_json: AsJson = False,
    ner: Ner = "off",
) -> None:
    """`hushwire test`."""
    from rich.console import Console

    from proxy.building import ground_of
    from proxy.commands.trials import trials
    from proxy.rulebook.faults import in_order
    from proxy.rulebook.load import draft

    done: list[Trial] = []
    with stopping():
        ground = ground_of(ner)
        for name in dict.fromkeys(files):
            with sound(name):
                done += trials(draft(name, ground))
    bare = [_bare(trial) for trial in done if not trial.proven] if coverage else []
    faults = in_order([*(fault for trial in done for fault in trial.faults), *bare])
    if as_json:
        print(json.dumps(_as_object(done, faults, coverage=coverage), indent=1))
    else:
        _show(done, faults, Console(highlight=False, markup=False, emoji=False), coverage=coverage)
    raise typer.Exit(1 if faults else 0)


def _bare(trial: Trial) -> Fault:
    from proxy.rulebook.faults import Fault

    sentence = f"{trial.kind} '{trial.name}' has no example that proves it"
    cure = "add tests: {match: [a text with such a value]}"
    return Fault(trial.source, trial.line, 1, "W003", sentence, cure)


def _covered(done: Sequence[Trial]) -> tuple[int, int]:
    """How many rules and entities have an example, of how many."""
    asked = [trial for trial in done if trial.kind != "conversation"]
    return sum(trial.proven for trial in asked), len(asked)


def _show(done: Sequence[Trial], faults: Sequence[Fault], console: Console, *, coverage: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from proxy.commands.tell import counted, show

    table = Table("", "", "examples", "mutations", box=None, pad_edge=False, header_style="bold")
    for trial in done:
        style = "red" if trial.failed else "" if trial.examples else "dim"
        mark = "failed" if trial.failed else "ok" if trial.examples else "-"
        table.add_row(
            Text(mark, "red" if trial.failed else "green"),
            Text(f"{trial.kind} {trial.name}", style),
            f"{trial.passed} of {trial.examples}",
            f"{trial.mutations_passed} of {trial.mutations}" if trial.mutations else "",
        )
    console.print(table)
    show(faults, console)
    if coverage:
        some, every = _covered(done)
        share = f"{some / every:.0%}" if every else "100%"
        console.print(f"coverage {share}: {some} of {plural(every, 'rule')} and entities have examples")
    if faults:
        console.print(counted(faults), style="bold")
    else:
        tried = sum(trial.examples for trial in done)
        mutated = sum(trial.mutations for trial in done)
        console.print(f"{plural(tried, 'example')} and {plural(mutated, 'mutation')}: ok", style="green")


def _as_object(done: Sequence[Trial], faults: Sequence[Fault], *, coverage: bool) -> dict[str, Any]:
    from proxy.commands.tell import as_object

    some, every = _covered(done)
    said: dict[str, Any] = {
        "trials": [
            {
                "kind": trial.kind,
                "name": trial.name,
                "file": trial.source,
                "line": trial.line,
                "examples": trial.examples,
                "passed": trial.passed,
                "mutations": trial.mutations,
                "mutations_passed": trial.mutations_passed,
            }
            for trial in done
        ],
        "faults": [as_object(fault) for fault in faults],
    }
    return said | ({"coverage": {"with_examples": some, "of": every}} if coverage else {})
