"""Where keys come from, and what is said when they do not."""

from __future__ import annotations

import multiprocessing
import os
import re
import stat
from pathlib import Path

import pytest

from proxy.pseudonyms.keys import KeyRing, installation_secret, own_file, read_secret

SECRET = "correct horse battery"


def ring(**environ: str) -> KeyRing:
    return KeyRing.throwaway(environ)


def test_a_key_is_the_same_for_the_same_secret_purpose_and_size(tmp_path):
    (tmp_path / "key").write_text(f"  {SECRET}\n")
    named = ring(KEY=SECRET).key("env:KEY", tmp_path, "hash")
    assert named == ring(KEY=SECRET).key("env:KEY", tmp_path, "hash") == ring().key("file:key", tmp_path, "hash")
    assert len(named) == 32
    others = [
        ring(KEY=SECRET).key("env:KEY", tmp_path, "fake"),
        ring(KEY=SECRET + "x").key("env:KEY", tmp_path, "hash"),
    ]
    assert named not in others
    assert len(ring(KEY=SECRET).key("env:KEY", tmp_path, "encrypt", 64)) == 64


def test_a_file_is_looked_for_beside_the_rules_or_where_its_path_says(tmp_path):
    (tmp_path / "key").write_text(SECRET)
    assert read_secret("file:key", tmp_path) == read_secret(f"file:{tmp_path}/key", Path("/nowhere"))


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("env:NOT_THERE", "this environment variable is not set; set it for the proxy, or name another one"),
        (
            "file:not-there",
            "this file cannot be read (No such file or directory); check the path: it is relative to",
        ),
        ("file:.", "this file cannot be read (Is a directory)"),
        ("file:a\0b", "this is not the path of a file"),
        (
            "env:SHORT",
            "the secret in this variable is shorter than 16 characters; make one with: openssl rand -hex",
        ),
        (
            "file:short",
            "the secret in this file is shorter than 16 characters; make one with: openssl rand -hex 32",
        ),
    ],
)
def test_a_secret_that_is_not_there_is_told_with_its_cure_and_without_a_name(reference, sentence, tmp_path):
    (tmp_path / "short").write_text("0123456789abcde\n\n\n")
    with pytest.raises(ValueError, match=re.escape(sentence)) as told:
        ring(SHORT="0123456789abcde ").key(reference, tmp_path, "hash")
    said = str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None
    assert not any(name in said for name in ("NOT_THERE", "not-there", "SHORT", "0123456789abcde"))


# -- the key of the installation ----------------------------------------------------------------------------


def test_the_installation_makes_its_key_once_for_its_owner_only(tmp_path):
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    path = own_file(environ)
    first = KeyRing.installed(environ).key(None, tmp_path, "hash")
    assert path == tmp_path / "state" / "hushwire" / "keys" / "rules.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["rules.key"]
    assert KeyRing.installed(environ).key(None, tmp_path, "hash") == first
    path.unlink()
    assert KeyRing.installed(environ).key(None, tmp_path, "hash") != first


def test_without_a_place_of_its_own_the_key_lies_in_the_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert own_file({}) == Path("/home/ada/.local/state/hushwire/keys/rules.key")


def test_a_key_is_not_made_before_somebody_asks_for_it(tmp_path):
    KeyRing.installed({"XDG_STATE_HOME": str(tmp_path), "KEY": SECRET}).key("env:KEY", tmp_path, "hash")
    KeyRing.throwaway({"XDG_STATE_HOME": str(tmp_path)}).key(None, tmp_path, "hash")
    assert list(tmp_path.iterdir()) == []


def test_a_throwaway_key_is_one_key_of_its_own():
    one, other = ring(), ring()
    here = Path()
    assert one.key(None, here, "hash") == one.key(None, here, "hash") != other.key(None, here, "hash")


def _race(path: Path, gate: object, told: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    told.put(installation_secret(path))  # type: ignore[attr-defined]


def test_workers_that_come_at_once_get_the_same_key(tmp_path):
    context = multiprocessing.get_context("fork")
    path, gate, told = tmp_path / "keys" / "rules.key", context.Barrier(6), context.SimpleQueue()
    workers = [context.Process(target=_race, args=(path, gate, told)) for _ in range(6)]
    for worker in workers:
        worker.start()
    secrets = {told.get() for _ in workers}
    for worker in workers:
        worker.join(10)
        assert worker.exitcode == 0
    assert len(secrets) == 1
    assert [file.name for file in path.parent.iterdir()] == ["rules.key"]


def test_a_damaged_key_of_the_installation_is_not_replaced_in_silence(tmp_path):
    path = tmp_path / "rules.key"
    path.write_text("abc\n")
    with pytest.raises(ValueError, match=r"rules.key, is damaged; restore it, or delete it for a new one$"):
        installation_secret(path)
    assert path.read_text() == "abc\n"


def test_a_key_that_cannot_be_kept_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"\(Not a directory\); give the rule a key of its own \(key: env:NAME\)"):
        installation_secret(tmp_path / "file" / "keys" / "rules.key")
    if os.geteuid():
        tmp_path.chmod(0o500)
        with pytest.raises(ValueError, match=r"\(Permission denied\)"):
            installation_secret(tmp_path / "keys" / "rules.key")
