"""A family of rule files -> one set of rules as written, where each piece knows the file it comes from.

The laws: a file's new rules stand before those that it extends; one with the id of an inherited rule takes its
place; of entities, keys and single values that of the file counts, lists are united. Among several extended files
the first stands before the second. A file that is extended twice is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, TypeVar

from proxy.rulebook.defined import EntityText, RecognizerText
from proxy.rulebook.document import Path
from proxy.rulebook.family import Member
from proxy.rulebook.faults import Fault
from proxy.rulebook.schema import AllowText, ConversationText, RulesText, RuleText

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
DEFAULT_THRESHOLD = 0.5


class Piece(NamedTuple, Generic[T_co]):
    """Something as written, and where."""

    written: T_co
    member: Member
    path: Path

    def fault(self, code: str, sentence: str, cure: str = "", *, at: Path = (), at_key: bool = False) -> Fault:
        """A fault of it, or of what stands `at` in it."""
        return self.member.document.fault((*self.path, *at), code, sentence, cure, at_key=at_key)


@dataclass(slots=True)
class Merged:
    """Rules as written, of all files together. The first member is the main file."""

    members: Sequence[Member]
    name: str | None = None
    threshold: float = DEFAULT_THRESHOLD
    rules: list[Piece[RuleText]] = field(default_factory=list)
    shadows: frozenset[str] = frozenset()
    """Ids of the rules that an extended file has put in shadow mode, whatever they say themselves."""
    rehearsal: bool = False
    """Whether all of them are in shadow mode, because the main file or the route says so."""
    entities: dict[str, Piece[EntityText]] = field(default_factory=dict)
    keys: dict[str, Piece[list[str]]] = field(default_factory=dict)
    countries: list[Piece[str]] = field(default_factory=list)
    recognizers: list[Piece[RecognizerText]] = field(default_factory=list)
    ignore: list[Piece[str]] = field(default_factory=list)
    subprotocols: list[Piece[str]] = field(default_factory=list)
    allow: list[Piece[AllowText]] = field(default_factory=list)
    tests: list[Piece[ConversationText]] = field(default_factory=list)
    """Of the main file: the others prove themselves."""

    def shadow(self, rule: RuleText) -> bool:
        """Whether `rule` changes nothing."""
        return self.rehearsal or rule.mode == "shadow" or rule.id in self.shadows

    def performed(self) -> Merged:
        """The same in earnest: a rehearsal proves what would happen."""
        return replace(self, rehearsal=False)


def merge(members: Sequence[Member], *, shadow: bool = False) -> tuple[Merged, list[Fault]]:
    """The rules of `members`, which are in order and fit the schema; `shadow`: as if every rule said so."""
    merged = Merged(members)
    rules, entities, keys = _Names[RuleText](), _Names[EntityText](), _Names[list[str]]()
    files = [(member, member.rules) for member in members if member.rules is not None]
    assert len(files) == len(members)
    for member, written in reversed(files):
        rules.add(member, [(rule.id, rule, ("rules", i)) for i, rule in enumerate(written.rules)])
        entities.add(member, [(name, one, ("entities", name)) for name, one in written.entities.items()])
        keys.add(member, [(name, some, ("keys", name)) for name, some in written.keys.items()])
    merged.rules, merged.entities, merged.keys = list(rules.pieces.values()), entities.pieces, keys.pieces
    main, own = files[0]
    merged.name = own.name
    merged.threshold = next((one.threshold for _, one in files if one.threshold is not None), DEFAULT_THRESHOLD)
    merged.rehearsal = shadow or own.mode == "shadow"
    merged.shadows = _shadows(files[1:], merged.rules) if own.mode != "enforce" else frozenset()
    merged.countries = _lists(files, ("countries",), lambda one: one.countries)
    merged.recognizers = _lists(files, ("recognizers",), lambda one: one.recognizers)
    merged.ignore = _lists(files, ("structure", "ignore"), lambda one: one.structure.ignore)
    merged.subprotocols = _lists(files, ("structure", "subprotocols"), lambda one: one.structure.subprotocols)
    merged.allow = _lists(files, ("allow",), lambda one: one.allow)
    merged.tests = _lists(files[:1], ("tests",), lambda one: one.tests)
    return merged, [
        *_disputes(main, "have different rules with the id", rules.disputed),
        *_disputes(main, "define the entity in different ways:", entities.disputed),
        *_disputes(main, "have different keys for", keys.disputed),
    ]


def _disputes(main: Member, about: str, disputed: Mapping[str, tuple[Member, Member]]) -> Iterator[Fault]:
    for name, (one, other) in disputed.items():
        sentence = f"{one.document.source} and {other.document.source} {about} '{name}'"
        yield main.document.fault(("extends",), "E036", sentence, "write here what counts")


class _Names(Generic[T]):
    """Pieces by name, from the furthest ancestor on; and the names about which files disagree that do not extend
    each other."""

    def __init__(self) -> None:
        self.pieces: dict[str, Piece[T]] = {}
        self.disputed: dict[str, tuple[Member, Member]] = {}

    def add(self, member: Member, written: Iterable[tuple[str, T, Path]]) -> None:
        """What `member` says. New names stand before all that were there."""
        own = {name: Piece(one, member, path) for name, one, path in written}
        below = member.ancestors()
        for name in own.keys() & self.pieces.keys():
            before = self.pieces[name]
            if name in self.disputed and below.issuperset(self.disputed[name]):
                del self.disputed[name]
            elif before.member not in below and before.written != own[name].written:
                self.disputed[name] = (member, before.member)
        kept = {name: own.get(name, piece) for name, piece in self.pieces.items()}
        self.pieces = {**{name: piece for name, piece in own.items() if name not in kept}, **kept}


def _shadows(files: Sequence[tuple[Member, RulesText]], rules: Iterable[Piece[RuleText]]) -> frozenset[str]:
    """Rules that their own file, or one that extends it, puts in shadow mode; the nearest to the main counts."""
    modes: dict[str, str] = {}
    for member, written in reversed(files):
        if written.mode is not None:
            family = {member, *member.ancestors()}
            modes |= {piece.written.id: written.mode for piece in rules if piece.member in family}
    return frozenset(name for name, mode in modes.items() if mode == "shadow")


def _lists(
    files: Iterable[tuple[Member, RulesText]], path: Path, of: Callable[[RulesText], Sequence[T]]
) -> list[Piece[T]]:
    """A list of all files, without what an earlier one says too."""
    found: list[Piece[T]] = []
    for member, written in files:
        for i, one in enumerate(of(written)):
            piece = Piece(one, member, (*path, i))
            if all(other.written != one or _own_file(piece) for other in found):
                found.append(piece)
    return found


def _own_file(piece: Piece[object]) -> bool:
    """Whether it names a file of its folder: two that look alike may be two."""
    return getattr(piece.written, "file", None) is not None
