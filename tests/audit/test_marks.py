"""Rows of fingerprints are read, found by their bytes, and erased in place."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit.marks import GONE, ROW, Row, commitment, erase, opened, row_at, rows, scan

PRINTS = st.binary(min_size=16, max_size=16)


def file_of(path, *prints: bytes, seq: int = 0):
    path.write_bytes(b"".join(ROW.pack(seq + n, 0, 1, bytes([n + 1]) * 16, one) for n, one in enumerate(prints)))
    return path


def test_rows_are_read_as_they_were_written(tmp_path):
    path = file_of(tmp_path / "marks", b"a" * 16, b"b" * 16)
    first, second = rows(path)
    assert first == Row(0, 0, 1, b"\1" * 16, b"a" * 16)
    assert second.c == commitment(b"\2" * 16, b"b" * 16)


def test_a_torn_row_is_none(tmp_path):
    path = file_of(tmp_path / "marks", b"a" * 16, b"b" * 16)
    os.truncate(path, 2 * ROW.size - 1)
    assert [row.seq for row in rows(path)] == [0]


def test_many_rows_are_read_piece_by_piece(tmp_path):
    path = file_of(tmp_path / "marks", *[b"a" * 16] * 250)
    path.write_bytes(path.read_bytes() * 40)
    assert sum(1 for _ in rows(path)) == 10_000


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(rows(tmp_path / "marks"))
    erase(tmp_path / "marks", [0])
    assert not (tmp_path / "marks").exists()


@given(st.lists(st.sampled_from([b"a" * 16, b"ab" * 8, b"b" * 16, b"\1" * 16]), max_size=12), st.data())
def test_a_scan_finds_the_rows_and_no_other_bytes(prints, data):
    """Salts, and salts with the beginnings of fingerprints, look like fingerprints too."""
    content = b"".join(
        ROW.pack(n, 0, 1, data.draw(st.sampled_from([b"a" * 16, b"\1" * 16])), p) for n, p in enumerate(prints)
    )
    for wanted in {*prints, b"\1" * 16}:
        assert list(scan(content, [wanted])) == [n for n, one in enumerate(prints) if one == wanted]


@given(st.lists(PRINTS, min_size=1, max_size=8), st.data())
def test_what_is_erased_is_gone_and_all_else_is_as_it_was(tmp_path_factory, prints, data):
    path = file_of(tmp_path_factory.getbasetemp() / "some.marks", *prints)
    before = list(rows(path))
    chosen = data.draw(st.sets(st.integers(0, len(prints) - 1)))
    erase(path, chosen)
    for number, (was, now) in enumerate(zip(before, rows(path), strict=True)):
        assert now == (was._replace(salt=GONE, fingerprint=GONE) if number in chosen else was)
        assert now.gone == (number in chosen or was.fingerprint == GONE)


def test_a_disk_that_takes_rows_by_the_byte_gets_all_of_them(tmp_path, monkeypatch):
    path = file_of(tmp_path / "marks", b"a" * 16, b"b" * 16)
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: whole(file, data[:5], at))
    erase(path, [0])
    assert [row.gone for row in rows(path)] == [True, False]
    assert b"a" not in path.read_bytes()


def test_rows_of_a_closed_segment_are_looked_at_where_they_lie(tmp_path):
    with opened(file_of(tmp_path / "marks", b"a" * 16, b"b" * 16)) as data:
        assert row_at(data, 1).fingerprint == b"b" * 16
    with opened(file_of(tmp_path / "none")) as data:
        assert data == b""


def test_a_row_has_44_bytes():
    assert ROW.size == 44
