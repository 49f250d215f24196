"""`hushwire diff`: what another set of rules would mean, before it is in force."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from proxy.commands.say import AsJson, Ner, plural, sound, stop, stopping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from proxy.commands.differ import Change
    from proxy.commands.recording import Recorded
    from proxy.commands.replay import Differs
    from proxy.detect.engine import Engine
    from proxy.rulebook.load import Draft

HELP = (
    "Say what differs between two sets of rules: in what they mean, not in how they are written.\n\n"
    "With --on, a recording is treated by both, and the messages that come out differently are told by their "
    "number. A recording has one message a line, in JSON: "
    '[bold]{"direction": "client_to_upstream", "text": "..."}[/bold], or with "payload": and any JSON instead of '
    '"text"; "session": keeps connections apart. Values are shown only with --show.\n\n'
    "Exits with 0 if nothing differs (with --on: no message), with 1 if something does.\n\n"
    "Examples: [bold]hushwire diff default strict[/bold], "
    "[bold]hushwire diff rules/old.yaml rules/new.yaml --on recorded.jsonl[/bold], "
    "[bold]hushwire diff default rules/new.yaml --on ~/.local/state/hushwire/audit --since 2d[/bold]"
)
LONGEST = 160  # characters of a value that are shown; JSON has all
MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "moved": (">", "cyan")}


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Rules: a name, or a file.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Others.", show_default=False)],
    on: Annotated[
        str | None, typer.Option("--on", metavar="FILE|DIR", help="Messages to try both on; or an audit.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="RUN-SID", help="With --on an audit: only this session.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="With --on an audit: only what left after, like 2h or 2026-11-20."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", metavar=" ", help="With --on: what leaves, values and all.")
    ] = False,
    as_json: AsJson = False,
    ner: Ner = "off",
) -> None:
    """`hushwire diff`."""
    from rich.console import Console

    from proxy.commands.differ import differences

    recording = None if on is None else _recording(on, session, since)
    before, after = _drafts(old, new, ner)
    changes = list(differences(before.merged, after.merged))
    messages, found = (0, []) if recording is None else _replayed(recording, before, after)
    if as_json:
        told: dict[str, Any] = {"changes": [change.as_json() for change in changes]}
        if on is not None:
            told |= {"messages": messages, "different": [_as_object(one, show=show) for one in found]}
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        console = Console(highlight=False, markup=False, emoji=False)
        _show_changes(changes, console, same=before.policy.digest == after.policy.digest)
        if on is not None:
            _show_messages(found, messages, console, show=show)
    same = not found if on is not None else not changes and before.policy.digest == after.policy.digest
    raise typer.Exit(0 if same else 1)


def _drafts(old: str, new: str, ner: str) -> tuple[Draft[Engine], Draft[Engine]]:
    from proxy.building import ground_of
    from proxy.rulebook.load import draft

    with stopping():
        ground = ground_of(ner)  # one: what is compared has the same keys
        with sound(old):
            before = draft(old, ground)
        with sound(new):
            after = draft(new, ground)
    return before, after


class _Recording(NamedTuple):
    name: str
    size: int
    """Bytes, as far as they are told while it is read."""
    messages: Callable[[Callable[[int], None]], Iterator[Recorded]]


def _recording(on: str, session: str | None, since: str | None) -> _Recording:
    """What --on names; exit 2 if it is nothing."""
    from proxy.audit.reading.conversation import size
    from proxy.commands.recording import of_audit, of_file

    path = Path(on)
    try:
        if path.is_dir():
            start = None if since is None else _moment(since)
            return _Recording(on, size(path), lambda tell: of_audit(path, session, start, tell))
        if session is not None or since is not None:
            stop("--session and --since choose from an audit; --on names a file", code=2)
        return _Recording(path.name, path.stat().st_size, lambda tell: of_file(path, tell))
    except OSError as error:
        stop(f"--on: cannot read '{on}' ({error.strerror})", code=2)


def _moment(since: str) -> int:
    from datetime import UTC, datetime

    from proxy.audit.reading.question import moment

    try:
        return moment(since, datetime.now(UTC))
    except (ValueError, OverflowError):
        stop(f"--since: '{since}' is no time; write 2h, 30m, today, 2026-11-20 or 2026-11-20T14:30", code=2)


def _replayed(recording: _Recording, before: Draft[Engine], after: Draft[Engine]) -> tuple[int, list[Differs]]:
    """How many messages there are, and those that differ."""
    from proxy.commands.recording import RecordError
    from proxy.commands.replay import compared

    messages, found = 0, []
    try:
        with _progress(recording) as tell:
            for one in compared(recording.messages(tell), before, after):
                messages += 1
                if one is not None:
                    found.append(one)
    except OSError as error:
        stop(f"--on: cannot read '{recording.name}' ({error.strerror})", code=2)
    except RecordError as error:
        stop(f"--on: {recording.name}: {error}", code=2)
    return messages, found


@contextmanager
def _progress(recording: _Recording) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, by the bytes read."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(recording.name, total=recording.size)
        yield lambda read: bar.update(task, advance=read)


def _show_changes(changes: Sequence[Change], console: Console, *, same: bool) -> None:
    from rich.text import Text

    for change in changes:
        mark, style = MARKS[change.how]
        text = Text.assemble((f"{mark} ", style), (change.what, "bold"), " ", _told(change))
        console.print(text, soft_wrap=True)
    if not changes:
        console.print("the rules say the same" if same else "a list or a file that the rules name has changed")


def _told(change: Change) -> str:
    if change.how == "moved":
        return f"moved behind {change.after}" if change.after else "moved to the front"
    if change.how == "changed":
        key = f"{change.key}: " if change.key else ""
        return f"{key}{_brief(change.before)} -> {_brief(change.after)}"
    return f"{change.how}: {_brief(change.before if change.how == 'removed' else change.after)}"


def _brief(value: Any) -> str:
    from proxy.commands.say import printable

    if value is None:
        return "(not said)"
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _show_messages(found: Sequence[Differs], messages: int, console: Console, *, show: bool) -> None:
    from rich.text import Text

    from proxy.commands.say import printable
    from proxy.commands.trial import said

    for one in found:
        whose = f" of {one.session}" if one.session else ""
        console.print(Text.assemble((f"message {one.number}{whose}", "bold"), f", {one.direction.label}"))
        for when, treated, style in (("before", one.before, "red"), ("after", one.after, "green")):
            why = said(treated)
            text = Text.assemble(f"  {when:<6} ", (treated.verdict, style), f": {why}" if why else "")
            console.print(text, soft_wrap=True)
            if show and treated.sent is not None:
                console.print(f"         {printable(treated.sent.decode(errors='replace'))}", soft_wrap=True)
    verb = "comes" if len(found) == 1 else "come"
    console.print(f"{len(found)} of {plural(messages, 'message')} {verb} out differently", style="bold")


def _as_object(one: Differs, *, show: bool) -> dict[str, Any]:
    from proxy.commands.trial import as_object

    sides = {"before": as_object(one.before), "after": as_object(one.after)}
    if not show:
        for side in sides.values():
            del side["sent"]
    whose = {"session": one.session} if one.session else {}
    return {"number": one.number, **whose, "direction": one.direction.label, **sides}
