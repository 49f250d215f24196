"""What must hold for every payload, checked against `json` as the judge."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxy.codecs import CODECS, JSON, OPAQUE, TEXT, choose
from proxy.codecs.scan import MIN_DIGITS, scan
from proxy.core.message import Edit, Kind, Leaf

# Strings without backslashes here: a string that still holds one is looked at decoded once more
# (test_nested_json.py), which `json` knows nothing of. What they turn into escapes is plenty.
TEXTS = st.text(st.characters(exclude_characters="\\", exclude_categories=()), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS


def wrap(child: Any) -> str:
    return json.dumps([child, {"k": child}])


DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4) | st.builds(wrap, inner),
    max_leaves=12,
)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """A JSON object or array as some library might write it."""
    document = draw(st.lists(DOCUMENTS, max_size=4) | st.dictionaries(TEXTS, DOCUMENTS, max_size=4))
    indent = draw(st.sampled_from([None, 0, 2, "\t"]))
    separators = draw(st.sampled_from([None, (",", ":"), (" ,\r\n", " :  ")]))
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    with contextlib.suppress(UnicodeEncodeError):
        return text.encode()
    return json.dumps(document).encode()  # lone surrogates exist as escapes only


class Pairs(list[tuple[str, Any]]):
    """A JSON object whose keys may repeat."""


def loads(text: str | bytes) -> Any:
    return json.loads(text, object_pairs_hook=Pairs)


def inner(text: str, depth: int) -> Any:
    """The document in a string, if it is an object or array that holds strings; else None."""
    if depth >= 8 or not text.lstrip(" \t\r\n\ufeff").startswith(("{", "[")):
        return None
    try:
        document = loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError:
        return None
    return document if list(strings(document)) else None


def strings(value: Any, depth: int = 1) -> Iterator[str]:
    """All strings of a parsed document in order, those of documents in strings included."""
    if isinstance(value, str):
        document = inner(value, depth)
        yield from [value] if document is None else strings(document, depth + 1)
    elif isinstance(value, Pairs):
        for key, item in value:
            yield from (*strings(key, depth), *strings(item, depth))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, depth)


def shape(value: Any, depth: int = 1) -> Any:
    """A document with its strings blanked."""
    if isinstance(value, str):
        document = inner(value, depth)
        return "" if document is None else ("in a string", shape(document, depth + 1))
    if isinstance(value, Pairs):
        return {"pairs": [(shape(key, depth), shape(item, depth)) for key, item in value]}
    if isinstance(value, list):
        return [shape(item, depth) for item in value]
    return repr(value)


def joined(text: str) -> str:
    """Surrogates that have come to stand side by side are one character to every JSON parser."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@st.composite
def edited(draw: st.DrawFn, leaves: Sequence[Leaf]) -> tuple[list[Edit], list[str]]:
    """Edits of some leaves, at most two each, and the texts that the leaves should have afterwards."""
    new = st.text(st.characters(exclude_characters="\\", exclude_categories=("Cs",)), max_size=8)
    edits, expected = [], []
    for leaf in leaves:
        if leaf.number:
            continue
        cuts = sorted(draw(st.lists(st.integers(0, len(leaf.text)), max_size=4)))
        text, done = "", 0
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            edits.append(Edit(leaf, start, end, draw(new)))
            text += leaf.text[done:start] + edits[-1].text
            done = end
        expected.append(text + leaf.text[done:])
    return edits, expected


def gaps(text: str, leaves: Sequence[Leaf]) -> list[str]:
    bounds = [0, *(place for leaf in leaves for place in (leaf.start, leaf.end)), len(text)]
    return [text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True)]


@given(payloads())
@settings(max_examples=300, deadline=None)
def test_the_leaves_are_the_strings_that_json_finds(payload: bytes) -> None:
    assert [leaf.text for leaf in JSON.read(payload) if not leaf.number] == list(strings(loads(payload)))


class Number(str):
    """A number as it was spelt."""

    __slots__ = ()


def numbers(value: Any, depth: int = 1) -> Iterator[str]:
    """The spelling of all numbers of a document in order, those of documents in strings included."""
    if isinstance(value, Number):
        yield str(value)
    elif isinstance(value, str):
        if inner(value, depth) is not None:
            yield from numbers(spelt(value), depth + 1)
    elif isinstance(value, Pairs):
        for key, item in value:
            yield from (*numbers(key, depth), *numbers(item, depth))
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item, depth)


