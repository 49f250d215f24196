"""Paths as people write them mean the paths that a codec gives its leaves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codecs.scan import scan
from proxy.rulebook.paths import among, spelt

THERE = [
    ("$", "$"),
    ("$.id", "$.id"),
    ("$.items[].id", "$.items[12].id"),
    ("$.items[0].id", "$.items[0].id"),
    ("$[0]", "$[0]"),
    ("$..trace_id", "$.trace_id"),
    ("$..trace_id", '$.a[3]["b c"].trace_id'),
    ("$.meta.*", "$.meta.x"),
    ("$.meta.*", "$.meta[1]"),
    ("$.meta..*", "$.meta.x[0].y"),
    ('$["odd key"]', '$["odd key"]'),
    ('$["plain"]', "$.plain"),
    ("$.message-id", "$.message-id"),
    ("$.größe", "$.größe"),
]
NOT_THERE = [
    ("$.id", "$.id~"),
    ("$.id", "$.id.x"),
    ("$.id", "$.a.id"),
    ("$.id", "$.idx"),
    ("$.i.d", "$.ixd"),
    ("$.items[0].id", "$.items[1].id"),
    ("$.items[].id", "$.items.id"),
    ("$..id", "$.id~"),
    ("$..*", "$"),
    ("$.meta.*", "$.meta.x.y"),
    ("$.meta.*", "$.meta.x~"),
    ("$.meta", '$["meta.x"]'),
    ("$..id", "$\N{HORIZONTAL ELLIPSIS}.id"),
]


@pytest.mark.parametrize(("written", "path"), THERE)
def test_a_path_means_the_values_that_stand_there(written: str, path: str) -> None:
    paths = among([written])
    assert paths is not None and paths(path)


@pytest.mark.parametrize(("written", "path"), NOT_THERE)
def test_a_path_means_nothing_else(written: str, path: str) -> None:
    paths = among([written])
    assert paths is not None and not paths(path)


@pytest.mark.parametrize(
    "written", ["id", "", "$id", "$.", "$.a.", "$...a", "$[x]", '$["x]', "$.a b", "$.a~", "$[-1]"]
)
def test_what_is_no_path_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"path|JSON"):
        spelt(written)


def test_no_paths_are_nobodys() -> None:
    assert among([]) is None


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
def test_the_path_of_any_value_can_be_written(value: object) -> None:
    spans = scan(json.dumps(value, ensure_ascii=False)) or []
    for path in {path for path, _, _ in spans if not path.endswith("~") and "\N{HORIZONTAL ELLIPSIS}" not in path}:
        paths = among([path])
        assert paths is not None and paths(path)
