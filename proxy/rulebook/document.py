"""YAML text -> plain values, and where each of them stands. Knows nothing about rules.

The YAML is the part of version 1.2 that rule files need: `NO` and `08:15` are texts, a key stands once, and
there are no tags, anchors or second documents, so nothing can be built, shared or hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from proxy.rulebook.faults import Fault, RulesError, quoted
from proxy.rulebook.pace import breathe

Path = tuple[str | int, ...]
MAX_DEPTH = 32
MAX_LENGTH = 1 << 20  # characters
HALF = "half of a surrogate pair, which is no text"

NULL, BOOL, INT, FLOAT, STR = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str"))


class _Composer(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2's core schema does (section 10.3.2), without octal and hex."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name

    def compose_node(self, parent: Any, index: Any) -> Any:
        """As PyYAML does it, with rests: no other part of building takes so long."""
        breathe()
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    (NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (INT, r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    (FLOAT, r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?", list("-+.0123456789")),
):
    _Composer.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})$"), _first)


@dataclass(slots=True)
class Document:
    """A rule file taken apart. `keys` and `values` tell the (line, column) of a path, both from 1; `widths` how
    many characters stand there, if it is one line."""

    source: str
    data: Any = None
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    widths: dict[tuple[int, int], int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Where `path` stands, or the nearest thing around it that the file holds; (0, 0) if there is nothing."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            if place := first.get(path[:length]) or second.get(path[:length]):
                return place
        return 0, 0

    def fault(
        self, path: Path, code: str, sentence: str, cure: str = "", instead: str = "", *, at_key: bool = False
    ) -> Fault:
        """A fault at `path`."""
        return self.fault_at(self.place(path, at_key=at_key), code, sentence, cure, instead)

    def fault_at(
        self, place: tuple[int, int], code: str, sentence: str, cure: str = "", instead: str = ""
    ) -> Fault:
        """A fault at a line and column."""
        return Fault(self.source, *place, code, sentence, cure, self.widths.get(place, 0), instead)

    def note(self, node: yaml.Node) -> tuple[int, int]:
        """Where `node` stands, and remember how wide it is. A mapping comes before the key that it begins with."""
        start, end = node.start_mark, node.end_mark
        place = start.line + 1, start.column + 1
        if start.line == end.line:
            self.widths[place] = end.column - start.column
        return place


def read(text: str, source: str) -> Document:
    """Take `text` apart. What YAML cannot read raises RulesError; what we do not allow is in `faults`."""
    document = Document(source)
    if len(text) > MAX_LENGTH:
        raise RulesError([Fault(source, 0, 0, "E006", f"more than {MAX_LENGTH} characters", "split the rules")])
    try:
        node = yaml.compose(text, _Composer)
    except yaml.MarkedYAMLError as error:
        raise RulesError([_syntax(error, source)]) from None  # its text quotes the file
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        sentence = "a control character, which YAML does not allow"
        raise RulesError([Fault(source, line, column, "E003", sentence)]) from None
    except RecursionError:
        raise RulesError([Fault(source, 0, 0, "E006", f"nested more than {MAX_DEPTH} levels deep")]) from None
    if node is None:
        raise RulesError([Fault(source, 0, 0, "E006", "the file is empty", "the smallest is: version: 1")])
    document.data = _plain(node, (), document, set())
    return document


def _syntax(error: yaml.MarkedYAMLError, source: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    sentence = f"not YAML: {' '.join(filter(None, (error.context, error.problem)))}"
    return Fault(source, *place, "E003", sentence, "indent with spaces" if "'\\t'" in sentence else "")


def _plain(node: yaml.Node, path: Path, document: Document, seen: set[int]) -> Any:
    breathe()
    document.values[path] = document.note(node)
    if id(node) in seen:
        fault = document.fault(path, "E004", "anchors and aliases are not supported", "write it out")
        document.faults.append(fault)
        return None
    seen.add(id(node))
    if len(path) > MAX_DEPTH:
        document.faults.append(document.fault(path, "E006", f"nested more than {MAX_DEPTH} levels deep"))
        return None
    if isinstance(node, yaml.MappingNode) and node.tag == yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG:
        return dict(_members(node, path, document, seen))
    if isinstance(node, yaml.SequenceNode) and node.tag == yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG:
        return [_plain(item, (*path, i), document, seen) for i, item in enumerate(_taken(node))]
    known = isinstance(node, yaml.ScalarNode) and node.tag in SCALARS
    if known and _whole(node.value):
        return SCALARS[node.tag](node.value)
    sentence = HALF if known else "tags (!name) are not supported"
    document.faults.append(document.fault(path, "E004", sentence))
    return None


def _members(node: yaml.MappingNode, path: Path, document: Document, seen: set[int]) -> Iterator[tuple[str, Any]]:
    names: set[str] = set()
    for key, value in _taken(node):
        if not isinstance(key, yaml.ScalarNode) or key.tag != STR:
            place = document.note(key)
            document.faults.append(document.fault_at(place, "E004", "a key must be a text", "put it in quotes"))
            continue
        name: str = key.value
        place = document.note(key)
        if not _whole(name):
            document.faults.append(document.fault_at(place, "E004", HALF))
            continue
        if name in names:
            sentence = f"the key {quoted(name)} stands here for a second time; only one of them could count"
            document.faults.append(document.fault_at(place, "E005", sentence))
            continue
        names.add(name)
        document.keys[(*path, name)] = place
        yield name, _plain(value, (*path, name), document, seen)


def _whole(text: str) -> bool:
    """Whether UTF-8 can hold `text`: YAML reads `\\uD83D` as half of a surrogate pair."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _taken(node: yaml.CollectionNode) -> Iterator[Any]:
    """What is in `node`, in order, and let go of piece by piece: freed all at once, the nodes of 500 rules would
    hold up every other thread for 24 ms."""
    items = node.value[::-1]
    node.value.clear()
    while items:
        yield items.pop()


SCALARS: dict[str, Callable[[str], Any]] = {
    NULL: lambda _: None,
    BOOL: lambda text: text.lower() == "true",
    INT: int,
    FLOAT: float,
    STR: str,
}


class _Emitter(yaml.SafeDumper):
    """Writes what `read` reads back as the same values."""

    yaml_implicit_resolvers = _Composer.yaml_implicit_resolvers

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def write(value: Any) -> str:
    """`value` as YAML, in the order in which it stands."""
    text: str = yaml.dump(value, Dumper=_Emitter, sort_keys=False, allow_unicode=True, width=115)
    return text