def spelt(text: str | bytes) -> Any:
    return json.loads(text, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


@given(payloads())
@settings(max_examples=300, deadline=None)
def test_the_number_leaves_are_the_longer_numbers_that_json_finds(payload: bytes) -> None:
    expected = [number for number in numbers(spelt(payload)) if len(number) >= MIN_DIGITS]
    assert [leaf.text for leaf in JSON.read(payload) if leaf.number] == expected


@given(payloads())
@settings(max_examples=200, deadline=None)
def test_a_replaced_number_leaves_valid_json_and_the_rest(payload: bytes) -> None:
    leaves = [leaf for leaf in JSON.read(payload) if leaf.number]
    out = JSON.write(payload, [Edit(leaf, 0, len(leaf.text), "0") for leaf in leaves])
    assert list(strings(loads(out))) == list(strings(loads(payload)))
    replaced = ["0" if len(number) >= MIN_DIGITS else number for number in numbers(spelt(payload))]
    assert list(numbers(spelt(out))) == replaced


@given(payloads())
@settings(deadline=None)
def test_leaves_come_in_order_and_never_overlap(payload: bytes) -> None:
    places = [place for leaf in JSON.read(payload) for place in (leaf.start, leaf.end)]
    assert places == sorted(places)


@given(payloads(), st.data())
@settings(max_examples=400, deadline=None)
def test_written_json_is_the_document_with_its_strings_replaced(payload: bytes, data: st.DataObject) -> None:
    leaves = JSON.read(payload)
    edits, expected = data.draw(edited(leaves))
    expected = [joined(text) for text in expected]
    assume(all(inner(text, 1) is None for text in expected))
    out = JSON.write(payload, edits)
    assert list(strings(loads(out))) == expected
    assert shape(loads(out)) == shape(loads(payload))
    again = JSON.read(out)
    assert [leaf.text for leaf in again if not leaf.number] == expected
    assert gaps(out.decode(), again) == gaps(payload.decode(), leaves)


@given(payloads(), st.data())
@settings(max_examples=500, deadline=None)
def test_a_damaged_document_is_json_to_us_exactly_if_it_is_to_json(payload: bytes, data: st.DataObject) -> None:
    text = payload.decode()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 2))
        text = text[:start] + data.draw(st.text('{}[]",:\\u08dntf1.-+eE \n\x0c\xa0NaI', max_size=2)) + text[end:]
    try:
        json.loads(text)
    except json.JSONDecodeError:
        assert scan(text) is None
    else:
        assert scan(text) is not None


def spelling_of(prefix: str, raw: str) -> int:
    """How many characters of the JSON spelling `raw` make up `prefix`; found by trying."""
    for size in range(len(raw) + 1):
        with contextlib.suppress(json.JSONDecodeError):
            if json.loads(f'"{raw[:size]}"') == prefix:
                return size
    raise AssertionError("no prefix of the spelling decodes to it")


ESCAPED = st.text(st.sampled_from('ab"\\/\n\x01é😀\ud800'), max_size=10)


@given(ESCAPED, ESCAPED, st.booleans())
@settings(deadline=None)
def test_within_a_string_all_but_the_edited_span_keeps_its_spelling(
    head: str, tail: str, ascii_only: bool
) -> None:
    raw = json.dumps(f"{head}BOB{tail}", ensure_ascii=ascii_only or "\ud800" in head + tail)[1:-1]
    payload = f'["{raw}"]'.encode()
    (leaf,) = JSON.read(payload)
    start = leaf.text.index("BOB")
    out = JSON.write(payload, [Edit(leaf, start, start + 3, "X")])
    assert out.decode() == f'["{raw.replace("BOB", "X")}"]'


