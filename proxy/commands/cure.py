"""`hushwire check --fix`: the names that were meant, put where misspelt ones stand.

Edits are made at the places of the faults and nowhere else, so comments and layout stay. The file is replaced
whole or not at all, and only if nobody has written it meanwhile.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import typer
from rich.console import Console

from proxy.commands.judge import is_config, judge
from proxy.commands.say import plural, stop
from proxy.commands.tell import BREAKS
from proxy.detect.engine import Engine
from proxy.rulebook.disk import ChangedError, replace
from proxy.rulebook.document import read
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.files import Files, Unreadable
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import SHIPPED, find

ROUNDS = 5
STYLES = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Cured:
    """A file with other names in it; `changed` are the faults that this cures."""

    path: Path
    before: bytes
    after: bytes
    changed: tuple[Fault, ...]


def cure(names: Iterable[str], ground: Ground[Engine], *, ask: bool) -> None:
    """Change the files of those names that can be cured, each after a question unless `ask` is off."""
    console = Console(highlight=False, markup=False, emoji=False)
    for name in dict.fromkeys(names):
        made = _cured(name, ground)
        if made is None:
            continue
        if ask and not sys.stdin.isatty():
            stop(f"{name}: there is nobody to ask, so nothing was changed; say --yes", code=2)
        _show(made, console)
        if ask and not typer.confirm(f"Change {plural(len(made.changed), 'name')} in {name}?"):
            continue
        _write(made, name)


def _cured(name: str, ground: Ground[Engine]) -> Cured | None:
    """None if there is nothing that could be changed; what cannot be read is told by the check that follows."""
    try:
        path = find(name)
        files = Files()
        text = files.text(path)
        content = files.contents[path.absolute()]
    except (RulesError, Unreadable):
        return None
    after, changed = text, list[Fault]()
    for _ in range(ROUNDS):  # what was hidden behind a misspelt name is seen only then
        contents = {path.absolute(): after.encode()}
        faults = [fault for fault in judge(name, ground, contents, prose=False).faults if fault.source == name]
        after, new = cured(after, faults)
        changed += new
        if not new or is_config(name):
            break
    if not changed or path.parent == SHIPPED:
        return None
    mark = content[: len(content) - len(text.encode())]  # a byte order mark
    return Cured(path.absolute(), content, mark + after.encode(), tuple(changed))


def cured(text: str, faults: Sequence[Fault]) -> tuple[str, list[Fault]]:
    """`text` with the names that were meant, and the faults that are cured. A key is never written twice."""
    changed: list[Fault] = []
    starts = [0, *(found.end() for found in BREAKS.finditer(text))]
    for fault in sorted(faults, key=lambda fault: (fault.line, fault.column), reverse=True):
        if not (fault.instead and fault.width and fault.line):
            continue
        start = starts[fault.line - 1] + fault.column - 1
        end = start + fault.width
        candidate = text[:start] + _spelt(fault.instead, text[start:end]) + text[end:]
        if _readable(candidate):
            text = candidate
            changed.insert(0, fault)
    return text, changed


def _readable(text: str) -> bool:
    """Whether it is YAML in which no key stands twice."""
    try:
        return all(fault.code != "E005" for fault in read(text, "").faults)
    except RulesError:
        return False


def _spelt(name: str, like: str) -> str:
    """`name` in the quotes of what stands there now, and in some where it needs them."""
    if like.startswith('"'):
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if like.startswith("'") or not all(one.isalnum() or one in "_-.$" for one in name):
        return "'" + name.replace("'", "''") + "'"
    return name


def _show(made: Cured, console: Console) -> None:
    """The lines that change, on a terminal; elsewhere only the names."""
    if not console.is_terminal:
        for fault in made.changed:
            console.print(f"{fault.source}:{fault.line}:{fault.column}: now '{fault.instead}'", soft_wrap=True)
        return
    for line in _diff(made):
        console.print(line, style=STYLES.get(line[:1], ""), soft_wrap=True)


def _diff(made: Cured) -> Iterator[str]:
    before, after = (BREAKS.split(content.decode("utf-8-sig")) for content in (made.before, made.after))
    lines = difflib.unified_diff(before, after, str(made.path), str(made.path), n=1, lineterm="")
    return ("".join(one if one.isprintable() or one == "\t" else "?" for one in line) for line in lines)


def _write(made: Cured, name: str) -> None:
    try:
        replace({made.path: made.after}, made.path, sha256(made.before).hexdigest())
    except ChangedError:
        stop(f"{name}: somebody has written it just now; look at it, and try again", code=1)
    except OSError as error:
        stop(f"{name}: cannot be written: {error.strerror}", code=1)
