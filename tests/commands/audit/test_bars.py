"""Whoever waits longer than a second sees how far it is: on a terminal, beside no answer, and gone afterwards."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy.audit import events
from proxy.audit.people.keys import Keys, keys_folder
from proxy.audit.reading.export import Export
from proxy.audit.reading.index import Index
from proxy.cli import app
from proxy.commands.audit import around
from proxy.commands.audit.around import bar
from tests.audit.people import ANNA, MAIL
from tests.commands.audit.test_vocabulary import read
from tests.commands.audit.written import SID, Writing, written

SLOW = """
import fcntl, importlib, os, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)  # Ctrl-C goes to whoever has the terminal
module, _, name = sys.argv[1].partition(":")
go = int(sys.argv[2])
*folders, last = name.split(".")
place = importlib.import_module(module)
for folder in folders:
    place = getattr(place, folder)
work = getattr(place, last)
def held(*given, **more):
    os.read(go, 1)
    return work(*given, **more)
setattr(place, last, held)
sys.argv[:] = ["hushwire", *sys.argv[3:]]
from proxy.cli import app
app(prog_name="hushwire")
"""
VALUE = ["--entity", MAIL, "--stdin"]
VERBS = {
    "verifying": ("proxy.audit.proof.verify:verify", ["verify"]),
    "proving": ("proxy.audit.proof.prove:prove", ["prove", "0"]),
    "indexing": ("proxy.audit.reading.index:Index.catch_up", ["search"]),
    "looking": ("proxy.audit.people.lookup:look_up", ["subject", *VALUE]),
    "looking ": ("proxy.audit.people.erase:erase", ["erase", *VALUE, "--request", "DSR-1"]),
    "exporting": ("proxy.audit.reading.export:Export.write", ["export"]),
    "reading": ("proxy.audit.reading.conversation:segments", ["replay", SID]),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of an installation with a log."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("HUSHWIRE_AUDIT", raising=False)
    monkeypatch.delenv("HUSHWIRE_AUDIT_KEY", raising=False)
    writing = Writing(tmp_path / "hushwire" / "audit", Keys.open(keys_folder()))
    writing.say(ANNA, body=b"to <EMAIL_ADDRESS>")
    writing.log.sync()
    writing.log.close()
    return tmp_path / "hushwire"


class Held:
    """A verb whose work waits until it is let go. `terminal` is its stderr, and its stdout too if `shown`."""

    def __init__(self, work: str, words: list[str], *, shown: bool = False) -> None:
        self.terminal, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        wait, self._go = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SLOW, work, str(wait), "audit", *words],
            stdin=subprocess.PIPE,
            stdout=theirs if shown else subprocess.PIPE,
            stderr=theirs,
            pass_fds=[wait],
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"},
        )
        os.close(wait)
        assert self.process.stdin is not None
        self.process.stdin.write(ANNA.encode())
        self.process.stdin.close()
        self.said = b""

    def waits_for(self, text: bytes) -> None:
        while text not in self.said:
            assert select.select([self.terminal], [], [], 60)[0], self.said
            self.said += os.read(self.terminal, 1 << 16)

    def let_go(self) -> bytes:
        """Its answer."""
        os.write(self._go, b"1" * 99)
        return self.ended()

    def ended(self) -> bytes:
        """Its answer, when it has ended. Whoever does not read the terminal meanwhile holds it up."""
        answer, pipe = b"", self.process.stdout
        while self.process.poll() is None or select.select([self.terminal], [], [], 0)[0]:
            ready = select.select([self.terminal, *([pipe] if pipe else [])], [], [], 0.05)[0]
            if self.terminal in ready:
                self.said += os.read(self.terminal, 1 << 16)
            if pipe in ready:
                answer += os.read(pipe.fileno(), 1 << 16)
        self.after = termios.tcgetattr(self._theirs)
        return answer + (pipe.read() if pipe else b"")

    def screen(self) -> list[str]:
        """What is left on the terminal, without colours: lines that were cleared are gone."""
        lines, text = [""], self.said.decode()
        while text:
            if text.startswith("\x1b["):
                end = next(at for at, one in enumerate(text[2:], 2) if one.isalpha())
                if text[: end + 1] == "\x1b[2K":
                    lines[-1] = ""
                elif text[: end + 1] == "\x1b[1A":
                    lines.pop()
                text = text[end + 1 :]
                continue
            if text[0] == "\n":
                lines.append("")
            elif text[0] == "\r":
                lines[-1] = "" if text[1:2] != "\n" else lines[-1]
            else:
                lines[-1] += text[0]
            text = text[1:]
        return [line for line in lines if line]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for one in (self.terminal, self._theirs, self._go):
            os.close(one)


@pytest.fixture
def hold() -> Iterator[list[Held]]:
    made: list[Held] = []
    yield made
    for one in made:
        one.close()


@pytest.mark.parametrize("shown", VERBS)
def test_a_bar_is_shown_while_it_takes_long_and_is_gone_when_it_is_done(home, hold, shown):
    work, words = VERBS[shown]
    plain = [] if words[0] in ("export", "prove") else ["--json"]
    hold.append(verb := Held(work, [*words, *plain]))
    verb.waits_for(shown.strip().encode())
    verb.waits_for(b"\x1b[?25l")  # the cursor is hidden
    answer = verb.let_go()
    assert verb.process.returncode == 0, verb.said
    assert all(isinstance(one, dict) for one in read(answer.decode()))
    assert verb.screen() == [] and verb.said.rindex(b"\x1b[?25h") > verb.said.rindex(b"\x1b[?25l")
    assert verb.before == verb.after


@pytest.mark.parametrize("shown", VERBS)
def test_whoever_presses_ctrl_c_gets_130_and_a_clean_line_and_nothing_is_half_done(home, hold, shown):
    work, words = VERBS[shown]
    files = sorted(home.rglob("*"))
    hold.append(verb := Held(work, words))
    verb.waits_for(shown.strip().encode())
    os.write(verb.terminal, b"\x03")
    assert verb.ended() == b""
    assert (verb.process.returncode, verb.screen()) == (130, ["interrupted"])
    assert verb.before == verb.after
    assert list(written(home / "audit", events.Erase, events.Lookup)) == []
    assert [event.count for event in written(home / "audit", events.Export)] == [0] * (words[0] == "export")
    left = {path.name for path in home.rglob("*") if path not in files}
    assert left <= {"index.lock", "tend.lock"} or words[0] == "export"  # which takes down that it was begun


def test_lines_and_a_bar_do_not_share_a_terminal(home, hold):
    hold.append(verb := Held(*VERBS["exporting"], shown=True))
    hold.append(other := Held(*VERBS["verifying"]))
    other.waits_for(b"verifying")  # who began later is already there
    other.let_go()
    verb.let_go()
    assert b"exporting" not in verb.said and b"\x1b[?25l" not in verb.said
    assert json.loads(verb.screen()[0])["seq"] == 0


def test_into_a_pipe_there_is_no_bar_whatever_the_environment_says(capsys, monkeypatch):
    monkeypatch.setattr(around, "LONG", 0.0)
    for name in ("FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
    with bar("looking", "segments") as tell:
        for done in range(50):
            tell(done, 50)
    assert capsys.readouterr() == ("", "")


# -- interrupted in the middle of the work ------------------------------------------------------------------


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["audit", *words], input=ANNA, prog_name="hushwire")
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("kept", [False, True])
def test_an_index_that_was_interrupted_is_whole_or_not_there(home, monkeypatch, kept):
    if kept:
        assert run("index")[0] == 0
    writing = Writing(home / "audit", Keys.open(keys_folder()))
    writing.say(ANNA)
    writing.log.close()
    with monkeypatch.context() as patch:
        patch.setattr("proxy.audit.reading.index_follow.Way.went", interrupt)
        assert run("search") == (130, "", "interrupted\n")
    assert (home / "audit" / "index.sqlite").exists() == kept
    assert not (home / "audit" / "index.building").exists()
    with Index(home / "audit") as index:
        index.catch_up()
        assert index.state().events == len(list(written(home / "audit", events.Event)))


def test_an_export_that_was_interrupted_leaves_no_file_and_is_none(home, tmp_path, monkeypatch):
    lines = Export.lines

    def some(self: Export, tell: object) -> Iterator[object]:
        yield from list(lines(self, lambda _done, _of: None))[:1]
        raise KeyboardInterrupt

    monkeypatch.setattr(Export, "lines", some)
    out = tmp_path / "out"
    out.mkdir()
    assert run("export", "-o", str(out / "events.jsonl")) == (130, "", "interrupted\n")
    assert list(out.iterdir()) == [] and list(written(home / "audit", events.Export)) == []


def test_an_erasure_that_is_interrupted_while_it_is_chosen_erases_nothing(home, monkeypatch):
    monkeypatch.setattr("proxy.audit.people.erase.of_subject", interrupt)
    assert run("erase", *VALUE, "--request", "DSR-1") == (130, "", "interrupted\n")
    assert list(written(home / "audit", events.Erase)) == []
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(home.parent))
    assert json.loads(run("subject", *VALUE, "--json")[1])["found"] == 1


def test_a_signal_ends_a_tail_in_order(home, hold):
    hold.append(verb := Held("proxy.audit.reading.tail:Tail.last", ["tail", "-f", "--json"]))
    os.write(verb._go, b"1")
    assert verb.process.stdout is not None and json.loads(verb.process.stdout.readline())["seq"] == 0
    os.killpg(verb.process.pid, signal.SIGINT)
    verb.ended()
    assert (verb.process.returncode, verb.screen()) == (0, [])
