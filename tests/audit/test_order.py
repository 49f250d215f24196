"""Rows of closed segments are found through a file that knows their order, and forgets the erased ones."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit import marks
from proxy.audit.layout import Segment
from proxy.audit.marks import GONE, ROW, scan
from proxy.audit.people import order

SOME = st.lists(
    st.sampled_from([bytes([one]) * 16 for one in range(5)]) | st.binary(min_size=16, max_size=16), max_size=20
)


def content(prints: list[bytes]) -> bytes:
    return b"".join(ROW.pack(n, 0, 1, os.urandom(16), one) for n, one in enumerate(prints))


@pytest.fixture
def segment(tmp_path):
    return Segment(0, tmp_path / "20261122-000000.jsonl.gz")


@given(SOME, st.binary(min_size=16, max_size=16))
def test_the_order_finds_what_reading_everything_finds(tmp_path_factory, prints, absent):
    segment = Segment(0, tmp_path_factory.mktemp("order") / "20261122-000000.jsonl")
    data = content(prints)
    for wanted in {*prints, absent} - {GONE}:
        assert sorted(order.find(segment, data, [wanted])) == list(scan(data, [wanted]))
    assert not order.missing(segment) or not {*prints, absent} - {GONE}


def test_the_file_is_private_holds_no_fingerprint_and_is_used_again(segment, monkeypatch):
    prints = [os.urandom(16) for _ in range(50)]
    data = content(prints)
    assert order.missing(segment)
    assert list(order.find(segment, data, [prints[7]])) == [7]
    kept = segment.beside("order")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert not any(one[at : at + 4] in kept.read_bytes()[24:] for one in prints for at in range(13))
    monkeypatch.setattr(order, "_sorted", None)
    assert list(order.find(segment, data, [prints[9]])) == [9]


@pytest.mark.parametrize(
    "damage", [b"", b"hw-ord-1", b"x" * 224, b"hw-ord-1" + b"\x32" + bytes(7) + b"\xff" * 208]
)
def test_a_damaged_file_is_made_anew(segment, damage):
    prints = [os.urandom(16) for _ in range(50)]
    segment.beside("order").write_bytes(damage)
    assert list(order.find(segment, content(prints), [prints[7]])) == [7]


def test_a_file_with_one_bit_changed_hides_no_row(segment):
    prints = [os.urandom(16) for _ in range(20)]
    data = content(prints)
    list(order.find(segment, data, prints))
    whole = segment.beside("order").read_bytes()
    for place in range(len(whole)):
        segment.beside("order").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert [list(order.find(segment, data, [one])) for one in prints] == [[number] for number in range(20)]


def test_erased_rows_are_not_in_the_order_that_is_made_next(segment):
    prints = [os.urandom(16) for _ in range(5)]
    segment.beside("marks").write_bytes(content(prints))
    list(order.find(segment, content(prints), [prints[0]]))
    order.forget(segment)
    assert order.missing(segment)
    marks.erase(segment.beside("marks"), [3])
    data = segment.beside("marks").read_bytes()
    assert [list(order.find(segment, data, [one])) for one in prints] == [[0], [1], [2], [], [4]]
    assert segment.beside("order").stat().st_size == 24 + 4 * 4
    order.forget(segment)
    order.forget(segment)
