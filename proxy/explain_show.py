"""How an explanation looks: on a terminal, without one, and as JSON. Nothing is decided here."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proxy.core.operators import CLOSE, DROP
from proxy.explain import Explanation
from proxy.explain_why import Candidate, Verdict

FOUND = "bold red"
REPLACED = "bold green"
STYLES = {
    Verdict.REWRITTEN: REPLACED,
    Verdict.CLOSES: FOUND,
    Verdict.DROPS: FOUND,
    Verdict.JOINED: "green",
    Verdict.KEPT: "yellow",
    Verdict.EXEMPT: "yellow",
    Verdict.LEFT: "dim",
}


def show(explanation: Explanation) -> None:
    """Print it on stdout."""
    console = Console(highlight=False, markup=False, emoji=False)
    policy = explanation.policy
    texts = "1 text" if explanation.leaves == 1 else f"{explanation.leaves} texts"
    console.print(
        f"{explanation.direction.label}, rules {policy.name}, threshold {policy.threshold:.2f}, "
        f"read as {explanation.codec}, {texts}",
        style="dim",
    )
    for one in explanation.found:
        _print_candidate(console, one)
    if not explanation.found and explanation.cause is None:
        console.print("\nNothing was found.", style="bold")
    if explanation.spared:
        console.print("\nLeft as it is:", style="bold")
    for one in explanation.spared:
        _print_candidate(console, one)
    console.print()
    _print_end(console, explanation)


def _print_candidate(console: Console, one: Candidate) -> None:
    finding = one.finding
    console.print()
    console.print(
        Text.assemble(
            (finding.entity, STYLES[one.verdict]),
            "  ",
            (_printable(one.text), FOUND if one.acted else ""),
            (f"  {_printable(place(one))}", "dim"),
        ),
        soft_wrap=True,
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("found by", found_by(one))
    if one.seen is not None:
        table.add_row("hidden", f"once {one.seen.how} it reads {_printable(one.seen.text)}")
    table.add_row("became" if one.acted else "stays", Text(_printable(fate(one))))
    if len(one.rules) > 1:  # else it is told already
        said = "\n".join(f"{rule.id} {says}" for rule, says in one.rules)
        table.add_row("rules", Text(_printable(said, lines=True)))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def place(one: Candidate) -> str:
    """Where it stands: `$.user.email 0:15`."""
    return f"{one.path} {one.finding.start}:{one.finding.end}".strip()


def found_by(one: Candidate) -> str:
    """Who found it, by what, how sure."""
    by = f" (the key {_printable(one.key)})" if one.key is not None else ""
    return f"{one.finding.recognizer}{by}, score {one.finding.score:.2f}"


def fate(one: Candidate) -> str:
    """What was done about it, or everything that spoke against doing anything."""
    if not one.acted or one.rule is None:
        return "; ".join(one.reasons)
    if one.verdict is Verdict.JOINED:
        return f"part of what replaces it: {'; '.join(one.reasons)}"
    verb = {CLOSE: "closes the connection", DROP: "drops the message"}.get(one.rule.operator, one.rule.operator)
    return f"rule '{one.rule.id}': {verb}{_params(one)}"


def _params(one: Candidate) -> str:
    params = one.rule.params if one.rule is not None else {}
    return f" ({', '.join(f'{name} {value}' for name, value in params.items())})" if params else ""


def _print_end(console: Console, explanation: Explanation) -> None:
    if explanation.becomes is None and explanation.cause is None:
        console.print(Text.assemble(("Not sent", FOUND), ": a rule drops the message, and the connection goes on"))
    elif explanation.becomes is None:
        close, cause = explanation.close, explanation.cause
        assert close is not None  # they come together
        assert cause is not None
        console.print(
            Text.assemble(
                ("Not sent", FOUND), f": the connection closes with {close.code} {close.reason} ({cause.value})"
            )
        )
    elif explanation.becomes == explanation.message:
        console.print("Sent as it is, byte for byte.", style="bold")
    else:
        console.print("Sent as", style="bold")
        console.print(Text(_printable(explanation.becomes, lines=True), REPLACED), soft_wrap=True)


def _printable(text: str, *, lines: bool = False) -> str:
    """Without what a terminal would obey."""
    keep = "\n\t" if lines else ""
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape", "replace").decode()
        for one in text
    )


def as_object(explanation: Explanation) -> dict[str, object]:
    """For `--json`: everything, and the message itself."""
    close = explanation.close
    return {
        "direction": explanation.direction.label,
        "rules": explanation.policy.name,
        "digest": explanation.policy.digest,
        "threshold": explanation.policy.threshold,
        "codec": explanation.codec,
        "leaves": explanation.leaves,
        "message": explanation.message,
        "becomes": explanation.becomes,
        "cause": None if explanation.cause is None else explanation.cause.value,
        "close": None if close is None else {"code": close.code, "reason": close.reason},
        "candidates": [_candidate(one) for one in explanation.candidates],
    }


def _candidate(one: Candidate) -> dict[str, object]:
    finding, rule, seen = one.finding, one.rule, one.seen
    return {
        "path": one.path,
        "start": finding.start,
        "end": finding.end,
        "text": one.text,
        "entity": finding.entity,
        "score": finding.score,
        "recognizer": finding.recognizer,
        "key": one.key,
        "seen": None if seen is None else {"how": seen.how, "text": seen.text},
        "verdict": one.verdict.value,
        "reasons": list(one.reasons),
        "rules": [{"id": considered.id, "says": says} for considered, says in one.rules],
        "rule": None if rule is None else {"id": rule.id, "action": rule.operator, "with": dict(rule.params)},
    }
