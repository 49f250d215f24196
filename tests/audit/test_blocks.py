"""Blocks are read as they were written, however a file is cut, compressed or cut off."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit import blocks as reading
from proxy.audit.blocks import Reading, SegmentError, blocks
from proxy.audit.layout import Segment, segments
from tests.audit.logs import HandMade, message


def of(path: Path, data: bytes, *, sealed: bool = False) -> Segment:
    """A segment with these bytes."""
    file = path / ("20261119-000000.jsonl.gz" if sealed else "20261119-000000.jsonl")
    file.write_bytes(gzip.compress(data) if sealed else data)
    return Segment(0, file)


@pytest.fixture
def written(tmp_path) -> list[bytes]:
    log = HandMade(tmp_path / "audit")
    return [log.block(*[message(n) for n in range(1, size + 1)]) for size in (1, 3, 2)]


@pytest.mark.parametrize("sealed", [False, True])
def test_blocks_come_back_with_number_place_and_bytes(tmp_path, written, sealed):
    found = list(blocks(of(tmp_path, b"".join(written), sealed=sealed)))
    assert [block.data for block in found] == written
    assert [block.number for block in found] == [0, 1, 2]
    assert [len(block.lines) for block in found] == [1, 3, 2]
    places = [block.place for block in found]
    assert places == [0, len(written[0]), len(written[0] + written[1])]
    for number, place in enumerate(places):
        assert list(blocks(of(tmp_path, b"".join(written), sealed=sealed), place)) == found[number:]


@pytest.mark.parametrize("chunk", [1, 2, 5, 7, 100, 333])
def test_blocks_are_found_however_the_file_is_read(tmp_path, written, chunk, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", chunk)
    assert [block.data for block in blocks(of(tmp_path, b"".join(written)))] == written


def test_a_file_cut_anywhere_has_the_lines_that_are_whole_and_the_rest_is_torn(tmp_path, written):
    data = b"".join(written)
    for length in range(len(data)):
        read = Reading(of(tmp_path, data[:length]))
        found = b"".join(block.data for block in read)
        assert found == data[: data.rfind(b"\n", 0, length) + 1]
        assert (read.place, read.torn) == (len(found), length - len(found))


@pytest.mark.parametrize("rubbish", [b"\0" * 500, b"\0" * 500 + b"\n", b'{"b":3,"kind":"stop"}\n', b"{}\n"])
def test_a_last_line_that_is_no_event_is_torn(tmp_path, written, rubbish):
    read = Reading(of(tmp_path, b"".join(written) + rubbish))
    assert [block.data for block in read] == written
    assert read.torn == len(rubbish)


def test_a_segment_ends_where_its_reader_says(tmp_path, written):
    read = Reading(of(tmp_path, b"".join(written)), 0, len(written[0]) + 10)
    assert [block.data for block in read] == written[:1]
    assert read.torn == 10


@pytest.mark.parametrize("data", [b"", b"{", b'{"b":0,"kind"'])
def test_a_segment_in_which_nothing_is_whole_has_no_blocks(tmp_path, data):
    read = Reading(of(tmp_path, data))
    assert list(read) == []
    assert (read.place, read.torn) == (0, len(data))


def test_what_stands_in_front_of_the_first_block_is_told_with_its_place(tmp_path, written):
    with pytest.raises(SegmentError, match="no block begins at byte 0"):
        list(blocks(of(tmp_path, b"rubbish\n" + b"".join(written))))


def test_a_block_without_a_number_is_told_with_its_place(tmp_path, written):
    place = len(written[0])
    data = b"".join(written).replace(b'{"b":1,', b'{"b":x,')
    with pytest.raises(SegmentError, match=f"the block at byte {place} has no number"):
        list(blocks(of(tmp_path, data)))


def test_a_block_without_end_is_not_kept_in_memory(tmp_path, written, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 600)
    monkeypatch.setattr(reading, "CHUNK", 100)
    with pytest.raises(SegmentError, match="more than 600 bytes at byte"):
        list(blocks(of(tmp_path, b"".join(written))))


def test_a_compressed_file_that_was_cut_off_is_told(tmp_path, written):
    segment = of(tmp_path, b"".join(written), sealed=True)
    segment.path.write_bytes(segment.path.read_bytes()[:-12])
    with pytest.raises(SegmentError, match="cannot be decompressed"):
        list(blocks(segment))


@given(st.lists(st.integers(1, 4), max_size=30), st.integers(0, 30))
def test_any_log_is_read_segment_by_segment(tmp_path_factory, sizes, cut):
    folder = tmp_path_factory.mktemp("log")
    log = HandMade(folder)
    written = []
    for number, size in enumerate(sizes):
        if number == cut:
            log.rotate()
        written.append(log.block(*[message()] * size))
    found = [block for segment in segments(log.folder) for block in blocks(segment)]
    assert [block.data for block in found] == written
    assert [block.number for block in found] == list(range(len(sizes)))
