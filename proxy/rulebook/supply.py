"""`countries` and `recognizers` of a rule file -> recognizers, before anything is said about their entities.

What Presidio is, is not known here: proxy/detect makes them. A recognizer that cannot be made is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path as FilePath

from pydantic import ValidationError

from proxy.detect.recognizer import Recognizer
from proxy.detect.recognizers.countries import from_class, from_patterns, from_yaml, of_countries
from proxy.rulebook.document import Document, Path
from proxy.rulebook.faults import Fault
from proxy.rulebook.schema import ANY, RecognizerText, Supply


@dataclass(slots=True)
class Supplied:
    """What a file brings along, by the place where it says so. `whole`: all that it asks for could be made."""

    made: dict[Path, tuple[Recognizer, ...]] = field(default_factory=dict)
    files: list[tuple[FilePath, str]] = field(default_factory=list)
    """The registry files it reads, with their SHA-256: another file is another policy."""
    faults: list[Fault] = field(default_factory=list)
    whole: bool = True

    @property
    def recognizers(self) -> tuple[Recognizer, ...]:
        """All of them, in the order of the file."""
        return tuple(one for some in self.made.values() for one in some)

    def unused(self, document: Document, named: set[str]) -> Iterator[Fault]:
        """What is brought along although no rule (`named` are their entities) says what happens to its values."""
        for place, some in self.made.items():
            entities = {one.entity for one in some}
            if ANY not in named and entities.isdisjoint(named):
                yield document.fault(place, f"no rule is about what this finds: {', '.join(sorted(entities))}")


def supply(document: Document, folder: FilePath) -> Supplied:
    """The recognizers of `document`, whose files lie in `folder`. What breaks the schema is told with the rest of
    the file: here it only makes `whole` false."""
    supplied = Supplied()
    try:
        wanted = Supply.model_validate(document.data)
    except ValidationError:
        supplied.whole = False
        return supplied
    for i, code in enumerate(wanted.countries):
        supplied.made["countries", i] = of_countries([code])
    for i, written in enumerate(wanted.recognizers):
        place: Path = ("recognizers", i)
        try:
            supplied.made[place] = _make(written, folder, supplied.files)
        except (ValueError, OSError) as error:
            supplied.whole = False
            supplied.faults.append(document.fault((*place, *_key(written)), f"{error}{_cure(written)}"))
    return supplied


def _make(written: RecognizerText, folder: FilePath, files: list[tuple[FilePath, str]]) -> tuple[Recognizer, ...]:
    if written.class_ is not None:
        return from_class(written.class_)
    if written.file is not None:
        path = folder / written.file
        made = from_yaml(path)
        files.append((path, sha256(path.read_bytes()).hexdigest()))
        return made
    assert written.name and written.entity and written.patterns  # as the schema says
    patterns = [(one.regex, one.score) for one in written.patterns]
    return from_patterns(written.name, written.entity, patterns, written.context or ())


def _key(written: RecognizerText) -> tuple[str, ...]:
    return ("class",) if written.class_ is not None else ("file",) if written.file is not None else ()


def _cure(written: RecognizerText) -> str:
    if written.class_ is not None:
        return "; write package.module.Class, with its package installed or on PYTHONPATH"
    return "; a path is read from the folder of the rules" if written.file is not None else ""