@given(TEXTS, st.integers(0, 12), st.integers(0, 12))
@settings(deadline=None)
def test_the_span_of_an_edit_in_the_payload_spells_the_text_it_replaces(text: str, one: int, two: int) -> None:
    raw = json.dumps(text)[1:-1]
    payload = f'"{raw}"'.encode()
    (leaf,) = JSON.read(payload)
    start, end = sorted((min(one, len(leaf.text)), min(two, len(leaf.text))))
    first, last = spelling_of(leaf.text[:start], raw), spelling_of(leaf.text[:end], raw)
    out = JSON.write(payload, [Edit(leaf, start, end, "<E>")])
    assert out.decode() == f'"{raw[:first]}<E>{raw[last:]}"'


@given(payloads())
@settings(deadline=None)
def test_without_edits_the_very_same_object_is_returned(payload: bytes) -> None:
    for codec in CODECS.values():
        assert codec.write(payload, []) is payload


SECRET = "bob@x.org"


@given(st.lists(st.sampled_from(["{}", "\\u{:04x}", "\\u{:04X}"]), min_size=9, max_size=9), st.data())
@settings(max_examples=300, deadline=None)
def test_no_spelling_at_no_depth_hides_a_text_even_if_the_document_is_broken(
    spellings: list[str], data: st.DataObject
) -> None:
    raw = "".join(s.format(c if s == "{}" else ord(c)) for s, c in zip(spellings, SECRET, strict=True))
    payload = f'{{"a":"{raw}"'
    if data.draw(st.booleans()):
        payload += "}"
    for _ in range(data.draw(st.integers(0, 3))):
        payload = data.draw(st.sampled_from(["[{}]", "[{},", '42["x",{}]', "{}"])).format(json.dumps(payload))
    codec = choose(Kind.TEXT, payload.encode())
    leaves = codec.read(payload.encode())
    (hit,) = [leaf for leaf in leaves if SECRET in leaf.text]
    start = hit.text.index(SECRET)
    out = codec.write(payload.encode(), [Edit(hit, start, start + len(SECRET), "<E>")])
    spelt = out.decode().split("<E>")
    assert len(spelt) == 2
    assert payload.startswith(spelt[0])
    assert payload.endswith(spelt[1])


JSONISH = st.text(st.sampled_from('{}[]",:\\u0041ntxd8 \n\ufeffé') | st.characters(exclude_categories=("Cs",)))


@given(JSONISH, st.data())
@settings(max_examples=400, deadline=None)
def test_any_text_can_be_read_and_rewritten(text: str, data: st.DataObject) -> None:
    for codec in (TEXT, JSON):
        leaves = codec.read(text.encode())
        edits, _ = data.draw(edited(leaves))
        out = codec.write(text.encode(), edits)
        if not edits:
            assert out == text.encode()
        if len(leaves) != 1 or leaves[0].path:
            json.loads(out.decode().removeprefix("\ufeff"))


@given(st.binary() | JSONISH.map(str.encode), st.sampled_from(Kind))
@settings(deadline=None)
def test_any_bytes_can_be_read_or_are_no_utf8(payload: bytes, kind: Kind) -> None:
    codec = choose(kind, payload)
    try:
        codec.read(payload)
    except UnicodeDecodeError:
        assert kind is Kind.TEXT
    OPAQUE.read(payload)


RUNS = st.lists(st.binary(max_size=6) | st.text(st.sampled_from("bob@x.org\\u0040"), min_size=6).map(str.encode))


@given(RUNS, st.data())
@settings(max_examples=300, deadline=None)
def test_opaque_payloads_keep_their_length_and_every_byte_outside_the_runs(
    parts: list[bytes], data: st.DataObject
) -> None:
    payload = b"".join(parts)
    leaves = OPAQUE.read(payload)
    edits, _ = data.draw(edited(leaves))
    out = OPAQUE.write(payload, edits)
    assert len(out) == len(payload)
    spans = [(edit.leaf, edit.start, edit.end) for edit in edits if edit.start < edit.end]
    touched = {place for leaf, start, end in spans for place in range(*bytes_of(leaf, start, end))}
    assert all(out[place] == payload[place] for place in range(len(payload)) if place not in touched)


def bytes_of(leaf: Leaf, start: int, end: int) -> tuple[int, int]:
    """The bytes that an edit of a leaf may touch: exactly its own, if the leaf has no escapes."""
    if leaf.depth:
        return leaf.start, leaf.end
    stride = (leaf.end - leaf.start + 1) // len(leaf.text)
    return leaf.start + stride * start, leaf.start + stride * end
