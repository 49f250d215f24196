"""Reading near given places gives the leaves that they touch, as if all had been read and the others left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.codecs import CODECS, JSON
from proxy.codecs.nearby import LARGEST, touched
from proxy.codecs.scan import Span, scan
from tests.codecs.test_laws import JSONISH, payloads

PLACES = st.lists(st.integers(0, 400), max_size=4)


def expected(text: str, places: list[int]) -> list[Span]:
    """What `touched` is to say of a valid document, from what `scan` says, slowly."""
    places = [*places, *_spelt_with_escapes(text)]
    inside = [range(start, end) for start, end in _containers(text) if start in places]
    return [
        (path, start, end)
        for path, start, end in scan(text) or ()
        if any(start <= place <= end + 1 for place in places) or any(start in container for container in inside)
    ]


def _strings(text: str) -> Iterator[re.Match[str]]:
    return re.finditer(r'"((?:[^"\\]|\\.)*)"', text)


def _spelt_with_escapes(text: str) -> Iterator[int]:
    for one in _strings(text):
        if "\\" in one[1]:
            yield one.start(1)
            behind = re.compile(r"\s*:\s*.").match(text, one.end())
            if behind:
                yield behind.end()


def _containers(text: str) -> Iterator[tuple[int, int]]:
    """The inside of every object and array."""
    signs = re.sub(r'"(?:[^"\\]|\\.)*"', lambda one: "-" * len(one[0]), text)
    opened = []
    for at, sign in enumerate(signs):
        if sign in "{[":
            opened.append(at + 1)
        elif sign in "}]":
            yield opened.pop(), at


@settings(max_examples=1000, deadline=None)
@given(payloads(), PLACES, st.data())
def test_near_some_places_are_the_spans_that_they_touch(
    payload: bytes, places: list[int], data: st.DataObject
) -> None:
    text = payload.decode()
    known = [place for _, start, end in scan(text) or () for place in (start - 1, start, end, end + 1, end + 2)]
    known += [start for start, _ in _containers(text)]
    places = [place for place in places if place <= len(text)]
    places += data.draw(st.lists(st.sampled_from(known or [0]), max_size=4))
    assert touched(text, places) == expected(text, places)


@settings(max_examples=500, deadline=None)
@given(payloads() | JSONISH.map(str.encode), PLACES)
def test_what_is_read_near_places_is_read_everywhere_too_and_in_the_same_order(
    payload: bytes, places: list[int]
) -> None:
    places = [place for place in places if place <= len(payload)]
    for codec in CODECS.values():
        everywhere = list(codec.read(payload))
        near = list(codec.read(payload, places))
        rest = iter(everywhere)
        assert all(leaf in rest for leaf in near)
        characters = [len(payload[:place].decode(errors="ignore")) for place in places]
        for leaf in everywhere:
            if codec is JSON and any(leaf.start <= place <= leaf.end + 1 for place in characters):
                assert leaf in near


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ('{"a":"x","b":"y"}', 6, ["$.a"]),
        ('{"a":"x","b":"y"}', 8, ["$.a"]),  # behind the quote: what ended the value was the quote
        ('{"a":"x","b":"y"}', 9, []),
        ('{"a":"x","b":"y"}', 2, ["$.a~"]),
        ('{"n":1234,"b":"y"}', 6, ["$.n"]),
        ('{"n":1234,"b":"y"}', 10, ["$.n"]),
        ('{"n":1234,"b":"y"}', 5, ["$.n"]),
        ('{"n":123,"b":"y"}', 6, ["$.n"]),
        ('{"n":12,"b":"y"}', 6, []),
        ('{"a":{"b":[7,["x",12.50]],"c":{}},"d":"y"}', 6, ["$.a.b~", "$.a.b[1][0]", "$.a.b[1][1]", "$.a.c~"]),
        ('{"a":[[],"x",["y"]],"d":"z"}', 6, ["$.a[1]", "$.a[2][0]"]),
        ('[[1,2],{},"x",NaN,-Infinity,"y"]', 29, ["$[5]"]),
        ('{"\\u0061":"x","b":"y"}', 0, ["$.a~", "$.a"]),
        ('{"\\u0061":{"b":["x"]},"b":"y"}', 0, ["$.a~", "$.a.b~", "$.a.b[0]"]),
        ('{"\\u0061":1234,"b":"y"}', 0, ["$.a~", "$.a"]),
        ('{"a":"\\"","b":"y","c":"\\\\"}', 0, ["$.a", "$.c"]),
        ('{"a":"\\\\\\"","b":"y"}', 0, ["$.a"]),
        ('["\\"","\\\\",{"a":"y"}]', 18, ["$[0]", "$[1]", "$[2].a"]),
    ],
)
def test_a_place_touches(text: str, place: int, found: list[str]) -> None:
    assert [path for path, _, _ in touched(text, [place]) or ()] == found


@pytest.mark.parametrize(
    "text",
    [
        '"x"',
        "1234",
        "",
        '{"a":"x"',
        '{"a":"x",}',
        '\ufeff{"a":"x"}',
        '["\t"]',
        "[" * 100_000 + "1234" + "]" * 100_000,
        "[" + "1" * 5_000 + "]",
        '["' + "x" * LARGEST + '"]',
    ],
)
def test_what_only_a_whole_reading_can_tell_is_read_whole(text: str) -> None:
    assert touched(text, [2]) is None
    assert JSON.read(text.encode(), []) == JSON.read(text.encode())


def test_a_long_path_is_cut_where_it_always_is() -> None:
    text = '{"' + "k" * 70 + '":' + '{"odd key":' * 40 + '["x",1234]' + "}" * 41
    assert touched(text, [1]) == scan(text)


def test_places_are_counted_in_bytes() -> None:
    payload = '{"ключ":"é","b":"y"}'.encode()
    assert [leaf.path for leaf in JSON.read(payload, [payload.index(b'y"')])] == ["$.b"]
    assert [leaf.text for leaf in JSON.read(payload, [payload.index(b'","b')])] == ["é"]
