"""Versions of rules that were in force, on a real disk."""

from __future__ import annotations

import os
import stat
import time
from hashlib import sha256
from pathlib import Path

import pytest

from proxy.rulebook import versions as module
from proxy.rulebook.files import File
from proxy.rulebook.versions import Version, VersionError, Versions, state_directory


def file(path: Path, content: str) -> File:
    path.write_text(content)
    return File(path, sha256(content.encode()).hexdigest())


def version(digest: str, when: float, *files: File) -> Version:
    return Version(digest, "chat", ("default",), when, files)


def keep(store: Versions, kept: Version) -> None:
    store.keep(kept, {one.path: one.path.read_bytes() for one in kept.files})


@pytest.fixture
def store(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "state")


def names(store: Path, what: str) -> set[str]:
    return {path.name for path in (store / what).iterdir()}


def test_what_was_kept_is_found_by_the_beginning_of_its_digest(tmp_path: Path, store: Versions) -> None:
    main = tmp_path / "chat.yaml"
    first = version("aa11", 1.0, file(main, "one"), file(tmp_path / "names.txt", "Bob"))
    keep(store, first)
    second = version("ab22", 2.0, file(main, "two"), file(tmp_path / "names.txt", "Bob"))
    keep(store, second)
    assert store.all() == store.all(main) == [second, first]
    assert store.find("AA", main) == first
    assert store.contents(first) == {main: b"one", tmp_path / "names.txt": b"Bob"}
    assert len(names(tmp_path / "state", "files")) == 3  # the list that is the same is kept once


def test_digests_that_mean_nothing_or_two_versions_say_so(tmp_path: Path, store: Versions) -> None:
    main = tmp_path / "chat.yaml"
    for digest in ("aa11", "aa22"):
        keep(store, version(digest, 1.0, file(main, digest)))
    with pytest.raises(VersionError, match="2 versions begin"):
        store.find("aa", main)
    with pytest.raises(VersionError, match="no version"):
        store.find("bb", main)
    with pytest.raises(VersionError, match="no version"):
        store.find("aa11", tmp_path / "other.yaml")


def test_the_same_policy_of_two_files_is_two_versions(tmp_path: Path, store: Versions) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    for path in (one, two):
        keep(store, version("aa", 1.0, file(path, "same")))
    assert [v.main for v in store.all(one)] == [one]
    assert [v.main for v in store.all(two)] == [two]


def test_a_version_that_goes_live_again_is_the_newest(tmp_path: Path, store: Versions) -> None:
    main = tmp_path / "chat.yaml"
    keep(store, version("aa", 1.0, file(main, "a")))
    keep(store, version("bb", 2.0, file(main, "b")))
    keep(store, version("aa", 3.0, file(main, "a")))
    assert [v.digest for v in store.all(main)] == ["aa", "bb"]


def test_nobody_else_may_read_them(tmp_path: Path, store: Versions) -> None:
    keep(store, version("aa", 1.0, file(tmp_path / "chat.yaml", "Bob")))
    for path in [tmp_path / "state", *(tmp_path / "state").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_only_the_last_ones_are_kept(tmp_path: Path, store: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP", 3)
    main = tmp_path / "chat.yaml"
    for n in range(5):
        keep(store, version(f"d{n}", n, file(main, str(n))))
        for old in (tmp_path / "state" / "files").iterdir():
            os.utime(old, (time.time() - 7200,) * 2)
    keep(store, version("other", 0.0, file(tmp_path / "other.yaml", "x")))
    assert [v.digest for v in store.all(main)] == ["d4", "d3", "d2"]
    assert len(store.all()) == 4
    assert names(tmp_path / "state", "files") == {f.sha256 for v in store.all() for f in v.files}


def test_all_rule_files_together_are_bounded_too(
    tmp_path: Path, store: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_ALL", 3)
    for n in range(5):
        keep(store, version("aa", n, file(tmp_path / f"{n}.yaml", str(n))))
    assert [v.main.stem for v in store.all()] == ["4", "3", "2"]


def test_a_file_that_somebody_is_about_to_mention_is_left_alone(tmp_path: Path, store: Versions) -> None:
    keep(store, version("aa", 1.0, file(tmp_path / "chat.yaml", "a")))
    young = tmp_path / "state" / "files" / "young"
    young.write_text("written by another process")
    keep(store, version("bb", 2.0, file(tmp_path / "chat.yaml", "b")))
    assert young.exists()


def test_damage_is_told_and_never_put_back(
    tmp_path: Path, store: Versions, caplog: pytest.LogCaptureFixture
) -> None:
    main = tmp_path / "chat.yaml"
    bad = version("bb", 2.0, file(main, "b"))
    keep(store, bad)
    good = version("aa", 1.0, file(main, "a"))
    keep(store, good)
    kept = tmp_path / "state" / "files" / bad.files[0].sha256
    kept.write_text("Bob")
    with pytest.raises(VersionError, match="damaged"):
        store.contents(bad)
    kept.unlink()
    with pytest.raises(VersionError, match="cannot be read"):
        store.contents(bad)
    (tmp_path / "state" / "versions" / "cc.json").write_text('{"digest": "cc", "name": "Bob"')
    assert store.all() == [bad, good]
    assert "JSONDecodeError" in caplog.text and "Bob" not in caplog.text


def test_a_place_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    with pytest.raises(OSError):
        keep(Versions(tmp_path / "state"), version("aa", 1.0, file(tmp_path / "chat.yaml", "a")))


def test_where_versions_are_kept_follows_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert state_directory() == Path("/elsewhere/hushwire/rules")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert state_directory() == Path("/home/somebody/.local/state/hushwire/rules")
