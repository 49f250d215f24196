"""Whoever meets the verbs for the first time: with a log that may only be read, in another directory, on a narrow
terminal or one that knows ASCII alone, or with a reader who has seen enough."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proxy.audit import tend
from proxy.audit.people.keys import Keys, keys_folder
from proxy.cli import app
from tests.audit.logs import HandMade, finding, message
from tests.audit.people import ANNA, MAIL
from tests.commands.audit.story import story
from tests.commands.audit.written import SID, Writing
from tests.harness import ROOT

AS_ANNA = ["--entity", MAIL, "--stdin"]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of this installation, at level sanitised."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("HUSHWIRE_AUDIT", raising=False)
    monkeypatch.delenv("HUSHWIRE_AUDIT_KEY", raising=False)
    directory = tmp_path / "hushwire" / "audit"
    writing = Writing(directory, Keys.open(keys_folder()))
    writing.say(ANNA, body="to <EMAIL_ADDRESS>, schöne Grüße".encode(), route="büro")
    writing.say(ANNA, route="büro")
    writing.log.sync()
    writing.log.close()
    return directory


def run(*words: object, value: str = ANNA) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["audit", *map(str, words)], input=value, prog_name="hushwire")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


# -- a log that may only be read ----------------------------------------------------------------------------


@pytest.fixture
def read_only(audit: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, mounted for an auditor."""
    before = sorted(audit.rglob("*"))
    opened, allowed = os.open, os.access

    def refusing(path: Any, flags: int, *more: Any, **given: Any) -> int:
        if str(path).startswith(str(audit)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, *more, **given)

    def asked(path: Any, mode: int, **given: Any) -> bool:
        return not (mode & os.W_OK and str(path).startswith(str(audit))) and allowed(path, mode, **given)

    monkeypatch.setattr(os, "open", refusing)
    monkeypatch.setattr(os, "access", asked)
    yield audit
    assert sorted(audit.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        *(
            ["search"],
            ["show", SID],
            ["tail"],
            ["stats"],
            ["report"],
            ["verify"],
            ["prove", "0"],
            ["hold", "list"],
        ),
        *(["replay", SID], ["export", "--unlogged"], ["ship", "--status"]),
    ],
)
def test_an_auditor_reads_what_may_only_be_read(read_only, words):
    code, told, _ = run(*words)
    assert code == 0 and told


@pytest.mark.parametrize("words", [["subject", *AS_ANNA], ["erase", *AS_ANNA, "--request", "a"], ["export"]])
def test_what_has_to_be_taken_down_is_not_begun_and_the_cure_is_said(read_only, words):
    code, told, complaint = run(*words)
    assert (code, told) == (1, "")
    assert "taken down in the audit first" in complaint and "a copy that you may write to (cp -a)" in complaint


def test_the_cure_is_one(audit, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", audit, copy], check=True)
    code, told, _ = run("subject", *AS_ANNA, "--audit", copy)
    assert code == 0 and "occurred 2 times" in told
    assert run("verify", "--audit", copy)[0] == 0


def test_an_auditor_does_not_read_while_somebody_erases(audit, request):
    (audit / "tend.lock").touch()
    request.getfixturevalue("read_only")
    with tend.turn(audit, alone=False), (audit / "tend.lock").open() as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    with pytest.raises(OSError, match="Read-only"), tend.turn(audit, alone=True):
        pass


# -- another directory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        *(["search"], ["show", "1"], ["tail"], ["stats"], ["report"], ["index"], ["export"], ["replay", SID]),
        *(["subject", *AS_ANNA], ["erase", *AS_ANNA, "--request", "a"], ["hold", "place", "--reason", "case 7"]),
        *(["verify"], ["prove", "1"], ["anchor", "file:x"], ["hold", "list"], ["ship", "--status"]),
    ],
)
def test_in_a_directory_that_is_no_audit_nothing_is_found_nor_made(audit, tmp_path, words):
    """Least of all that a person does not occur."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "letter.txt").touch()
    code, told, complaint = run(*words, "--audit", elsewhere)
    assert (code, told) == (2, "")
    assert "there is no audit log in" in complaint and "--audit DIR" in complaint
    assert [path.name for path in elsewhere.iterdir()] == ["letter.txt"]


# -- terminals and pipes ------------------------------------------------------------------------------------


def lines(audit: Path, *words: str, columns: int) -> list[str]:
    environment = {"COLUMNS": str(columns), "TZ": "UTC"}
    done = CliRunner().invoke(app, ["audit", *words, "--audit", str(audit)], env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_a_narrow_terminal_loses_no_number(tmp_path, columns):
    log = HandMade(tmp_path)
    log.block(*[message(n, f=[finding("EMAIL_ADDRESS")] * 1234) for n in range(1, 3)])
    told = lines(tmp_path, "stats", columns=columns)
    assert all(len(line) <= columns for line in told)
    (counted,) = [line for line in told if line.startswith("EMAIL_ADDRESS")]
    assert counted.split()[:3] == ["EMAIL_ADDRESS", "2,468", "100.0%"] and "\N{FULL BLOCK}" in counted


@pytest.mark.parametrize("verb", [["search"], ["show", "0badcafe-1"], ["report"], ["verify"]])
def test_nothing_is_wider_than_a_narrow_terminal_and_names_stay_whole(tmp_path, verb):
    story(tmp_path)
    told = lines(tmp_path, *verb, columns=60)
    assert all(len(line) <= 60 for line in told)
    assert verb[0] in ("verify", "search") or any("EMAIL_ADDRESS" in line for line in told)


VERBS = [
    *(["search"], ["search", "--json"], ["tail"], ["tail", "--json"], ["show", SID], ["show", SID, "--json"]),
    *(["stats"], ["stats", "--json"], ["report"], ["report", "--json"], ["report", "--format", "markdown"]),
    *(["replay", SID], ["replay", SID, "--json"], ["export", "--unlogged", "--format", "csv"], ["verify"]),
    *(["subject", *AS_ANNA], ["subject", *AS_ANNA, "--json"], ["hold", "list"]),
]


def typed(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "proxy", "audit", *words],
        input=ANNA.encode(),
        capture_output=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_terminal_that_knows_ascii_alone_is_no_reason_to_fail(audit, words):
    done = typed(*words, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr.decode()
    if "--json" in words:
        told = done.stdout.decode("ascii")
        assert "\\u00fc" in told
        assert [json.loads(told)] if told.startswith("{\n") else [json.loads(line) for line in told.splitlines()]


@pytest.mark.parametrize(
    "words", [["replay", SID], ["replay", SID, "--json"], ["report"], ["stats"]], ids=" ".join
)
def test_a_reader_who_has_seen_enough_ends_it_quietly(audit, words):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "proxy", "audit", *words],
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_colours_are_not_for_who_wants_none(audit):
    for words in (["search"], ["stats"], ["verify"], ["show", SID]):
        assert b"\x1b" not in typed(*words, NO_COLOR="1", TERM="xterm-256color").stdout
