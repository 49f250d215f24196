"""`audit verify`, `prove` and `anchor` as people run them: what they print, and their exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy.audit.layout import segments
from proxy.commands.audit import app
from proxy.commands.audit.trust import claimed
from tests.audit import test_verify as made
from tests.audit.logs import HandMade, message


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, wide enough that no line is broken."""
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments], prog_name="hushwire audit")
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def log(tmp_path) -> HandMade:
    return made.small(tmp_path / "audit")


@pytest.fixture
def audit(tmp_path, log) -> tuple[str, str]:
    return "--audit", str(tmp_path / "audit")


def test_a_whole_log_is_shown_with_what_covers_it(tmp_path, audit):
    code, out, err = run("verify", *audit)
    assert (code, err) == (0, "")
    assert "log-0 3f9ac21b whole" in out
    assert "events      0 to 9" in out
    assert "signed      up to 9" in out
    assert "anchored" not in out
    assert "whole: 1 log, 10 events" in out
    assert "The key was the one in" in out


def test_where_a_log_was_tampered_with_is_shown(log, audit):
    path = segments(log.folder)[1].path
    path.write_bytes(path.read_bytes().replace(b"crowd", b"crown"))
    code, out, _ = run("verify", *audit)
    assert code == 4
    assert "✗ event 3 was changed" in out
    assert "TAMPERED WITH: 1 log" in out
    code, out, _ = run("verify", *audit, "--json")
    said = json.loads(out)
    assert (code, said["verdict"]) == (4, "tampered")
    assert said["logs"][0]["faults"] == [
        {"look": "changed", "first": 3, "last": 3, "says": "event 3 was changed"},
    ]
    assert "crow" not in out


def test_what_a_crash_has_left_is_repaired_and_still_told(log, audit):
    path = segments(log.folder)[2].path
    path.write_bytes(path.read_bytes() + b'{"b":7,"x')
    code, out, _ = run("verify", *audit)
    assert code == 5
    assert "! 20261119-000002.jsonl ends with a torn line of 9 bytes" in out
    code, out, _ = run("verify", *audit, "--repair")
    assert code == 5
    assert "+ log-0: 9 bytes of a torn line were cut off 20261119-000002.jsonl" in out
    assert run("verify", *audit)[0] == 0


def test_a_log_that_was_tampered_with_is_not_repaired(log, audit):
    path = segments(log.folder)[2].path
    changed = path.read_bytes().replace(b"mask", b"keep") + b'{"b":7,"x'
    path.write_bytes(changed)
    code, out, _ = run("verify", *audit, "--repair", "--json")
    assert (code, json.loads(out)["repaired"]) == (4, [])
    assert path.read_bytes() == changed


def test_checkpoints_are_anchored_by_hand_and_verified_with_a_key_from_elsewhere(tmp_path, log, audit):
    where = f"file:{tmp_path / 'anchors'}"
    code, out, _ = run("anchor", where, *audit)
    assert (code, out) == (0, f"log-0 3f9ac21b: 10 events in 7 blocks\nkept in {where}\n")
    assert json.loads(run("anchor", where, *audit, "--json")[1])["logs"][0]["end"] == 10
    key = tmp_path / "auditor.key"
    key.write_text(log.signer.verifier.vkey)
    code, out, _ = run("verify", *audit, "--anchor", where, "--key", str(key))
    assert code == 0
    (line,) = [line for line in out.splitlines() if "anchored" in line]
    assert "up to 9" in line
    assert f"{where}, 2026-11-18" in line
    assert "The key was" not in out
    assert run("verify", *audit, "--anchor", where, "--key", log.signer.verifier.vkey)[0] == 0
    shutil.rmtree(log.folder)
    HandMade(tmp_path / "audit", log="00000001").checkpoint()
    code, out, _ = run("verify", *audit, "--anchor", where)
    assert code == 4
    assert "✗ log 3f9ac21b is gone; an anchor knows it" in out


def test_a_checkpoint_that_is_not_ours_is_not_anchored(tmp_path, log, audit):
    (log.folder / "checkpoint").write_text("rubbish\n")
    code, _, err = run("anchor", f"file:{tmp_path / 'anchors'}", *audit)
    assert code == 4
    assert "the checkpoint of log-0 is not what was signed" in err
    assert not (tmp_path / "anchors").exists()


def test_one_log_of_several_is_verified(tmp_path, audit):
    other = HandMade(tmp_path / "audit", log="0000000a", number=1)
    other.block(message())
    other.checkpoint()
    code, out, _ = run("verify", *audit, "--log", "0000000a")
    assert code == 0
    assert "log-1 0000000a whole" in out
    assert "log-0" not in out
    assert "log-0 3f9ac21b" in run("verify", *audit, "--log", "log-0")[1]


def test_an_event_is_proven_and_the_proof_checked(tmp_path, log, audit):
    code, out, _ = run("prove", "5", *audit)
    assert code == 0
    (tmp_path / "proof.json").write_text(out)
    checked = ("prove", "--check", str(tmp_path / "proof.json"))
    code, out, _ = run(*checked, "--key", log.signer.verifier.vkey)
    assert code == 0
    assert out.startswith("proven: event 5 of log 3f9ac21b is among the 10 that were signed\n")
    assert json.loads(run(*checked, *audit, "--json")[1])["event"]["seq"] == 5
    (tmp_path / "proof.json").write_text((tmp_path / "proof.json").read_text().replace("0badcafe", "0badcaff"))
    code, _, err = run(*checked, *audit)
    assert (code, err) == (4, "not proven: the path does not lead from the block to the root that was signed\n")
    assert json.loads(run(*checked, *audit, "--json")[1])["proven"] is False


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (
            ["verify", "--key", "nonsense"],
            2,
            "--key: there is no file nonsense, and a verifier key looks like hushwire-audit+",
        ),
        (["verify", "--anchor", "ftp:x"], 2, "'ftp:x' is no anchor; write file:DIR, git:DIR or tsa:URL"),
        (["verify", "--anchor", "file:/nowhere"], 1, "anchor file:/nowhere: checkpoints cannot be read there"),
        (["verify", "--log", "log-7"], 2, "--log: there is no log 'log-7': log-0 (3f9ac21b)"),
        (["verify", "--key", "hushwire-audit+x+y"], 2, "--key: this is not a verifier key"),
        (["verify", "--tsa-ca", "/nowhere/roots.pem"], 2, "--tsa-ca: there is no file /nowhere/roots.pem"),
        (["prove"], 2, "say which event"),
        (["prove", "99"], 1, "event 99 is not signed"),
        (["prove", "--check", "/nowhere"], 2, "/nowhere cannot be read"),
        (["anchor", "nowhere"], 2, "'nowhere' is no anchor"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_cause(audit, words, code, says):
    done = run(*words, *audit)
    assert done[0] == code
    assert says in done[2]


def test_a_directory_without_a_log_is_told(tmp_path):
    code, _, err = run("verify", "--audit", str(tmp_path))
    assert code == 2
    assert f"there is no audit log in {tmp_path}" in err
    code, _, err = run("prove", "0", "--audit", str(tmp_path))
    assert code == 2


def test_a_bar_knows_how_long_it_is_from_the_checkpoints(tmp_path, log):
    assert claimed([log.folder]) == 10
    assert claimed([log.folder, log.folder]) == 20
    (log.folder / "checkpoint").write_text("rubbish\n")
    assert claimed([log.folder]) is None
    assert claimed([Path("/nowhere")]) is None
