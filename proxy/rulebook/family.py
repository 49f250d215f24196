"""A rule file and whatever it extends, read and taken apart; nothing is merged here.

Shipped rules are named (`default`); a file is written with its path, from the folder of the file that extends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from proxy.rulebook.document import Document, read
from proxy.rulebook.faults import Fault, RulesError, unknown
from proxy.rulebook.files import Files, Unreadable
from proxy.rulebook.schema import RulesText
from proxy.rulebook.told import told

_ROOM = Path(__file__).resolve().parent.parent
# In a wheel they lie inside the package, in a checkout beside it.
SHIPPED = next(
    (folder for folder in (_ROOM / "rules", _ROOM.parent / "rules") if folder.is_dir()), _ROOM / "rules"
)


@dataclass(eq=False, slots=True)
class Member:
    """One file. `rules` is None if it breaks the schema; `above` are those that it extends, directly."""

    path: Path
    document: Document
    rules: RulesText | None = None
    above: list[Member] = field(default_factory=list)
    whole: bool = True
    """Whether all that it extends is there."""

    def ancestors(self) -> set[Member]:
        """Whatever it extends, directly or not."""
        return {*self.above}.union(*(one.ancestors() for one in self.above))


def shipped() -> list[str]:
    """The names of the rules that come with Hushwire."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def find(name_or_path: str, folder: Path = Path()) -> Path:
    """The file of `name_or_path`; a bare name is never looked up in a folder of the user's. Raises RulesError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", name_or_path):
        return folder / name_or_path
    if name_or_path in shipped():
        return SHIPPED / f"{name_or_path}.yaml"
    about = unknown("rules", name_or_path, shipped())
    cure = f"{about.help} (a file needs its path: ./{name_or_path}.yaml)"
    fault = Fault(name_or_path or "rules", 0, 0, "E018", about.sentence, cure, instead=about.instead)
    raise RulesError([fault])


def gather(name_or_path: str, files: Files) -> tuple[list[Member], list[Fault]]:
    """The files of `name_or_path`, each before what it extends, the main one first; and what is wrong with them.

    Raises RulesError if the main one cannot be read at all.
    """
    path = find(name_or_path)
    source = path.name if path.parent == SHIPPED else name_or_path
    try:
        text = files.text(path)
    except Unreadable as error:
        raise RulesError([Fault(source, 0, 0, error.code, str(error))]) from None
    gathering = _Gathering(files)
    main = gathering.take(path, read(text, source), ())
    return _in_order(main), gathering.faults


class _Gathering:
    """The files read so far, by where they really are: each is one member, however often it is extended."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.faults: list[Fault] = []
        self.members: dict[Path, Member] = {}

    def take(self, path: Path, document: Document, below: tuple[Path, ...]) -> Member:
        """The member for `document`, with all that it extends; `below` are the files that led here."""
        here = path.resolve()
        member = self.members[here] = Member(path, document)
        self.faults += document.faults
        try:
            member.rules = RulesText.model_validate(document.data)
        except ValidationError as error:
            left_out = {(fault.line, fault.column) for fault in document.faults}
            self.faults += (one for one in told(error, document) if (one.line, one.column) not in left_out)
        for place, name in _extended(document):
            above = self._above(member, name, (*below, here), place)
            if isinstance(above, Fault):
                self.faults.append(above)
                member.whole = False
            elif above not in member.above:
                member.above.append(above)
        return member

    def _above(self, member: Member, name: str, below: tuple[Path, ...], place: tuple[str, int]) -> Member | Fault:
        """What `member` extends under that name, or why it cannot."""
        try:
            return self._found(find(name, member.path.parent), below)
        except Unreadable as error:
            cure = "a path is read from the folder of the file" if error.code == "E001" else ""
            return member.document.fault(place, error.code, str(error), cure)
        except RulesError as error:
            (fault, *_) = error.faults
            if fault.line or fault.code == "E006":
                return fault  # it stands in the other file
            return member.document.fault(place, fault.code, fault.sentence, fault.help, fault.instead)

    def _found(self, path: Path, below: tuple[Path, ...]) -> Member:
        try:
            here = path.resolve()
        except (ValueError, OSError, RuntimeError):  # a zero byte in its name; a link to itself
            raise Unreadable("E001", "cannot be read: this is no path") from None
        if here in below:
            way = ", ".join(one.name for one in below[below.index(here) :])
            raise Unreadable("E019", f"these rules extend themselves, by way of {way}")
        if here in self.members:
            return self.members[here]
        source = path.name if path.parent == SHIPPED else str(path)
        return self.take(path, read(self.files.text(path), source), below)


def _extended(document: Document) -> Iterator[tuple[tuple[str, int], str]]:
    """What a file extends, also one that breaks the schema elsewhere, and where it says so."""
    names = document.data.get("extends") if isinstance(document.data, dict) else None
    for i, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name:
            yield ("extends", i), name


def _in_order(main: Member) -> list[Member]:
    """Each before what it extends, and otherwise as they are written."""
    order: list[Member] = []

    def visit(member: Member) -> None:
        if member not in order:
            for one in reversed(member.above):
                visit(one)
            order.append(member)

    visit(main)
    return order[::-1]
