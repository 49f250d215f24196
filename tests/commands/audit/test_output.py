"""Answers go into pipes that nobody reads on, and into files that are whole or not there."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from proxy.audit import events
from proxy.audit.people.keys import Keys, keys_folder
from proxy.audit.reading.question import Question
from proxy.audit.reading.tail import Tail
from proxy.audit.writing.desk import desk
from proxy.audited import Audit
from proxy.cli import app
from proxy.commands.audit.output import whole_file
from proxy.settings import Settings
from proxy.starting import StartError
from tests.commands.audit.story import story
from tests.harness import ROOT


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    story(tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def visited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit in which a command has taken something down."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with desk(tmp_path / "own", Keys.open(keys_folder())) as opened:
        opened.write(events.Lookup, entity="IBAN_CODE", found=0)
    return tmp_path / "own"


def typed(*words: object) -> list[dict]:
    done = CliRunner().invoke(app, ["audit", *map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("words", [["search"], ["search", "--json"], ["stats"], ["show", "1"], ["report"]])
def test_nobody_who_stops_reading_is_told_that_it_failed(audit, tmp_path, words):
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "proxy", "audit", *words, "--audit", str(audit)],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("form", "begins"), [("text", "Record"), ("markdown", "# "), ("json", "{")])
def test_a_report_is_written_into_a_file_as_it_is_shown(audit, tmp_path, form, begins):
    words = ["audit", "report", "--audit", str(audit), "--format", form, "--utc"]
    file = tmp_path / "record"
    done = CliRunner().invoke(app, [*words, "-o", str(file)])
    assert (done.exit_code, done.stdout) == (0, "")
    assert file.read_text().startswith(begins)
    if form == "json":
        assert {flow["dir"] for flow in json.loads(file.read_text())["flows"]} <= {"up", "down"}


def test_a_file_that_could_not_be_finished_leaves_the_one_before(tmp_path):
    file = tmp_path / "answer"
    file.write_text("before")
    with pytest.raises(RuntimeError), whole_file(file) as (out, _appear):
        out.write(b"half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["answer"] and file.read_text() == "before"
    with pytest.raises(typer.Exit) as refused, whole_file(tmp_path / "no" / "answer"):
        pass
    assert refused.value.exit_code == 2


def test_nothing_but_a_file_is_replaced_and_a_link_stays_one(tmp_path):
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    link.symlink_to(file)
    with pytest.raises(typer.Exit) as refused, whole_file(pipe):
        pass
    assert refused.value.exit_code == 2
    assert pipe.is_fifo()
    with whole_file(link) as (out, appear):
        out.write(b"whole")
        appear()
    assert link.is_symlink()
    assert file.read_bytes() == b"whole"


def test_a_disk_that_is_full_is_told_and_nothing_is_left(tmp_path, capsys):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(typer.Exit) as refused, whole_file(tmp_path / "answer") as (out, _appear):
            out.write(b"more than there is room for")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert refused.value.exit_code == 2
    assert "answer cannot be written (File too large)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["search", "tail"])
@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ([], {"subject.lookup"}),
        (["--all"], {"start", "subject.lookup", "stop"}),
        (["--kind", "start"], {"start"}),
        (["--kind", "stop"], {"stop"}),
    ],
)
def test_what_a_command_took_down_is_shown_without_its_beginning_and_end(visited, verb, words, kinds):
    assert {event["kind"] for event in typed(verb, "--audit", visited, *words)} == kinds


def test_the_start_of_a_proxy_is_shown(audit):
    assert [event["kind"] for event in typed("search", "--audit", audit)][-1] == "start"
    assert [event["kind"] for event in typed("search", "--audit", audit, "--limit", 9)][-1] == "start"


def test_the_end_of_a_desk_is_known_although_it_began_before_the_time_asked_for(visited):
    began = next(event for event in typed("tail", "--audit", visited, "--all") if event["kind"] == "start")
    question = Question(since=began["t"] + 1, desks=False)
    assert [event.__struct_config__.tag for event in Tail(visited, question).last(9)] == ["subject.lookup"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--policy", "zzz"], 2, "--policy: 'zzz' is no digest"),
        (["--policy", "777777"], 0, "no event is under rules '777777'"),
        (["--client", "nonsense"], 0, "no session is of the client 'nonsense'"),
    ],
)
def test_a_filter_that_nothing_can_fit_is_told(audit, words, code, said):
    done = CliRunner().invoke(app, ["audit", "search", "--audit", str(audit), *words])
    assert done.exit_code == code and said in done.stderr


def test_a_hold_on_a_route_that_no_event_has_is_placed_and_doubted(visited):
    words = ["audit", "hold", "place", "--audit", str(visited), "--reason", "case 7", "--route", "nope"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and "no event has the route 'nope'" in done.stderr and "in force" in done.stdout


def test_an_event_of_several_logs_is_asked_back_with_their_names(visited):
    for _ in range(2):
        with desk(visited, Keys.open(keys_folder())) as first, desk(visited, Keys.open(keys_folder())):
            first.write(events.Lookup, entity="IBAN_CODE", found=0)
    done = CliRunner().invoke(app, ["audit", "prove", "1", "--audit", str(visited)])
    assert done.exit_code == 2 and "event 1 is in log-0, log-1" in done.stderr and "--log" in done.stderr
    done = CliRunner().invoke(app, ["audit", "prove", "5", "--audit", str(visited)])
    assert "event 5 is in log-0" in done.stderr and "log-1" not in done.stderr


def test_what_is_wrong_with_a_start_names_its_option(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pytest.raises(StartError, match="--audit-key: the signing key's environment variable is not set"):
        Audit(Settings(upstream="ws://127.0.0.1:1", audit_key="env:HUSHWIRE_NOPE"))
    with pytest.raises(ValueError, match="write for example 90d"):
        Settings(upstream="ws://127.0.0.1:1", audit_keep="foo")
    (tmp_path / "flat").write_text("")
    anchors = (f"file:{tmp_path}/flat/x", f"git:{tmp_path}/flat/y", f"file:{tmp_path}/fine", f"git:{tmp_path}/git")
    started = Audit(Settings(upstream="ws://127.0.0.1:1", audit_anchor=anchors))
    assert [told.partition(": ")[0].rpartition("/")[2] for told in started.unanchored] == ["x", "y"]
    assert caplog.text.count("checkpoints cannot be kept there (Not a directory)") == 2
    assert list((tmp_path / "fine").iterdir()) == []
