"""An example written otherwise, in every way in which the same value reaches a proxy: it must be found in each.

In a JSON text, in one that is escaped, in JSON that is itself a string; in other case, with full-width digits.
Fragments are no case of their own: the wire joins a message before anybody looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from proxy.codecs import choose
from proxy.core.finding import Finding, clusters
from proxy.core.message import Edit, Kind, Leaf
from proxy.core.policy import Policy

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001 - that is the point
KEYS = ("text", "data", "note", "x")  # that say nothing about their values


class Mutation(NamedTuple):
    """An example as a message, and how it differs from what stands in the file."""

    how: str
    text: str


def wrapped(text: str, policy: Policy) -> Iterator[Mutation]:
    """The same content in JSON, whatever it is."""
    key = next((key for key in KEYS if policy.ignores is None or not policy.ignores(f"$.{key}")), KEYS[0])
    content = _content(text)
    yield Mutation("in JSON", _dumped({key: content}))
    yield Mutation("in JSON, escaped", _escaped({key: content}))
    inner = _dumped({key: content}) if isinstance(content, str) else _dumped(content)
    yield Mutation("in JSON in a string", _dumped({key: inner}))


def _content(text: str) -> Any:
    """What a message says: an object or a list of JSON, else itself."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return content if isinstance(content, dict | list) else text


def _dumped(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def _escaped(content: Any) -> str:
    """JSON in which every character of every text is spelt \\uXXXX."""
    if isinstance(content, dict):
        return "{" + ", ".join(f"{_escaped(key)}: {_escaped(value)}" for key, value in content.items()) + "}"
    if isinstance(content, list):
        return "[" + ", ".join(map(_escaped, content)) + "]"
    if isinstance(content, str):
        units = content.encode("utf-16-be", "surrogatepass")
        return '"' + "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2)) + '"'
    return json.dumps(content)


def respelt(
    text: str, found: Sequence[tuple[Leaf, Finding]], blind: Callable[[Finding], bool]
) -> Iterator[Mutation]:
    """With the values that were `found` spelt otherwise: in other case where their entity is `blind` to it."""
    caseless = [(leaf, one) for leaf, one in found if blind(one)]
    texts = [(leaf, one) for leaf, one in found if not leaf.number]
    for how, some, spell in (
        ("in upper case", caseless, str.upper),
        ("in lower case", caseless, str.lower),
        ("with full-width digits", texts, lambda value: value.translate(FULL_WIDTH)),
    ):
        if some and (other := _rewritten(text, some, spell)) != text:
            yield Mutation(how, other)


def _rewritten(text: str, found: Sequence[tuple[Leaf, Finding]], spell: Callable[[str], str]) -> str:
    payload = text.encode()
    places: dict[Leaf, list[Finding]] = {}
    for leaf, one in found:
        places.setdefault(leaf, []).append(one)
    edits = [
        Edit(leaf, start, end, spell(leaf.text[start:end]))
        for leaf, some in places.items()
        for start, end in ((group[0].start, max(one.end for one in group)) for group in clusters(some))
    ]
    return choose(Kind.TEXT, payload).write(payload, edits).decode()
