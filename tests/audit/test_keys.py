"""Keys are made once, by whoever comes first; fingerprints can be told apart only with them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit.people.epochs import Epoch, Epochs
from proxy.audit.people.keys import SIGNING, Keys, KeysError, exposed, keys_folder

ANNA = ("anna.lee@example.com", "EMAIL_ADDRESS")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "keys"


def test_missing_keys_are_made_for_their_owner_only(folder):
    keys = Keys.open(folder)
    assert keys.epoch == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in sorted(files)] == ["1.key", SIGNING]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_was_made_is_used_again(folder):
    one, other = Keys.open(folder), Keys.open(folder)
    assert one.signer.verifier.vkey == other.signer.verifier.vkey
    assert one.mark(*ANNA) == other.mark(*ANNA)
    assert one.client("192.0.2.7") == other.client("192.0.2.7")


def test_processes_that_come_at_once_agree(folder):
    script = (
        "import sys; from pathlib import Path; from proxy.audit.people.keys import Keys;"
        "keys = Keys.open(Path(sys.argv[1]));"
        "print(keys.signer.verifier.vkey, keys.mark('a', 'B').hex())"
    )
    command = [sys.executable, "-c", script, str(folder)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate(timeout=60)[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(said) == 1
    assert len(said.pop()) > 80


def test_a_fingerprint_needs_its_key_its_entity_and_its_value(folder, tmp_path):
    keys, stranger = Keys.open(folder), Keys.open(tmp_path / "other")
    text, entity = ANNA
    mark = keys.mark(text, entity)
    assert len(mark) == 16
    assert mark == keys.mark(text.upper(), entity) == keys.fingerprints(text, entity)[1]
    assert len({mark, keys.mark(text, "PERSON"), keys.mark("b" + text, entity), stranger.mark(text, entity)}) == 4


@given(st.text(), st.text())
def test_entity_and_value_cannot_be_confused(tmp_path_factory, one, other):
    keys = Keys.open(tmp_path_factory.getbasetemp() / "confused")
    assert keys.mark(one + other, "A") != keys.mark(other, "A" + one + "B")


def test_a_rotation_is_noticed_and_older_fingerprints_can_still_be_made(folder):
    keys, other = Keys.open(folder), Keys.open(folder)
    before = keys.mark(*ANNA)
    assert not keys.refresh()
    assert other.epochs.begin(2, 1_795_000_000)
    assert keys.refresh()
    assert (keys.epoch, [epoch.begun for epoch in keys.all][1]) == (2, 1_795_000_000)
    assert keys.mark(*ANNA) != before
    assert keys.fingerprints(*ANNA) == {1: before, 2: keys.mark(*ANNA)}
    assert set(keys.clients("192.0.2.7")) == {1, 2}


def test_an_epoch_begins_once(folder):
    epochs = Epochs(folder)
    assert epochs.begin(1, 0)
    assert not epochs.begin(1, 0)


def test_a_destroyed_key_is_gone_from_the_disk_and_from_running_processes(folder):
    keys = Keys.open(folder)
    secret = keys.all[0].key
    keys.epochs.begin(2, 0)
    keys.epochs.destroy(1, 1_795_000_000)
    assert keys.refresh()
    assert list(keys.fingerprints(*ANNA)) == [2]
    assert [(epoch.number, epoch.destroyed) for epoch in keys.all] == [(1, 1_795_000_000), (2, None)]
    assert not any(secret.hex().encode() in path.read_bytes() for path in folder.rglob("*.key"))


def test_nothing_of_a_destroyed_key_is_left_where_a_write_is_short(folder, monkeypatch):
    keys, whole = Keys.open(folder), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, place: whole(file, data[:7], place))
    keys.epochs.destroy(1, 1_795_000_000)
    assert keys.epochs.read()[0].destroyed == 1_795_000_000
    assert (folder / "audit-epochs" / "1.key").read_bytes().startswith(b"0" * 64 + b"\n")


def test_a_key_whose_destruction_was_interrupted_is_destroyed(folder):
    Keys.open(folder).epochs.begin(2, 0)
    with (folder / "audit-epochs" / "1.key").open("r+b") as file:
        file.write(b"0" * 64)
    assert list(Keys.open(folder).fingerprints(*ANNA)) == [2]


def test_a_new_epoch_begins_where_every_key_was_destroyed(folder):
    Keys.open(folder).epochs.destroy(1, 0)
    assert Keys.open(folder).epoch == 2


def test_an_epoch_that_never_was_cannot_be_destroyed(folder):
    with pytest.raises(KeysError, match="no epoch 7"):
        Keys.open(folder).epochs.destroy(7, 0)


def test_keys_of_an_epoch_are_never_shown():
    assert repr(Epoch(1, 0, b"secret")) == "Epoch(1)"


def test_a_signing_key_of_ones_own_is_only_named(folder, tmp_path):
    seed = os.urandom(32)
    (tmp_path / "seed").write_text(seed.hex().upper() + "\n")
    by_file = Keys.open(folder, f"file:{tmp_path / 'seed'}")
    by_name = Keys.open(folder, "env:SEED", environ={"SEED": seed.hex()})
    assert by_file.signer.verifier.public == by_name.signer.verifier.public
    assert not (folder / SIGNING).exists()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("env:NOBODY", "not set"),
        ("env:SHORT", "not 64 hex digits"),
        ("file:nowhere/key", "No such file"),
        ("file:\0", "not the path"),
        ("5c1a7b" * 5, "only named"),
        ("env:", "only named"),
    ],
)
def test_a_reference_that_leads_nowhere_is_explained_without_repeating_it(folder, reference, said):
    with pytest.raises(KeysError, match=said) as caught:
        Keys.open(folder, reference, environ={"SHORT": "5c1a7b"})
    assert "5c1a7b" not in str(caught.value)
    assert "NOBODY" not in str(caught.value)


@pytest.mark.parametrize("name", [SIGNING, "audit-epochs/1.key"])
def test_a_damaged_key_is_named_and_never_replaced(folder, name):
    Keys.open(folder)
    (folder / name).write_bytes(b"half")
    with pytest.raises(KeysError, match="is damaged"):
        Keys.open(folder)
    assert (folder / name).read_bytes() == b"half"


def test_keys_that_must_be_there_are_not_made(folder):
    with pytest.raises(KeysError):
        Keys.open(folder, made=False)
    assert not folder.exists()


def test_the_folder_follows_xdg(tmp_path):
    assert keys_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "hushwire" / "keys"


def test_keys_that_cannot_be_kept_say_where(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(KeysError, match="XDG_STATE_HOME"):
        Keys.open(tmp_path / "file" / "keys")


@pytest.mark.parametrize("name", [SIGNING, "audit-epochs/1.key"])
def test_a_pipe_in_the_place_of_a_key_is_not_waited_for(folder, name):
    Keys.open(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(KeysError, match="no file of a few lines"):
        Keys.open(folder)


@pytest.mark.parametrize(
    ("name", "mode", "cure"),
    [
        (".", 0o777, "chmod 700"),
        ("audit-epochs", 0o750, "chmod 700"),
        (SIGNING, 0o644, "chmod 600"),
        ("audit-epochs/1.key", 0o660, "chmod 600"),
    ],
)
def test_keys_that_others_can_read_or_change_are_told_with_the_cure(folder, tmp_path, name, mode, cure):
    assert exposed(folder) == []
    Keys.open(folder)
    assert exposed(folder) == []
    path = folder / name
    path.chmod(mode)
    (said,) = exposed(folder)
    assert said.startswith(f"{path} is open to others") and f"mode {mode:04o}" in said
    assert said.endswith(f"{cure} {path}")
    Keys.open(folder)
