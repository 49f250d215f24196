"""Verbs that read the log: what they print, as tables and as JSON, and what they say when there is nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from proxy.audit import events
from proxy.audit.people.keys import Keys, keys_folder
from proxy.audit.proof.verify import verify
from proxy.cli import app
from tests.audit.logs import DAY, HandMade, message
from tests.commands.audit.story import CLIENT, NEW, OLD, RUN, START, story
from tests.commands.audit.written import Writing, written
from tests.harness import ROOT

Type = Callable[..., Result]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a verb about an audit in UTC, on a terminal that is wide enough."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("HUSHWIRE_AUDIT", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *words: CliRunner().invoke(app, ["audit", *map(str, words)])


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    story(tmp_path / "audit")
    return tmp_path / "audit"


def rows(result: Result) -> list[dict]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def seqs(result: Result) -> list[int]:
    return [row["seq"] for row in rows(result)]


# -- search -------------------------------------------------------------------------------------------------


def test_search_shows_newest_first_what_was_found_and_done(typed, audit):
    result = typed("search", "--audit", audit, "--utc", "--kind", "message")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["time", "(UTC)", "session", "route", "verdict", "findings"]
    assert lines[1].startswith("2026-11-18 11:06:44") and f"{RUN}-1  chat   ←  kept" in lines[1]
    assert "IBAN_CODE→keep (exempt)" in lines[1]
    assert "→  rewritten  EMAIL_ADDRESS→mask \N{MULTIPLICATION SIGN}2, PHONE_NUMBER→replace (shadow)" in lines[2]
    assert lines[-1] == "All 2 events that fit."


def test_a_narrow_terminal_gets_shorter_times_and_no_word_in_two_lines(typed, audit, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = typed("search", "--audit", audit, "--utc", "--kind", "message").stdout.splitlines()
    assert lines[1].endswith("IBAN_CODE→keep (exempt)".ljust(80 - lines[1].index("IBAN"))) and len(lines[1]) <= 80
    said = typed("show", "--audit", audit, "1").stdout
    assert "contact, email 1.00" in said and " chars" not in said and "us\n" not in said


def test_lines_that_go_into_a_pipe_are_whole(typed, audit, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    lines = typed("search", "--audit", audit, "--utc").stdout.splitlines()
    assert len(lines) == 1 + 9 + 2
    (line,) = (line for line in lines if "shadow" in line)
    assert "EMAIL_ADDRESS→mask \N{MULTIPLICATION SIGN}2, PHONE_NUMBER→replace (shadow)" in line


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--entity", "EMAIL_ADDRESS"], [2]),
        (["--entity", "EMAIL_ADDRESS", "--entity", "IBAN_CODE"], [4, 2]),
        (["--entity", "EMAIL_ADDRESS", "--mode", "shadow"], []),
        (["--rule", "phones", "--operator", "replace"], [2]),
        (["--verdict", "kept"], [4]),
        (["--cause", "too_big"], [7]),
        (["--route", "billing"], [7, 6]),
        (["--route", "chat", "--kind", "policy.apply"], [3]),
        (["--direction", "down"], [4]),
        (["--policy", NEW[:6]], [4, 3]),
        (["--client", CLIENT, "--session", "1"], [5, 4, 2, 1]),
        (["--client", CLIENT, "--verdict", "kept"], [4]),
        (["--session", f"{RUN[:3]}-2"], [7, 6]),
        (["--since", "2026-11-18T11:06:47Z"], [8, 7]),
        (["--until", "2026-11-18T11:06:42Z"], [1, 0]),
        (["--limit", "1"], [8]),
    ],
)
def test_every_filter_filters(typed, audit, filters, found):
    assert seqs(typed("search", "--audit", audit, "--json", *filters)) == found


def test_a_client_is_found_by_its_address_with_the_keys_of_the_installation(typed, audit):
    name = Keys.open(keys_folder()).client("192.0.2.7")
    log = story(audit.with_name("other"))
    kind, given = events.SessionOpen, {"sid": f"{RUN}-9", "route": "chat", "client": name}
    log.block((kind, given))
    assert seqs(typed("search", "--audit", log.folder.parent, "--json", "--client", "192.0.2.7")) == [9]
    assert seqs(typed("search", "--audit", log.folder.parent, "--json", "--client", "192.0.2.8")) == []


def test_without_the_keys_of_the_installation_an_address_is_not_compared_in_silence(typed, audit):
    result = typed("search", "--audit", audit, "--json", "--client", "192.0.2.7")
    assert seqs(result) == [] and "the keys of this installation are not here" in result.stderr
    assert not keys_folder().exists()


def test_more_than_the_limit_is_counted_and_the_way_to_it_told(typed, audit):
    said = typed("search", "--audit", audit, "--limit", "2").stdout
    assert "The newest 2; 7 others fit too" in said and "--limit" in said and "audit export" in said
    assert "None of 9 events fits" in typed("search", "--audit", audit, "--verdict", "leaked").stdout


def test_an_empty_log_and_no_log_at_all_are_told_kindly(typed, tmp_path):
    HandMade(tmp_path / "empty")
    assert "The log is empty so far." in typed("search", "--audit", tmp_path / "empty").stdout
    assert "the log is empty so far" in typed("tail", "--audit", tmp_path / "empty").stderr
    result = typed("search")
    assert result.exit_code == 2 and "there is no audit in" in result.stderr and "--audit DIR" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--entity", "EMAIL_ADRESS"], "no event has the entity 'EMAIL_ADRESS'; did you mean EMAIL_ADDRESS?"),
        (["--rule", "fones"], "no event has the rule 'fones'; did you mean phones?"),
        (["--route", "chatt"], "no event has the route 'chatt'; did you mean chat?"),
    ],
)
def test_a_name_that_no_event_has_is_told_with_the_one_that_was_meant(typed, audit, words, said):
    result = typed("search", "--audit", audit, *words)
    assert result.exit_code == 0 and said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "refus"], "--kind: there is no 'refus'; did you mean refuse?"),
        (["--direction", "sideways"], "--direction: there is no 'sideways'"),
        (["--since", "soon"], "--since: 'soon' is no time; write it like 2h"),
        (["--since", "1h", "--until", "2h"], "--until: it is not after --since"),
        (["--session", "77"], "no session '77' is in the log"),
        (["--session", "x'; DROP TABLE events"], "no session"),
    ],
)
def test_what_cannot_be_asked_is_refused(typed, audit, words, said):
    result = typed("search", "--audit", audit, *words)
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""


def test_changed_lines_are_left_out_and_said_to_be(typed, audit):
    path = next(audit.glob("log-0/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"verdict":"kept"', b'"verdict":"KEPT"'))
    result = typed("search", "--audit", audit, "--json")
    assert 4 not in seqs(result) and "hushwire audit verify" in result.stderr


@pytest.mark.parametrize("verb", [("search",), ("tail", "--all")])
def test_what_a_start_took_over_from_a_crash_is_told(typed, tmp_path, verb):
    log = HandMade(tmp_path / "crashed")
    log.block((events.Start, START | {"repaired": 7}), (events.Start, START | {"adopted": 2}))
    log.checkpoint()
    told = typed(*verb, "--audit", tmp_path / "crashed").stdout
    assert "; 7 bytes of a torn line were cut off" in told and "; 2 events taken over unsigned" in told


def test_an_audit_that_may_only_be_read_is_searched_with_an_index_elsewhere(typed, audit, tmp_path, monkeypatch):
    index = tmp_path / "mine.sqlite"
    assert seqs(typed("search", "--audit", audit, "--json", "--index", index, "--limit", "1")) == [8]
    assert seqs(typed("search", "--audit", audit, "--json", "--index", "memory", "--limit", "1")) == [8]
    assert index.exists() and not list(audit.glob("index*"))
    denied = OSError(30, "Read-only file system")
    opened = os.open

    def refusing(path, flags, mode=0o777):
        if str(path).startswith(str(audit / "index")):
            raise denied
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    result = typed("search", "--audit", audit, "--json", "--limit", "1")
    assert seqs(result) == [8] and "one is made for this command; --index FILE keeps it" in result.stderr
    for words in (["search", "--index", audit / "index.other"], ["index"]):
        result = typed(*words, "--audit", audit)
        assert result.exit_code == 1
        assert "Read-only file system" in result.stderr and "--index FILE" in result.stderr


@pytest.mark.parametrize("words", [["search"], ["show", "1"], ["tail"], ["verify"], ["prove", "1"], ["export"]])
def test_an_audit_of_another_user_is_not_read_and_that_is_said(typed, audit, monkeypatch, words):
    monkeypatch.setattr(os, "access", lambda *_: False)
    result = typed(*words, "--audit", audit)
    assert result.exit_code == 1 and not result.stdout
    assert f"{audit} cannot be read" in result.stderr and "are you who runs the proxy?" in result.stderr


# -- show ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("meant", ["1", f"{RUN}-1", f"{RUN[:2]}-1"])
def test_show_tells_a_session_from_its_opening_to_its_end(typed, audit, meant):
    said = typed("show", "--audit", audit, "--utc", meant).stdout
    lines = [line.rstrip() for line in said.splitlines()]
    assert lines[0] == f"session {RUN}-1 on route chat"
    assert "opened       Wednesday 2026-11-18 11:06:41 UTC" in lines
    assert f"client       {CLIENT}" in lines and "lasted       4.0 s" in lines
    assert any(line.startswith(f"rules        {OLD[:12]}") for line in lines)
    places = [said.index(word) for word in ("+0.000 s", "+1.000 s", "in force (file)", "+3.000 s", "+4.000 s")]
    assert places == sorted(places)
    assert "→ 3  rewritten  EMAIL_ADDRESS→mask \N{MULTIPLICATION SIGN}2" in said
    assert "contact, email 1.00, 17-21 chars; 64 → 60 B, 21 us" in said
    assert "PHONE_NUMBER→replace (shadow)" in said and f"chat {NEW[:12]} in force" in said
    assert "up: 5 messages, 400 bytes, 3 findings" in lines
    assert "close codes they sent: client 1000, upstream none" in lines


def test_show_as_json_has_every_event(typed, audit):
    told = json.loads(typed("show", "--audit", audit, "1", "--json").stdout)
    assert [event["kind"] for event in told["events"]] == ["session.open", "message", "message", "session.close"]
    assert [hit["policy"] for hit in told["policies"]] == [NEW]
    assert (told["sid"], told["policy"], told["ms"]) == (f"{RUN}-1", OLD, 4000)


def test_a_session_that_goes_on_and_one_that_is_none_are_told(typed, audit):
    said = typed("show", "--audit", audit, "2").stdout
    assert "refused" in said and "too_big" in said and "It has not ended" in said
    result = typed("show", "--audit", audit, "3")
    assert result.exit_code == 2 and "no session '3'" in result.stderr


def test_a_number_that_several_runs_have_is_asked_back(typed, tmp_path):
    log = story(tmp_path / "audit")
    log.block(message(sid="ffffffff-1"))
    result = typed("show", "--audit", tmp_path / "audit", "1")
    assert result.exit_code == 2
    assert f"{RUN}-1" in result.stderr and "ffffffff-1" in result.stderr
    assert typed("show", "--audit", tmp_path / "audit", "ff-1").exit_code == 0


# -- stats --------------------------------------------------------------------------------------------------


def test_stats_counts_what_was_redacted_and_tells_the_rest_apart(typed, audit):
    said = typed("stats", "--audit", audit, "--utc").stdout
    assert "2 in force, 1 shadow, 1 exempt" in said
    assert "1 kept, 1 rewritten" in said
    assert "2 opened, 1 ended; on average 4.0 s and 7.0 messages" in said
    bars = {line.split()[0]: line for line in said.splitlines() if "█" in line}
    assert "100.0%" in bars["EMAIL_ADDRESS"] and "PHONE_NUMBER" not in bars
    assert "too_big" in bars and "2026-11-18" in said


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        (["--by", "entity"], {"EMAIL_ADDRESS": 2}),
        (["--by", "entity", "--mode", "shadow"], {}),
        (["--by", "mode"], {"enforce": 2, "exempt": 1, "shadow": 1}),
        (["--by", "direction"], {"up": 2}),
        (["--by", "hour"], {"2026-11-18T11:00+00:00": 2}),
        (["--by", "day"], {"2026-11-18": 2}),
        (["--by", "cause"], {"too_big": 1}),
        (["--by", "kind", "--route", "billing"], {"refuse": 1, "session.open": 1}),
        (["--by", "route", "--since", "2026-11-18T11:20Z"], {}),
        (["--by", "route", "--since", "2026-11-18T11:10Z"], {"chat": 2}),
    ],
)
def test_stats_by_one_thing(typed, audit, words, counts):
    result = typed("stats", "--audit", audit, "--utc", "--json", *words)
    assert json.loads(result.stdout) == counts


def test_stats_say_what_can_be_counted(typed, audit):
    told = json.loads(typed("stats", "--audit", audit, "--json").stdout)
    assert told["messages"] == {"kept": 1, "rewritten": 1} and told["sessions"]["opened"] == 2
    result = typed("stats", "--audit", audit, "--by", "colour")
    assert result.exit_code == 2 and "entity" in result.stderr


# -- tail ---------------------------------------------------------------------------------------------------


def test_tail_shows_the_newest_oldest_first(typed, audit):
    lines = typed("tail", "--audit", audit, "--utc", "-n", "3").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["11:06:46.000", "11:06:47.000", "11:06:48.000"]
    assert "refused" in lines[1] and "too_big" in lines[1] and "2 events could not be written" in lines[2]
    assert seqs(typed("tail", "--audit", audit, "--json", "--verdict", "kept")) == [4]


def test_tail_says_that_nothing_fits(typed, audit):
    result = typed("tail", "--audit", audit, "--entity", "EMAIL_ADRESS")
    assert (result.exit_code, result.stdout) == (0, "") and "no event fits" in result.stderr


def test_a_terminal_without_arrows_is_told_all_the_same(audit):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "TZ": "UTC"}
    for words in (["search"], ["show", "1"], ["verify"]):
        command = [sys.executable, "-m", "proxy", "audit", *words, "--audit", str(audit)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.isascii() and not done.stderr


def test_tail_f_follows_in_a_pipe_across_rotation_and_new_logs_until_it_is_interrupted(audit, tmp_path):
    from tests.audit.logs import HandMade

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC"}
    command = [sys.executable, "-m", "proxy", "audit", "tail", "-f", "-n", "1", "--json", "--audit", str(audit)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["kind"] == "gap"
        log = HandMade(audit, "aaaaaaaa", number=5)
        for number in (1, 2):
            log.block(message(number), at=DAY + number)
            assert json.loads(process.stdout.readline())["n"] == number
            log.rotate()
        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=30)
        assert (process.returncode, rest, complaints) == (0, b"", b"")
    finally:
        process.kill()
        process.wait()


# -- export -------------------------------------------------------------------------------------------------


@pytest.fixture
def home(typed, tmp_path) -> Path:
    """An audit of this installation: 3 messages with 4 findings."""
    writing = Writing(tmp_path / "home", Keys.open(keys_folder()))
    for values in (["anna@example.com"], ["bob@example.com", "eve@example.com"], ["anna@example.com"]):
        writing.say(*values)
    writing.log.close()
    return tmp_path / "home"


def test_lines_are_exported_as_they_stand_and_that_is_in_the_log(typed, home, tmp_path):
    before = next(home.glob("log-0/*.jsonl")).read_bytes()
    file = tmp_path / "out.jsonl"
    result = typed("export", "--audit", home, "-o", file)
    assert result.exit_code == 0 and "out.jsonl: 3 events" in result.stderr
    assert file.read_bytes() == before and file.stat().st_mode & 0o777 == 0o600
    (event,) = written(home, events.Export)
    assert (event.form, event.count) == ("jsonl", 3)
    assert verify(home).verdict == "whole"


def test_stdout_gets_the_same_and_so_does_the_log(typed, home):
    lines = typed("export", "--audit", home, "--entity", "EMAIL_ADDRESS").stdout.splitlines()
    assert len(lines) == 3 and all(json.loads(line)["kind"] == "message" for line in lines)
    assert [event.count for event in written(home, events.Export)] == [3]
    typed("export", "--audit", home, "--unlogged")
    assert len(list(written(home, events.Export))) == 1


def test_csv_and_parquet_have_a_row_for_each_finding(typed, home, tmp_path):
    from pyarrow import parquet

    typed("export", "--audit", home, "--format", "csv", "-o", tmp_path / "out.csv")
    typed("export", "--audit", home, "--format", "parquet", "-o", tmp_path / "out.parquet")
    table = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    columns = parquet.read_table(tmp_path / "out.parquet")
    assert len(table) == columns.num_rows == 4
    assert list(table[0]) == columns.column_names
    assert [row["seq"] for row in table] == [str(seq) for seq in columns["seq"].to_pylist()]
    assert table[0]["time"][:10] == time.strftime("%Y-%m-%d", time.gmtime())
    assert [event.form for event in written(home, events.Export)] == ["csv", "parquet"]


def test_an_export_that_cannot_be_taken_down_is_none(typed, audit, tmp_path):
    """The audit was begun with another key than this installation's."""
    result = typed("export", "--audit", audit, "-o", tmp_path / "out.jsonl")
    assert result.exit_code == 1 and "taken down" in result.stderr
    assert not list(tmp_path.glob("*out.jsonl*"))
    assert typed("export", "--audit", audit, "-o", tmp_path / "out.jsonl", "--unlogged").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "xml"], "there are jsonl, csv, parquet"),
        (["--format", "parquet"], "say where to put it"),
        (["-o", "/nowhere/out"], "cannot be written (No such file or directory)"),
        (["-o", "/"], "--output: / is a directory; name a file in it"),
    ],
)
def test_an_export_that_cannot_be_is_refused(typed, home, words, said):
    result = typed("export", "--audit", home, *words)
    assert result.exit_code == 2 and said in result.stderr


