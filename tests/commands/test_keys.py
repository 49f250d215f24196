"""Keys are made, rotated, destroyed and listed; none is ever shown."""

from __future__ import annotations

import json

import pytest
from msgspec import UNSET

from proxy.audit import events
from proxy.audit.checkpoint import Verifier
from proxy.audit.people.keys import SIGNING, Keys, keys_folder
from proxy.audit.proof.verify import verify
from tests.audit.people import ANNA, BOB, MAIL
from tests.commands.audit.test_person import AS_ANNA, home, proxy, run
from tests.commands.audit.written import written

__all__ = ["home", "proxy"]


def secrets(folder) -> list[str]:
    return [path.read_text().split()[0] for path in folder.rglob("*.key")]


def test_keys_are_made_once_and_the_verifier_key_is_told(home):
    code, told, _ = run("keys", "init")
    assert code == 0
    assert Verifier.parse(told.splitlines()[-1].strip()).vkey == Keys.open(keys_folder()).signer.verifier.vkey
    made = secrets(home / "keys")
    assert len(made) == 2
    assert not any(secret in told for secret in made)
    again = json.loads(run("keys", "init", "--json")[1])
    assert (again["folder"], again["epoch"], secrets(home / "keys")) == (str(home / "keys"), 1, made)


def test_a_signing_key_of_ones_own_is_only_named(home):
    code, _, complaint = run("keys", "init", "--audit-key", "5c" * 32)
    assert code == 2
    assert "only named" in complaint
    assert "5c5c" not in complaint


def test_the_status_shows_epochs_and_no_secret(home, proxy):
    run("keys", "rotate")
    proxy.keys.refresh()
    proxy.say(BOB)
    code, told, _ = run("keys", "status")
    assert code == 0
    assert not any(secret in told for secret in secrets(home / "keys"))
    assert "1 old key could be destroyed, if no hold is on them:\n  hushwire keys rotate --destroy 1" in told
    status = json.loads(run("keys", "status", "--json")[1])
    epochs = [(row["epoch"], row["state"], row["fingerprints"]) for row in status["epochs"]]
    assert epochs == [(1, "kept", 4), (2, "present", 1)]
    assert status["rules_key"] is False
    assert status["vkey"] == proxy.keys.signer.verifier.vkey


def test_a_status_makes_no_keys(home):
    assert run("keys", "status")[0] == 2
    assert not home.exists()


def test_a_rotation_begins_an_epoch_and_is_in_the_log(home, proxy):
    assert json.loads(run("keys", "rotate", "--json")[1]) == {"epoch": 2, "destroyed": []}
    assert [(one.epoch, one.state) for one in written(home / "audit", events.KeyRotate)] == [(2, "begun")]
    assert proxy.keys.refresh()
    proxy.say(ANNA)
    assert json.loads(run("audit", "subject", *AS_ANNA, "--json", value=ANNA)[1])["found"] == 3


def test_a_destroyed_key_shreds_its_fingerprints_and_the_log_stays_provable(home, proxy):
    code, told, _ = run("keys", "rotate", "--destroy", "1")
    assert code == 0
    assert "the key of epoch 1 is destroyed" in told
    states = [(one.epoch, one.state) for one in written(home / "audit", events.KeyRotate)]
    assert states == [(2, "begun"), (1, "destroyed")]
    code, told, _ = run("audit", "subject", *AS_ANNA, value=ANNA)
    assert "does not occur" in told
    assert "The key of epoch 1 was destroyed" in told
    proxy.log.sync()
    audit = verify(home / "audit")
    assert not audit.faults
    assert not any(log.faults or log.damages for log in audit.logs)


def test_old_epochs_are_destroyed_by_their_age(home, proxy):
    proxy.keys.epochs.begin(2, 1_600_000_000)  # long ago
    proxy.keys.epochs.begin(3, 1_700_000_000)
    assert json.loads(run("keys", "rotate", "--destroy-older-than", "1y", "--json")[1]) == {
        "epoch": 4,
        "destroyed": [1, 2],
    }
    keys = Keys.open(keys_folder())
    assert set(keys.fingerprints(ANNA, MAIL)) == {3, 4}


def test_the_key_of_what_is_held_is_not_destroyed(home, proxy):
    run("audit", "hold", "place", "--reason", "case 7")
    code, _, complaint = run("keys", "rotate", "--destroy", "1")
    assert code == 1
    assert "hold-1 holds what was found in epoch 1" in complaint
    assert list(written(home / "audit", events.KeyRotate)) == []
    assert Keys.open(keys_folder()).epoch == 1
    (home / "audit" / "holds.json").write_text("{")
    assert run("keys", "rotate", "--destroy", "1")[0] == 1
    assert run("keys", "rotate")[0] == 0, "which destroys nothing"


def test_a_key_that_cannot_be_taken_down_as_destroyed_is_not_destroyed(home, proxy):
    (home / "audit" / "public.key").write_text("somebody else's\n")
    code, _, complaint = run("keys", "rotate", "--destroy", "1")
    assert code == 1
    assert "taken down in the audit first" in complaint
    assert [epoch.key is None for epoch in Keys.open(keys_folder()).all] == [False]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--destroy", "7"], "no epoch 7"),
        (["--destroy-older-than", "soon"], "90d"),
        (["--destroy", "1"], "destroyed already"),
    ],
)
def test_what_cannot_be_destroyed_is_explained(home, proxy, arguments, said):
    if said == "destroyed already":
        proxy.keys.epochs.begin(2, 0)
        proxy.keys.epochs.destroy(1, 0)
    code, _, complaint = run("keys", "rotate", *arguments)
    assert code == 2
    assert said in complaint


def test_a_damaged_key_is_told(home):
    run("keys", "init")
    (home / "keys" / SIGNING).write_text("half")
    code, _, complaint = run("keys", "status")
    assert code == 2
    assert "is damaged" in complaint


def test_the_number_of_a_lost_epoch_is_not_used_again_and_that_is_said(home, proxy):
    (home / "keys" / "audit-epochs" / "1.key").unlink()
    code, told, complaint = run("keys", "init")
    assert (code, "the present epoch is 2" in told) == (0, True)
    assert "used epoch 1, whose key is not in" in complaint and "restore 1.key" in complaint
    assert run("keys", "init")[2] == ""


def test_a_rotation_says_which_key_it_made(home, proxy):
    run("keys", "rotate", "--destroy", "1")
    begun, destroyed = written(home / "audit", events.KeyRotate)
    assert (begun.check, destroyed.check) == (Keys.open(keys_folder()).check, UNSET)


def test_keys_that_others_can_read_are_told_of(home, proxy):
    assert run("keys", "status")[2] == ""
    path = home / "keys" / SIGNING
    path.chmod(0o644)
    code, _, complaint = run("keys", "status")
    assert (code, f"chmod 600 {path}" in complaint) == (0, True)
    assert len(json.loads(run("keys", "status", "--json")[1])["exposed"]) == 1
