"""`countries`, `recognizers` and `entities` of rule files -> recognizers, before anything is said about rules.

What Presidio is, is not known here: proxy/detect makes them. A recognizer that cannot be made is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path as FilePath
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from proxy.detect.recognizer import Recognizer
from proxy.detect.recognizers.adapted import Context
from proxy.detect.recognizers.countries import from_class, from_patterns, from_yaml, of_countries
from proxy.detect.recognizers.wordlist import word_list, wrong_value
from proxy.rulebook.defined import Country, DenyText, EntityName, EntityText, ListText, PatternText, RecognizerText
from proxy.rulebook.document import Path
from proxy.rulebook.family import Member
from proxy.rulebook.faults import Fault
from proxy.rulebook.files import Files, Unreadable
from proxy.rulebook.merge import Merged, Piece
from proxy.rulebook.pace import breathe
from proxy.rulebook.schema import ANY

Made = tuple[Recognizer, ...]
T = TypeVar("T")
CLASS_CURE = "write package.module.Class, with its package installed or on PYTHONPATH"
TOLD = 20  # lines of one list that are told one by one
FILE_CURE = "a path is read from the folder of the rules"


class Finding(BaseModel):
    """The part of a file that says what can be found, for files that break the schema elsewhere."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    countries: list[Country] = []
    recognizers: list[RecognizerText] = []
    entities: dict[EntityName, EntityText] = {}