def test_parquet_without_its_package_names_the_extra(typed, home, tmp_path, monkeypatch):
    from importlib import util

    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *more: None if name == "pyarrow" else found(name, *more))
    result = typed("export", "--audit", home, "--format", "parquet", "-o", tmp_path / "x")
    assert result.exit_code == 2 and "pip install 'hushwire[parquet]'" in result.stderr


def test_a_changed_line_is_not_exported(typed, home):
    path = next(home.glob("log-0/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"n":2', b'"m":2'))
    result = typed("export", "--audit", home, "--unlogged")
    assert result.exit_code == 1 and "hushwire audit verify" in result.stderr


# -- report -------------------------------------------------------------------------------------------------


def test_a_record_says_what_flowed_what_was_left_and_what_it_cannot_say(typed, audit):
    said = " ".join(typed("report", "--audit", audit, "--utc").stdout.split())
    for sentence in (
        "2 findings in 1 category.",
        "EMAIL_ADDRESS chat client to service contact mask 2",
        "1 finding met a rule in shadow mode",
        "1 finding met an exception of a rule",
        f"chat {OLD[:12]} 2026-11-18 11:06 2026-11-18 11:06 chat {NEW[:12]} 2026-11-18 11:06 now",
        "1 time: 1 for too_big",
        "2 events could not be written",
        "log-0 9 2026-11-18 11:07:40",
        "hushwire audit verify checks every event",
        "what no rule looks for is not in here",
    ):
        assert sentence in said, sentence


def test_a_record_as_markdown_and_json(typed, audit):
    said = typed("report", "--audit", audit, "--format", "markdown").stdout
    assert said.startswith("# Record of processing") and "| --- |" in said and "\n## Retention and proof\n" in said
    told = json.loads(typed("report", "--audit", audit, "--json", "--route", "chat").stdout)
    assert {flow["entity"] for flow in told["flows"]} == {"EMAIL_ADDRESS", "PHONE_NUMBER", "IBAN_CODE"}
    assert told["signed"] == [{"name": "log-0", "end": 9, "t": (DAY + 60) * 10**9, "problem": ""}]
    assert typed("report", "--audit", audit, "--format", "pdf").exit_code == 2


def test_a_record_of_nothing_says_so(typed, audit):
    said = typed("report", "--audit", audit, "--since", "2030-01-01").stdout
    assert "No personal data was found and treated in this time." in said


def test_a_record_says_when_a_checkpoint_cannot_be_believed(typed, audit):
    (audit / "log-0" / "checkpoint").write_text("nonsense")
    assert "it has no signature" in typed("report", "--audit", audit).stdout


# -- index --------------------------------------------------------------------------------------------------


def test_the_index_is_brought_up_to_date_and_made_anew(typed, audit):
    assert "9 events of 2 sessions" in typed("index", "--audit", audit).stdout
    inode = (audit / "index.sqlite").stat().st_ino
    told = json.loads(typed("index", "--audit", audit, "--json").stdout)
    assert told["events"] == 9 and (audit / "index.sqlite").stat().st_ino == inode
    (audit / "index.sqlite").write_bytes(b"")
    assert json.loads(typed("index", "--audit", audit, "--rebuild", "--json").stdout)["events"] == 9
    assert typed("index", "--audit", audit, "--index", "memory").exit_code == 2


@pytest.mark.parametrize("verb", ["search", "show", "stats", "tail", "export", "report", "index"])
def test_every_verb_explains_itself(typed, verb):
    said = typed(verb, "--help").stdout
    assert "Examples:" in said and "--audit" in said
