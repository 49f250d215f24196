"""What was said in the demo, what arrived, whether that is right, and how it looks side by side.

A line knows its personal parts beforehand, so what arrived can be judged: every personal part is gone, and every
other character is where it was.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy.core.message import Side

PERSONAL = "bold red"
REPLACED = "bold green"


@dataclass(slots=True)
class Line:
    """One message. `parts` are text, personal, text, ... in turn; `arrived` is what the other side received."""

    side: Side
    parts: list[str]
    arrived: str | None = None

    @classmethod
    def marked(cls, side: Side, text: str) -> Line:
        """From a text with its personal parts in <<...>>."""
        return cls(side, re.split(r"<<(.*?)>>", text))

    @property
    def sent(self) -> str:
        """The message as it went out."""
        return "".join(self.parts)

    @property
    def personal(self) -> list[str]:
        """The values that must not arrive."""
        return self.parts[1::2]

    def replaced(self) -> list[str] | None:
        """What stands where the personal parts stood; None if the text around them is not the same."""
        pattern = "(.*?)".join(map(re.escape, self.parts[::2]))
        found = re.fullmatch(pattern, self.arrived or "", re.DOTALL)
        return None if found is None else list(found.groups())

    def problem(self) -> str | None:
        """Why this is not what a privacy filter should do; None if it is. Holds no value."""
        if self.arrived is None:
            return "did not arrive"
        if leaked := [value for value in self.personal if value in self.arrived]:
            return f"arrived with {len(leaked)} of {len(self.personal)} personal values in it"
        if self.replaced() is None:
            return "was changed in other places than its personal parts"
        if self.sent.startswith("{") and not _is_json(self.arrived):
            return "is not JSON any more"
        return None


def show(console: Console, lines: list[Line]) -> bool:
    """Print the two sides and the verdict. Returns whether everything is as it should be."""
    table = Table(title="What each side gets to see", show_lines=True, width=min(console.width, 112))
    table.add_column("The client", ratio=1, overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("The service", ratio=1, overflow="fold")
    for line in lines:
        if line.side is Side.CLIENT:
            table.add_row(_sent(line), "-->", _arrived(line))
        else:
            table.add_row(_arrived(line), "<--", _sent(line))
    console.print(table)
    problems = [(number, problem) for number, line in enumerate(lines, 1) if (problem := line.problem())]
    for number, problem in problems:
        console.print(f"Message {number} {problem}.", style="bold red")
    if not problems:
        console.print(_verdict(lines))
    return not problems


def _verdict(lines: list[Line]) -> Text:
    """The good news in one sentence, counted."""
    count = sum(len(line.personal) for line in lines)
    return Text.assemble(
        (f"{count} personal values", PERSONAL),
        f" were sent in {len(lines)} messages. ",
        ("None came through", REPLACED),
        "; everything else arrived as it was sent.",
    )


def _sent(line: Line) -> Text:
    """As sent, personal parts highlighted."""
    return Text.assemble(*((part, PERSONAL if at % 2 else "") for at, part in enumerate(line.parts)))


def _arrived(line: Line) -> Text:
    """As it arrived, what was put in place highlighted."""
    groups = line.replaced()
    if groups is None:
        return Text(line.arrived or "(nothing)", "red")
    text = Text()
    for literal, group in zip_longest(line.parts[::2], groups, fillvalue=""):
        text.append(literal).append(group, REPLACED)
    return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
