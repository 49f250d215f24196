"""Files on disks that fail: a piece is there as a whole, or nothing of it."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from proxy.audit import storage
from proxy.audit.storage import Tail, lock, replace
from tests.audit.writing import Disk


def test_a_piece_that_does_not_fit_leaves_nothing_of_itself(tmp_path, monkeypatch):
    disk, tail = Disk(monkeypatch), Tail(tmp_path / "file")
    tail.put(b"whole")
    disk.room = 3
    with pytest.raises(OSError, match="No space left"):
        tail.put(b"too long")
    assert tail.path.read_bytes() == b"whole"
    disk.room = None
    tail.put(b"too long")
    assert tail.path.read_bytes() == b"wholetoo long"


def test_a_short_write_is_noticed_and_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "write", lambda file, data: os.write(file, data[:2]))
    tail = Tail(tmp_path / "file")
    tail.put(b"bit by bit")
    assert tail.path.read_bytes() == b"bit by bit"
    assert tail.end == 10


def test_bytes_that_were_taken_in_spite_of_an_error_do_not_stay(tmp_path, monkeypatch):
    def lies(file: int, data: bytes) -> int:
        os.write(file, data[:4])
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    tail = Tail(tmp_path / "file")
    monkeypatch.setattr(storage, "write", lies)
    for _ in range(3):
        with pytest.raises(OSError, match="Input/output error"):
            tail.put(b"something")
    monkeypatch.undo()
    tail.put(b"something")
    assert tail.path.read_bytes() == b"something"


def test_what_cannot_be_cut_off_at_once_is_cut_off_before_the_next_piece(tmp_path, monkeypatch):
    disk, tail = Disk(monkeypatch), Tail(tmp_path / "file")
    disk.room = 3
    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", lambda file, end: disk.write(file, b"x"))
        with pytest.raises(OSError, match="No space left"):
            tail.put(b"something")
    assert tail.path.read_bytes() == b"som"
    disk.room = None
    tail.put(b"else")
    assert tail.path.read_bytes() == b"else"


def test_a_write_that_takes_nothing_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "write", lambda file, data: 0 if len(data) < 9 else os.write(file, data[:1]))
    with pytest.raises(OSError, match="Input/output error"):
        Tail(tmp_path / "file").put(b"something")


def test_a_file_that_somebody_has_cut_is_not_written_to(tmp_path, monkeypatch):
    disk, tail = Disk(monkeypatch), Tail(tmp_path / "file")
    tail.put(b"something")
    os.truncate(tail.path, 2)
    disk.room = 0
    with pytest.raises(OSError, match="No space left"):
        tail.put(b"more")
    disk.room = None
    with pytest.raises(OSError, match="cut by somebody"):
        tail.put(b"more")


def test_a_real_limit_on_the_size_of_files_is_met_with_a_short_write(tmp_path):
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    tail = Tail(tmp_path / "file")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        tail.put(bytes(600))
        with pytest.raises(OSError, match="File too large"):
            tail.put(bytes(600))
        assert tail.path.stat().st_size == 600
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    tail.put(bytes(600))
    assert tail.path.stat().st_size == 1200


def test_replacing_leaves_the_old_content_if_the_disk_is_full(tmp_path, monkeypatch):
    path, disk = tmp_path / "file", Disk(monkeypatch)
    replace(path, b"old")
    disk.room = 2
    with pytest.raises(OSError, match="No space left"):
        replace(path, b"new content")
    assert path.read_bytes() == b"old"
    disk.room = None
    replace(path, b"new content")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"new content")]


def test_files_are_for_their_owner_only(tmp_path):
    os.umask(os.umask(0))  # whatever it is
    storage.make_directory(tmp_path / "log")
    Tail(tmp_path / "log" / "tail")
    replace(tmp_path / "log" / "file", b"")
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "log").iterdir()} == {0o600}


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Tail(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_is_held_by_one(tmp_path):
    first = lock(tmp_path / "lock")
    assert first is not None
    assert lock(tmp_path / "lock") is None
    os.close(first)
    assert lock(tmp_path / "lock") is not None


def test_a_reader_that_asks_whether_it_is_held_is_waited_for(tmp_path, monkeypatch):
    import fcntl

    with (tmp_path / "lock").open("w") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        monkeypatch.setattr(storage.time, "sleep", lambda _: fcntl.flock(asking, fcntl.LOCK_UN))
        assert lock(tmp_path / "lock") is not None
