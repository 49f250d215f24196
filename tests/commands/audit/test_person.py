"""Somebody asks where a person's value occurred, has it erased, or holds it: each is in the log."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import termios
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy.audit import events
from proxy.audit.people.keys import Keys, keys_folder
from proxy.audit.people.subject import occurrences
from proxy.audit.proof.verify import verify
from proxy.audit.reading.index import Index
from proxy.cli import app
from proxy.commands.audit.told import TIMES
from tests.audit.people import ANNA, BOB, MAIL, bytes_of, nothing
from tests.commands.audit.written import SID, Writing, written

AS_ANNA = ["--entity", MAIL, "--stdin"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("HUSHWIRE_AUDIT", raising=False)
    monkeypatch.delenv("HUSHWIRE_AUDIT_KEY", raising=False)
    return tmp_path / "hushwire"


@pytest.fixture
def proxy(home):
    writing = Writing(home / "audit", Keys.open(keys_folder()))
    writing.say(ANNA, BOB, route="chat")
    writing.say(BOB)
    writing.say(ANNA, sid="0badcafe-8", body=b"to <EMAIL_ADDRESS>, of Rome")
    yield writing
    writing.log.close()


def run(*arguments: str, value: str | bytes = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments), input=value, prog_name="hushwire")
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


def whole(home: Path) -> bool:
    audit = verify(home / "audit")
    return not audit.faults and all(not log.faults and not log.damages for log in audit.logs)


# -- subject ------------------------------------------------------------------------------------------------


def test_a_person_is_found_and_the_question_is_in_the_log(home, proxy):
    code, told, _ = run("audit", "subject", *AS_ANNA, value="Anna.Lee@EXAMPLE.com\n")
    assert code == 0
    assert "occurred 2 times, in 2 sessions" in told
    assert SID in told
    assert "chat" in told
    (lookup,) = written(home / "audit", events.Lookup)
    assert (lookup.entity, lookup.found) == (MAIL, 2)
    assert b"anna" not in bytes_of(home / "audit").lower()
    assert "anna" not in told.lower()
    assert whole(home)


def test_machines_are_told_everything(proxy):
    code, told, _ = run("audit", "subject", *AS_ANNA, "--json", value=ANNA)
    answer = json.loads(told)
    assert (code, answer["found"], answer["epochs"], answer["destroyed"]) == (0, 2, [1], [])
    first = answer["occurrences"][0]
    assert {name: first[name] for name in ("sid", "route", "dir", "n", "rule", "op", "spelling")} == {
        **{"sid": SID, "route": "chat", "dir": "up", "n": 1, "rule": "contact", "op": "mask", "spelling": "given"}
    }
    assert (first["log"], first["seq"], first["index"]) == (proxy.log.id, 0, 0)


def test_a_person_who_is_not_in_the_log_is_not_found(home, proxy):
    code, told, _ = run("audit", "subject", *AS_ANNA, value="carol@example.com")
    assert code == 0
    assert "does not occur" in told
    assert [lookup.found for lookup in written(home / "audit", events.Lookup)] == [0]


@pytest.mark.parametrize(
    ("entity", "value", "doubt"),
    [
        ("EMAIL_ADRESS", ANNA, "EMAIL_ADRESS is no entity that comes along; did you mean EMAIL_ADDRESS?"),
        ("BADGE_ID", ANNA, "so one of your own rules has to find it"),
        (MAIL, f"{ANNA}\n{BOB}\n", "several lines on stdin"),
        (MAIL, "carol@example.com\n", ""),
    ],
)
def test_a_question_that_was_probably_put_wrong_is_doubted(proxy, entity, value, doubt):
    code, told, complaint = run("audit", "subject", "--entity", entity, "--stdin", value=value)
    assert (code, "does not occur" in told) == (0, True)
    assert doubt in complaint and bool(doubt) == bool(complaint)


def test_a_value_that_is_often_in_a_message_is_a_line_and_all_of_it_to_machines(proxy):
    proxy.say(*[BOB] * 70, sid="0badcafe-9")
    code, told, _ = run("audit", "subject", "--entity", MAIL, "--stdin", value=BOB)
    assert code == 0 and "occurred 72 times, in 2 sessions" in told
    assert [line for line in told.splitlines() if "0badcafe-9" in line and f"contact → mask {TIMES}70" in line]
    assert len(told.splitlines()) < 10
    answer = json.loads(run("audit", "subject", "--entity", MAIL, "--stdin", "--json", value=BOB)[1])
    assert len(answer["occurrences"]) == 72


@pytest.mark.parametrize("exchanged", [False, True])
def test_nobody_hears_that_they_do_not_occur_from_who_lacks_the_key(home, proxy, exchanged):
    there = home / "keys" / "audit-epochs" / "1.key"
    run("keys", "rotate")
    there.unlink()
    if exchanged:
        lost = next(iter(written(home / "audit", events.KeyRotate)))
        there = there.with_name("2.key")
        assert proxy.keys.refresh() and lost.epoch == 2
        proxy.say(ANNA)
        there.unlink()
        proxy.keys.epochs.begin(1, 0)
        proxy.keys.epochs.begin(2, 0)
    why = "its key is not the one they were made with" if exchanged else "its key is gone"
    number, count = (2, "1 fingerprint") if exchanged else (1, "4 fingerprints")
    sentence = f"{count} of epoch {number} cannot be judged: {why} (restore {there})"
    code, told, _ = run("audit", "subject", *AS_ANNA, value=ANNA)
    assert code == 1
    assert sentence in told
    assert "does not occur" not in told and f"Nobody can tell whether this {MAIL} occurs" in told
    code, told, _ = run("audit", "subject", *AS_ANNA, "--json", value=ANNA)
    assert (code, json.loads(told)["unjudged"]) == (1, {str(number): int(count[0])})
    code, told, complaint = run("audit", "erase", *AS_ANNA, "--request", "DSR-1", value=ANNA)
    assert (code, sentence in complaint) == (1, True)


# -- telephone numbers --------------------------------------------------------------------------------------

PHONE = ["--entity", "PHONE_NUMBER", "--stdin"]
ABROAD, HOME = "+49 30 1234567", "(030) 123 45 67"


@pytest.fixture
def called(proxy):
    """A proxy that saw a number as it is written abroad, and twice as at home."""
    for number in (ABROAD, "0049301234567", HOME, "030 7654321"):
        proxy.say(number, entity="PHONE_NUMBER")
    return proxy


@pytest.mark.parametrize("value", [ABROAD, HOME, "0049 (0)30 1234567"])
def test_a_number_is_found_under_every_spelling_of_a_country_which_are_told_apart(called, value, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, told, complaint = run("audit", "subject", *PHONE, "--region", "de", value=value)
    assert (code, complaint) == (0, "") and "occurred 3 times" in told
    assert ("may be somebody else's in another country" in told) == (value != HOME)
    answer = json.loads(run("audit", "subject", *PHONE, "--region", "DE", "--json", value=value)[1])
    other = {"international": 2} if value == HOME else {"national": 1}
    assert answer["spellings"] == {"given": 1 if value == HOME else 2} | other
    assert sorted(one["spelling"] for one in answer["occurrences"]) == sorted(
        name for name, count in answer["spellings"].items() for _ in range(count)
    )
    assert "301234567" not in told + json.dumps(answer) and "123 45" not in told


def test_without_a_country_it_is_said_that_there_are_other_spellings(called):
    code, told, complaint = run("audit", "subject", *PHONE, value=ABROAD)
    assert code == 0 and "occurred 2 times" in told and "spelling" not in told
    assert "--region CC" in complaint and "1234567" not in complaint
    assert json.loads(run("audit", "subject", *PHONE, "--json", value=ABROAD)[1])["spellings"] == {"given": 2}
    assert "--region" not in run("audit", "subject", *AS_ANNA, value=ANNA)[2]


def test_a_number_is_erased_under_every_spelling_of_a_country(home, called):
    hidden = [*called.keys.fingerprints(ABROAD, "PHONE_NUMBER").values()]
    hidden += called.keys.fingerprints(HOME, "PHONE_NUMBER").values()
    code, told, _ = run("audit", "erase", *PHONE, "--region", "DE", "--request", "DSR-7", value=ABROAD)
    assert code == 0 and "erased 3 fingerprints" in told
    assert "of these, 2 as given, 1 national (without that code" in told
    called.log.sync()
    assert not any(one in bytes_of(home / "audit") for one in hidden)
    told = run("audit", "erase", *PHONE, "--region", "DE", "--request", "DSR-8", "--json", value=HOME)[1]
    assert json.loads(told)["spellings"] == {"given": 0, "international": 0}
    assert json.loads(run("audit", "subject", *PHONE, "--json", value="030 7654321")[1])["found"] == 1
    assert whole(home)


@pytest.mark.parametrize("verb", [["subject"], ["erase", "--request", "a"]])
@pytest.mark.parametrize(
    ("arguments", "value", "said"),
    [
        ([*PHONE, "--region", "XX"], ABROAD, "write its two letters"),
        ([*PHONE, "--region", ABROAD], "", "write its two letters"),
        ([*AS_ANNA, "--region", "DE"], ANNA, "it is for telephone numbers (PHONE_NUMBER, FAX_NUMBER)"),
        ([*PHONE, "--region", "DE"], "anna 30", "no telephone number of DE"),
        ([*PHONE, "--region", "DE"], "0", "no telephone number of DE"),
    ],
)
def test_a_country_that_makes_no_sense_is_explained(home, called, verb, arguments, value, said):
    code, told, complaint = run("audit", *verb, *arguments, value=value)
    assert (code, told) == (2, "") and said in complaint
    assert "anna" not in complaint and "1234567" not in complaint
    assert list(written(home / "audit", events.Lookup, events.Erase)) == []


def test_a_session_has_no_country(called):
    code, _, complaint = run("audit", "erase", "--session", SID, "--region", "DE", "--request", "a")
    assert code == 2 and "not for a session" in complaint


def test_nobody_is_told_what_could_not_be_taken_down(home, proxy):
    (home / "audit" / "public.key").write_text("somebody else's\n")
    code, told, complaint = run("audit", "subject", *AS_ANNA, value=ANNA)
    assert (code, told) == (1, "")
    assert "taken down in the audit first" in complaint


@pytest.mark.parametrize(
    ("arguments", "value", "said"),
    [
        (["--entity", MAIL], b"", "say --stdin"),
        (["--stdin"], ANNA, "--entity EMAIL_ADDRESS"),
        (["--entity", ANNA, "--stdin"], ANNA, "written like EMAIL_ADDRESS"),
        ([*AS_ANNA], b"\n", "no value on stdin"),
        ([*AS_ANNA], b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_question_that_is_none_is_explained_without_repeating_it(home, proxy, arguments, value, said):
    code, told, complaint = run("audit", "subject", *arguments, value=value)
    assert (code, told) == (2, "")
    assert said in complaint
    assert "anna" not in complaint
    assert list(written(home / "audit", events.Lookup)) == []


def test_without_its_keys_no_question_can_be_answered_and_none_are_made(home, proxy, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    code, told, complaint = run("audit", "subject", *AS_ANNA, "--audit", str(home / "audit"), value=ANNA)
    assert (code, told) == (2, "")
    assert "key" in complaint
    assert not (tmp_path / "elsewhere").exists()


def test_on_a_terminal_the_value_is_asked_for_and_not_shown(home, proxy):
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-m", "proxy", "audit", "subject", "--entity", MAIL])
    shown, answered = b"", False
    while part := part_of(terminal):
        shown += part
        if b"not shown" in shown and not answered:
            answered = True
            while termios.tcgetattr(terminal)[3] & termios.ECHO:  # what is typed before that is thrown away
                time.sleep(0.01)
            os.write(terminal, ANNA.encode() + b"\n")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"occurred 2 times" in shown
    assert b"anna" not in shown


def part_of(terminal: int) -> bytes:
    """What a program shows next; nothing once it has ended."""
    assert select.select([terminal], [], [], 60)[0], "it says nothing"
    try:
        return os.read(terminal, 1000)
    except OSError:  # EIO: nobody has the other end any more
        return b""


# -- erase --------------------------------------------------------------------------------------------------


def test_a_person_is_erased_while_a_proxy_writes_and_the_log_stays_provable(home, proxy):
    code, told, _ = run("audit", "erase", *AS_ANNA, "--request", "DSR-7", value=ANNA)
    assert code == 0
    assert "erased 2 fingerprints and 1 message as they left, of 2 sessions" in told
    proxy.say(BOB, ANNA)
    proxy.log.sync()
    (erased,) = written(home / "audit", events.Erase)
    assert (erased.request, erased.what) == ("DSR-7", "subject")
    assert erased.rows == [(proxy.log.id, 0, 0), (proxy.log.id, 2, 0), (proxy.log.id, 2, -1)]
    assert json.loads(run("audit", "subject", *AS_ANNA, "--json", value=ANNA)[1])["found"] == 1
    assert json.loads(run("audit", "subject", *AS_ANNA, "--json", value=BOB)[1])["found"] == 3
    assert b"Rome" not in bytes_of(home / "audit")
    assert whole(home)


def test_a_session_is_erased_without_any_value(home, proxy):
    code, told, _ = run("audit", "erase", "--session", SID, "--request", "DSR-8", "--json")
    assert (code, json.loads(told)) == (
        0,
        {"request": "DSR-8", "fingerprints": 3, "bodies": 0, "sids": [SID]},
    )
    assert [erased.what for erased in written(home / "audit", events.Erase)] == ["session"]
    proxy.log.sync()
    assert whole(home)


def test_nothing_of_who_is_erased_is_left_in_any_file(home, proxy):
    prints = proxy.keys.fingerprints(ANNA, MAIL).values()
    hidden = [one for found in occurrences(home / "audit", prints, nothing) for one in found.row[3:]]
    run("audit", "subject", *AS_ANNA, value=ANNA)
    with Index(home / "audit") as index:
        index.catch_up()
        assert run("audit", "erase", *AS_ANNA, "--request", "DSR-9", value=ANNA)[0] == 0
        index.catch_up()
        everything = bytes_of(home)
    assert len(hidden) == 4
    assert not any(secret in everything or secret.hex().encode() in everything for secret in hidden)


def test_a_request_that_finds_nothing_is_in_the_log(home, proxy):
    code, told, _ = run("audit", "erase", *AS_ANNA, "--request", "DSR-9", value="carol@example.com")
    assert code == 0
    assert "nothing was there" in told
    assert [erased.rows for erased in written(home / "audit", events.Erase)] == [[]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*AS_ANNA], "--request ID"),
        ([*AS_ANNA, "--request", "Anna Lee"], "no name or address"),
        ([*AS_ANNA, "--request", "a@b.c"], "no name or address"),
        (["--request", "a"], "say what to erase"),
        ([*AS_ANNA, "--session", SID, "--request", "a"], "say what to erase"),
        (["--session", "7", "--request", "a"], "like 1f3a9c22-17"),
    ],
)
def test_what_cannot_be_erased_like_this_is_explained(home, proxy, arguments, said):
    code, told, complaint = run("audit", "erase", *arguments, value=ANNA)
    assert (code, told) == (2, "")
    assert said in complaint
    assert list(written(home / "audit", events.Erase)) == []


# -- hold ---------------------------------------------------------------------------------------------------


def test_what_is_held_is_not_erased_until_it_is_released(home, proxy):
    code, told, _ = run("audit", "hold", "place", "--reason", "case 7", "--route", "chat")
    assert (code, told) == (0, "hold-1 is in force and covers route chat\n")
    code, told, complaint = run("audit", "erase", *AS_ANNA, "--request", "DSR-7", value=ANNA)
    assert (code, told) == (1, "")
    assert "hold-1: case 7" in complaint
    assert list(written(home / "audit", events.Erase)) == []
    assert run("audit", "hold", "release", "hold-1")[:2] == (0, "hold-1 is released\n")
    assert run("audit", "erase", *AS_ANNA, "--request", "DSR-7", value=ANNA)[0] == 0
    states = [(hold.hold, hold.state, hold.reason) for hold in written(home / "audit", events.Hold)]
    assert states == [("hold-1", "placed", "case 7"), ("hold-1", "released", "case 7")]


@pytest.mark.parametrize("name", ["1", "1f3a-1", "1f3a9c22-", "anna@example.com"])
def test_a_hold_on_what_is_no_name_of_a_session_would_hold_nothing_and_is_refused(home, proxy, name):
    code, told, complaint = run("audit", "hold", "place", "--reason", "case 7", "--session", name)
    assert (
        (code, told) == (2, "") and "write all of its name" in complaint and name not in complaint.split("17;")[1]
    )
    assert run("audit", "hold", "list")[1] == "no hold is in force\n"


def test_a_hold_that_could_not_be_noted_is_said_to_be_in_force(home, proxy):
    (home / "audit" / "public.key").write_text("somebody else's\n")
    code, told, complaint = run("audit", "hold", "place", "--reason", "case 7")
    assert (code, told) == (1, "") and "hold-1 is in force all the same" in complaint
    assert "1 hold in force" in run("audit", "hold", "list")[1]


def test_holds_are_listed(home, proxy):
    assert run("audit", "hold", "list")[1] == "no hold is in force\n"
    run("audit", "hold", "place", "--reason", "case [red]7", "--from", "2026-11-01", "--to", "2026-11-02")
    run("audit", "hold", "place", "--reason", "case 8", "--session", SID, "--json")
    run("audit", "hold", "release", "hold-2", "--json")
    told = run("audit", "hold", "list")[1]
    assert "from 2026-11-01 00:00 to 2026-11-02 23:59" in told
    assert "case [red]7" in told
    assert "1 hold in force" in told
    listed = json.loads(run("audit", "hold", "list", "--all", "--json")[1])
    assert [(hold["hold"], "released" in hold) for hold in listed] == [("hold-1", False), ("hold-2", True)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["place", "--reason", " "], "a line of up to"),
        (["place", "--reason", "x" * 201], "a line of up to"),
        (["place", "--reason", "a", "--from", "tomorrow"], "'tomorrow' is no time"),
        (["place", "--reason", "a", "--to", "9999-12-31T23:59-23:59"], "'9999-12-31T23:59-23:59' is no time"),
        (["place", "--reason", "a", "--from", "2026-11-02", "--to", "2026-11-01"], "--from is behind --to"),
    ],
)
def test_a_hold_that_is_none_is_explained(home, proxy, arguments, said):
    code, _, complaint = run("audit", "hold", *arguments)
    assert code == 2
    assert said in complaint
    assert not (home / "audit" / "holds.json").exists()


def test_a_hold_that_is_not_there_cannot_be_released(proxy):
    code, _, complaint = run("audit", "hold", "release", "hold-3")
    assert code == 1
    assert "no hold 'hold-3'" in complaint


def test_a_hold_that_somebody_took_out_of_the_file_is_told_and_nothing_is_destroyed(home, proxy):
    run("audit", "hold", "place", "--reason", "case 7", "--route", "chat")
    (placed,) = written(home / "audit", events.Hold)
    assert placed.covers == "route chat"
    (home / "audit" / "holds.json").unlink()
    gone = "hold-1 was placed and is gone from holds.json"
    for arguments, value in (
        (("audit", "hold", "list"), ""),
        (("audit", "erase", *AS_ANNA, "--request", "DSR-1"), ANNA),
        (("keys", "rotate", "--destroy", "1"), ""),
    ):
        code, told, complaint = run(*arguments, value=value)
        assert (code, gone in complaint, "restore" in complaint) == (1, True, True), arguments
        assert "no hold is in force" not in told
    assert len(occurrences(home / "audit", proxy.keys.fingerprints(ANNA, MAIL).values(), nothing)) == 2
    proxy.log.sync()
    code, told, _ = run("audit", "verify", "--jobs", "1")
    assert (code, "is gone from holds.json" in " ".join(told.split())) == (4, True)
    run("audit", "hold", "place", "--reason", "case 7", "--route", "chat")
    assert run("audit", "hold", "list")[0] == 0
