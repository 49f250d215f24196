"""The side file of what left: rows come back, are erased where they stand, and survive a crash in the middle."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit import bodies
from proxy.audit.bodies import Bodies, commitment, erase, held, read, row

PAYLOADS = st.lists(st.binary(max_size=70), max_size=12)


class Everything:
    """Wants every event."""

    def __contains__(self, _seq: object) -> bool:
        return True


ALL = Everything()


def salt(seq: int) -> bytes:
    return bytes([seq % 255 + 1]) * 16


def written(path: Path, payloads: list[bytes]) -> Path:
    file = Bodies.open(path)
    file.append(b"".join(row(seq, salt(seq), payload) for seq, payload in enumerate(payloads)))
    file.sync()
    file.close()
    return path


@given(PAYLOADS, st.sets(st.integers(0, 12)))
def test_what_was_written_is_read_by_its_event(tmp_path_factory, payloads, wanted):
    path = written(tmp_path_factory.mktemp("audit") / "0.bodies", payloads)
    found = {body.seq: body for body in read(path, wanted)}
    assert {seq: body.payload for seq, body in found.items()} == {
        seq: payload for seq, payload in enumerate(payloads) if seq in wanted
    }
    assert all(body.fits(commitment(salt(seq), payloads[seq])) for seq, body in found.items())
    assert not any(body.fits(commitment(salt(seq + 1), payloads[seq])) for seq, body in found.items())


@given(PAYLOADS, st.sets(st.integers(0, 12)))
def test_an_erased_row_is_zeros_and_the_others_are_as_they_were(tmp_path_factory, payloads, wanted):
    path = written(tmp_path_factory.mktemp("audit") / "0.bodies", payloads)
    size = path.stat().st_size
    assert erase(path, wanted) == len(wanted & set(range(len(payloads))))
    assert path.stat().st_size == size
    for body in read(path, ALL):
        assert body.gone == (body.seq in wanted)
        assert body.payload == (bytes(len(payloads[body.seq])) if body.gone else payloads[body.seq])
        assert body.fits(commitment(salt(body.seq), payloads[body.seq])) != body.gone
    assert list(held(path)) == [seq for seq in range(len(payloads)) if seq not in wanted]
    assert erase(path, wanted) == 0  # once is enough


@given(PAYLOADS, st.data())
def test_a_crash_in_the_middle_of_a_row_costs_that_row_only(tmp_path_factory, payloads, data):
    path = written(tmp_path_factory.mktemp("audit") / "0.bodies", payloads)
    ends = [len(b"".join(row(0, salt(0), one) for one in payloads[:count])) for count in range(len(payloads) + 1)]
    cut = data.draw(st.integers(0, ends[-1]))
    os.truncate(path, cut)
    whole = sum(end <= cut for end in ends) - 1
    assert [body.payload for body in read(path, ALL)] == payloads[:whole]
    file = Bodies.open(path)
    file.append(row(99, salt(99), b"after the crash"))
    file.close()
    assert [body.payload for body in read(path, ALL)] == [*payloads[:whole], b"after the crash"]


def test_a_large_payload_is_erased_to_its_last_byte(tmp_path):
    path = written(tmp_path / "0.bodies", [b"a" * 300_001, b"b"])
    erase(path, {0})
    assert path.read_bytes().count(b"a") == 0 and [body.payload for body in read(path, {1})] == [b"b"]


def test_nobody_else_may_read_the_file(tmp_path):
    before = os.umask(0)
    try:
        Bodies.open(tmp_path / "0.bodies").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "0.bodies").stat().st_mode) == 0o600


def test_a_full_disk_takes_all_rows_or_none(tmp_path, monkeypatch):
    file = Bodies.open(tmp_path / "0.bodies")
    file.append(row(0, salt(0), b"before"))
    really, asked = os.pwrite, []

    def full(fd: int, content: bytes, offset: int) -> int:
        asked.append(len(content))
        if len(asked) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return really(fd, content[:-5], offset)  # how a full disk shows itself first

    monkeypatch.setattr(bodies.os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        file.append(row(1, salt(1), b"does not fit"))
    monkeypatch.undo()
    assert len(asked) == 2 and [body.seq for body in read(tmp_path / "0.bodies", ALL)] == [0]
    file.append(row(1, salt(1), b"fits now"))
    file.close()
    assert [body.payload for body in read(tmp_path / "0.bodies", ALL)] == [b"before", b"fits now"]


def test_a_short_write_is_gone_on_with(tmp_path, monkeypatch):
    file = Bodies.open(tmp_path / "0.bodies")
    really = os.pwrite
    monkeypatch.setattr(bodies.os, "pwrite", lambda fd, content, offset: really(fd, content[:7], offset))
    file.append(row(0, salt(0), b"seven bytes at a time"))
    file.close()
    assert [body.payload for body in read(tmp_path / "0.bodies", ALL)] == [b"seven bytes at a time"]


def test_an_erased_payload_without_a_byte_is_told_from_one_that_is_there(tmp_path):
    path = written(tmp_path / "0.bodies", [b"", b""])
    erase(path, {0})
    assert [body.gone for body in read(path, ALL)] == [True, False]