@dataclass(slots=True)
class Supplied:
    """What files bring along, by the piece that says so. `whole`: all that they ask for could be made."""

    made: list[tuple[Piece[object], Made]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    whole: bool = True

    @property
    def recognizers(self) -> Made:
        """All of them, in the order of the files."""
        return tuple(one for _, some in self.made for one in some)

    def unused(self, main: Member, named: set[str]) -> Iterator[Fault]:
        """What the main file brings along although no rule (`named` are their entities) is about its values."""
        for piece, some in self.made:
            entities = {one.entity for one in some}
            if piece.member is main and ANY not in named and entities.isdisjoint(named):
                yield piece.fault("E035", f"no rule is about what this finds: {', '.join(sorted(entities))}")


def partly(members: Iterable[Member]) -> Merged:
    """What of `members` says what can be found, as far as it can be read."""
    merged = Merged([*members])
    for member in merged.members:
        try:
            found = Finding.model_validate(member.document.data)
        except ValidationError:
            member.whole = False
            continue
        merged.countries += [Piece(one, member, ("countries", i)) for i, one in enumerate(found.countries)]
        merged.recognizers += [Piece(one, member, ("recognizers", i)) for i, one in enumerate(found.recognizers)]
        merged.entities |= {name: Piece(one, member, ("entities", name)) for name, one in found.entities.items()}
    return merged


class UnfitError(Exception):
    """A list with lines that cannot be values; a fault for each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class _Way(NamedTuple):
    """One way to find something: who asks for it, where in his piece, and how it is made; with that cure."""

    piece: Piece[object]
    at: Path
    make: Callable[[], Made]
    cure: str = ""


def supply(merged: Merged, files: Files) -> Supplied:
    """The recognizers that `merged` asks for."""
    supplied = Supplied(whole=all(member.whole for member in merged.members))
    for way in _ways(merged, files):
        breathe()
        try:
            supplied.made.append((way.piece, way.make()))
        except Unreadable as error:
            code = "E023" if error.code == "E001" else error.code
            supplied.faults.append(way.piece.fault(code, str(error), way.cure, at=way.at))
        except UnfitError as error:
            supplied.faults += error.faults
        except (ValueError, OSError) as error:
            supplied.faults.append(way.piece.fault("E022", str(error), way.cure, at=way.at))
    supplied.whole &= not supplied.faults
    return supplied


def _ways(merged: Merged, files: Files) -> Iterator[_Way]:
    for country in merged.countries:
        yield _Way(country, (), partial(of_countries, [country.written]))
    for piece in merged.recognizers:
        written = piece.written
        if written.patterns is None:
            yield _of_presidio(piece, (), written.class_, written.file, files)
        else:
            assert written.name and written.entity  # as the schema says
            context = Context(tuple(written.context or ()))
            yield _Way(piece, (), _patterns(written.name, written.entity, written.patterns, context))
    for name, entity in merged.entities.items():
        yield from _of_entity(name, entity, files)


def _of_entity(name: str, piece: Piece[EntityText], files: Files) -> Iterator[_Way]:
    written = piece.written
    if written.patterns is not None:
        near = written.context
        context = Context(tuple(near.words), near.within, near.after, near.boost, 0.0) if near else Context()
        yield _Way(piece, ("patterns",), _patterns(name.lower(), name, written.patterns, context))
    if written.deny_list is not None:
        listed = written.deny_list
        at = ("deny_list", "values" if listed.file is None else "file")
        words = partial(denied, listed, piece.member, files)
        options = {"ignore_case": listed.ignore_case, "whole_word": listed.whole_word}
        yield _Way(piece, at, lambda: (word_list(name, words(), **options),), FILE_CURE)
    if written.presidio is not None:
        way = _of_presidio(piece, ("presidio",), written.presidio.class_, written.presidio.file, files)
        yield way._replace(make=partial(_only, name, way.make))


def _of_presidio(piece: Piece[T], at: Path, path: str | None, file: str | None, files: Files) -> _Way:
    if path is not None:
        return _Way(piece, (*at, "class"), partial(from_class, path), CLASS_CURE)
    assert file is not None  # as the schema says
    return _Way(piece, (*at, "file"), partial(_registry, piece.member.path.parent / file, files), FILE_CURE)


def _registry(path: FilePath, files: Files) -> Made:
    files.text(path)  # Presidio reads it by itself: here it is noted what it says
    return from_yaml(path)


def _only(entity: str, make: Callable[[], Made]) -> Made:
    """Of what is made, what finds `entity`. Raises ValueError if nothing does."""
    made = make()
    if found := tuple(one for one in made if one.entity == entity):
        return found
    raise ValueError(f"this finds {', '.join(sorted({one.entity for one in made}))}, not {entity}")


def _patterns(name: str, entity: str, patterns: Iterable[PatternText], context: Context) -> Callable[[], Made]:
    written = [(one.regex, one.score) for one in patterns]
    return lambda: from_patterns(name, entity, written, context)


def values_of(listed: ListText, member: Member, files: Files) -> list[str]:
    """The values of a list, wherever they stand. Raises Unreadable, also if there are none."""
    return (
        listed.values if listed.values is not None else [value for value in _lines(listed, member, files) if value]
    )


def denied(listed: DenyText, member: Member, files: Files) -> list[str]:
    """As `values_of`, of values that a recognizer can look for. Raises UnfitError for lines that say others."""
    if listed.values is not None:
        return listed.values  # the schema has looked at them
    source = str(member.path.parent / listed.file) if listed.file is not None else ""
    try:
        lines = _lines(listed, member, files)
    except Unreadable as error:
        if not error.line:
            raise
        raise UnfitError([Fault(source, error.line, 1, error.code, str(error))]) from None
    unfit = ((n, why) for n, value in enumerate(lines, 1) if value and (why := wrong_value(value)))
    faults = [Fault(source, line, 1, "E023", why) for line, why in islice(unfit, TOLD)]
    if rest := sum(1 for _ in unfit):
        faults.append(Fault(source, 0, 0, "E023", f"{rest} more lines are no values either"))
    if faults:
        raise UnfitError(faults)
    return [value for value in lines if value]


def _lines(listed: ListText, member: Member, files: Files) -> list[str]:
    assert listed.file is not None  # as the schema says
    lines = files.lines(member.path.parent / listed.file)
    if any(lines):
        return lines
    raise Unreadable("E023", "there are no values in this file")
