"""What a rule file comes to with all that it extends: one file, in which a comment says where each piece is from.

It means the same as the files together. Examples of inherited rules are left out: they are proven where they
stand, and here another rule may stand before theirs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import indent
from typing import Any, TypeVar

from proxy.rulebook.closed import Closed
from proxy.rulebook.document import write
from proxy.rulebook.family import gather
from proxy.rulebook.faults import RulesError
from proxy.rulebook.files import NOTHING, Files
from proxy.rulebook.merge import Merged, Piece, merge
from proxy.rulebook.schema import ANY, RuleText

T = TypeVar("T")


def effective(name_or_path: str, contents: Mapping[Path, bytes] = NOTHING, *, shadow: bool = False) -> str:
    """The rules of `name_or_path` as one YAML text; the arguments are those of `build`. Raises RulesError."""
    members, faults = gather(name_or_path, Files(contents))
    if not faults:
        merged, faults = merge(members, shadow=shadow)
    if faults:
        raise RulesError(faults)
    return "".join(_Effective(merged).sections())


class _Effective:
    def __init__(self, merged: Merged) -> None:
        self.merged = merged
        self.main = merged.members[0]
        self.performed = merged.performed()

    def sections(self) -> Iterator[str]:
        """The text, key by key."""
        merged = self.merged
        yield f"# {', '.join(member.document.source for member in merged.members)}\n"
        yield "version: 1\n"
        if merged.name is not None:
            yield write({"name": merged.name})
        yield write({"threshold": merged.threshold})
        if merged.rehearsal:
            yield write({"mode": "shadow"})
        yield _items("countries", merged.countries, [[piece.written] for piece in merged.countries])
        yield _items("recognizers", merged.recognizers, [[self._dumped(piece)] for piece in merged.recognizers])
        entities, keys = self._used(merged.entities), self._used(merged.keys)
        yield _items("entities", entities.values(), [{name: self._dumped(one)} for name, one in entities.items()])
        yield _items("keys", keys.values(), [{name: one.written} for name, one in keys.items()])
        ignore = _items("ignore", merged.ignore, [[piece.written] for piece in merged.ignore])
        spoken = _items("subprotocols", merged.subprotocols, [[piece.written] for piece in merged.subprotocols])
        if ignore or spoken:
            yield f"structure:\n{indent(ignore + spoken, '  ')}"
        yield _items("allow", merged.allow, [[self._dumped(piece)] for piece in merged.allow])
        yield _items("rules", merged.rules, [[self._rule(piece)] for piece in merged.rules])
        yield _items("tests", merged.tests, [[_dump(piece.written)] for piece in merged.tests])

    def _used(self, named: Mapping[str, Piece[T]]) -> dict[str, Piece[T]]:
        """Without inherited entities that no rule is about any more."""
        about = {entity for piece in self.merged.rules for entity in piece.written.entities}
        return {name: piece for name, piece in named.items() if piece.member is self.main or about & {name, ANY}}

    def _rule(self, piece: Piece[RuleText]) -> dict[str, Any]:
        values = _dump(piece.written) | {"mode": "shadow" if self.performed.shadow(piece.written) else "enforce"}
        if piece.member is not self.main:
            values.pop("tests", None)
        for params in values["action"].values():
            kind, _, name = str(params.get("key", "")).partition(":")
            if kind == "file":
                params["key"] = f"file:{self._moved(name, piece)}"
        return values

    def _dumped(self, piece: Piece[Closed]) -> dict[str, Any]:
        """With the files that it names as they are called from the folder of the main file."""
        values = _dump(piece.written)
        for holder in (values, values.get("deny_list"), values.get("presidio")):
            if isinstance(holder, dict) and "file" in holder:
                holder["file"] = self._moved(holder["file"], piece)
        return values

    def _moved(self, file: str, piece: Piece[Closed]) -> str:
        return os.path.relpath(piece.member.path.parent / file, self.main.path.parent)


def _dump(written: Closed) -> dict[str, Any]:
    return written.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _items(key: str, pieces: Iterable[Piece[object]], values: Iterable[object]) -> str:
    """One key of the file, with a comment before each of its items; nothing if there are none."""
    items = "".join(
        f"  # {_place(piece)}\n{indent(write(value), '  ')}" for piece, value in zip(pieces, values, strict=True)
    )
    return f"{key}:\n{items}" if items else ""


def _place(piece: Piece[object]) -> str:
    document = piece.member.document
    return f"{document.source}:{document.place(piece.path)[0]}"
