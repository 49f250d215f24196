"""Events are picked from a segment by their seq, whatever else stands in it."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit.blocks import SegmentError
from proxy.audit.layout import segments
from proxy.audit.pick import first, pick, present
from tests.audit.logs import HandMade, finding, message


def segment_of(directory, sizes: list[int], before: int = 0, sealed: bool = False):
    """A segment whose events have these numbers of findings, in blocks of up to three."""
    log = HandMade(directory)
    log.seq = before
    for start in range(0, len(sizes), 3):
        log.block(*[message(f=[finding()] * size) for size in sizes[start : start + 3]])
    path = log.folder / f"{log.name}.jsonl"
    if sealed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    return segments(log.folder)[0]


@given(
    st.lists(st.sampled_from([0, 1, 3, 60]), min_size=1, max_size=30),
    st.integers(0, 1000),
    st.booleans(),
    st.data(),
)
def test_every_event_is_found_by_its_seq_and_no_other_is(tmp_path_factory, sizes, before, sealed, data):
    segment = segment_of(tmp_path_factory.mktemp("pick"), sizes, before, sealed)
    last = before + len(sizes)
    wanted = sorted(data.draw(st.sets(st.integers(max(0, before - 3), last + 3), max_size=6)))
    picked = pick(segment, wanted)
    assert sorted(picked) == [seq for seq in wanted if before <= seq < last]
    assert all(len(event.f) == sizes[seq - before] for seq, event in picked.items())
    assert first(segment).seq == before


def test_lines_longer_than_what_is_read_at_once_are_found(tmp_path):
    segment = segment_of(tmp_path, [1, 5000, 1, 5000, 1])
    assert sorted(pick(segment, [0, 1, 2, 3, 4])) == [0, 1, 2, 3, 4]


def test_sealed_segments_of_several_megabytes_are_read_to_the_end(tmp_path):
    segment = segment_of(tmp_path, [10, 3000] * 10, sealed=True)
    assert sorted(pick(segment, [0, 9, 19])) == [0, 9, 19]


def test_a_torn_line_is_not_there_yet(tmp_path):
    segment = segment_of(tmp_path, [1, 1, 1])
    with segment.path.open("ab") as file:
        file.write(b'{"b":9,"kind":"mess')
    assert sorted(pick(segment, [1, 2, 3])) == [1, 2]


def test_an_empty_segment_has_no_events(tmp_path):
    segment = segment_of(tmp_path, [1])
    segment.path.write_bytes(b"")
    assert (pick(segment, [0]), first(segment)) == ({}, None)


@pytest.mark.parametrize("sealed", [False, True])
def test_damage_is_told_without_quoting_it(tmp_path, sealed):
    segment = segment_of(tmp_path, [1, 1, 1], sealed=sealed)
    raw = bytearray(segment.path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 9] = b'"anna"\n\n{'
    segment.path.write_bytes(raw)
    with pytest.raises(SegmentError) as caught:
        pick(segment, [0, 1, 2])
    assert "anna" not in str(caught.value)


def test_a_segment_that_was_sealed_meanwhile_is_found_under_its_new_name(tmp_path):
    segment = segment_of(tmp_path, [1])
    assert present(segment) == segment
    segment.path.rename(segment.path.with_name(segment.path.name + ".gz"))
    assert present(segment).sealed
    assert present(segment).path.exists()
