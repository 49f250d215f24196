"""Files that are replaced whole, on a real disk."""

from __future__ import annotations

import fcntl
import stat
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from proxy.rulebook.disk import ChangedError, digest_of, locked, replace, write_whole


def sha(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o640)
    write_whole(tmp_path / "fresh.yaml", b"new")
    assert stat.S_IMODE((tmp_path / "fresh.yaml").stat().st_mode) == 0o644


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "chat.yaml"
    real.write_text("old")
    link = tmp_path / "chat.yaml"
    link.symlink_to(real)
    write_whole(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"


def test_a_reader_sees_all_of_the_old_or_all_of_the_new(tmp_path: Path) -> None:
    path, versions = tmp_path / "chat.yaml", (b"a" * 300_000, b"b" * 300_000)
    path.write_bytes(versions[0])
    stop = threading.Event()

    def write() -> None:
        for n in range(40):
            write_whole(path, versions[n % 2])
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        assert path.read_bytes() in versions
    writer.join()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"chat.yaml": "old"}


def test_whoever_comes_second_changes_nothing(tmp_path: Path) -> None:
    main, other = tmp_path / "chat.yaml", tmp_path / "names.txt"
    main.write_bytes(b"one")
    other.write_bytes(b"list")
    replace({main: b"two", other: b"more"}, main, sha(b"one"))
    assert (main.read_bytes(), other.read_bytes()) == (b"two", b"more")
    with pytest.raises(ChangedError):
        replace({main: b"three", other: b"less"}, main, sha(b"one"))
    assert (main.read_bytes(), other.read_bytes()) == (b"two", b"more")


def test_of_many_writers_at_once_exactly_one_wins(tmp_path: Path) -> None:
    main = tmp_path / "chat.yaml"
    main.write_bytes(b"base")
    won: list[bytes] = []
    start = threading.Barrier(8)

    def write(mine: bytes) -> None:
        start.wait()
        try:
            replace({main: mine}, main, sha(b"base"))
        except ChangedError:
            return
        won.append(mine)

    writers = [threading.Thread(target=write, args=(b"%d" % n,)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert won == [main.read_bytes()]


def test_a_reader_of_several_files_waits_for_a_writer_of_several(tmp_path: Path) -> None:
    main, other = tmp_path / "chat.yaml", tmp_path / "names.txt"
    for path in (main, other):
        path.write_bytes(b"0")
    stop = threading.Event()

    def write() -> None:
        for n in range(30):
            new = b"%d" % (n + 1)
            replace({main: new, other: new}, main, digest_of(main) or "")
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        with locked(tmp_path, fcntl.LOCK_SH):
            assert main.read_bytes() == other.read_bytes()
    writer.join()


def test_a_file_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    assert digest_of(tmp_path / "gone") is None
    (tmp_path / "here").write_bytes(b"x")
    assert digest_of(tmp_path / "here") == sha(b"x")
