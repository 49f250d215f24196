"""Every verb of the audit says the same thing with the same word, in JSON: the log's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proxy.audit.people.keys import Keys, keys_folder
from proxy.cli import app
from tests.audit.people import ANNA, MAIL
from tests.commands.audit.written import SID, Writing

OTHERS = {  # what nobody may say, and what the log has for it
    **{"session": "sid", "session_id": "sid", "way": "dir", "direction": "dir", "time": "t", "number": "n"},
    **{
        "message": "n",
        "operator": "op",
        "length": "len",
        "size_in": "in",
        "size_out": "out",
        "subprotocol": "sub",
    },
    **{"hits": "events", "id": "hold"},
}
TIMES = {"t", "since", "until", "oldest", "newest", "placed", "from", "to", "released", "signed"}
AS_ANNA = ["--entity", MAIL, "--stdin"]
VERBS: dict[str, list[str]] = {
    "search": ["search", "--json"],
    "tail": ["tail", "--all", "--json"],
    "show": ["show", SID, "--json"],
    "stats": ["stats", "--since", "2020-01-01", "--json"],
    "by direction": ["stats", "--by", "direction", "--json"],
    "report": ["report", "--since", "2020-01-01", "--json"],
    "index": ["index", "--json"],
    "replay": ["replay", SID, "--json"],
    "verify": ["verify", "--json"],
    "prove": ["prove", "1", "--log", "log-0"],
    "check": ["prove", "--check", "PROOF", "--json"],
    "anchor": ["anchor", "file:ANCHORS", "--json"],
    "subject": ["subject", *AS_ANNA, "--json"],
    "erase": ["erase", *AS_ANNA, "--request", "DSR-1", "--json"],
    "hold place": [
        *("hold", "place", "--reason", "case 7"),
        *("--from", "2026-01-01", "--session", SID, "--json"),
    ],
    "hold list": ["hold", "list", "--all", "--json"],
    "hold release": ["hold", "release", "hold-1", "--json"],
    "ship": ["ship", "--status", "--json"],
    "export": ["export", "--unlogged"],
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What every verb says about a log."""
    home = tmp_path_factory.mktemp("home")
    environment = {"XDG_STATE_HOME": str(home), "HUSHWIRE_AUDIT": None, "HUSHWIRE_AUDIT_KEY": None}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home))
        writing = Writing(home / "hushwire" / "audit", Keys.open(keys_folder()))
        writing.say(ANNA, body=b"to <EMAIL_ADDRESS>")
        writing.say(ANNA, dir="down")
        writing.say(*[ANNA] * 200)
        writing.log.sync()
        writing.log.close()
    told: dict[str, list[Any]] = {}
    for verb, words in VERBS.items():
        places = {"PROOF": str(home / "proof.json"), "file:ANCHORS": f"file:{home}"}
        typed = [places.get(word, word) for word in words]
        done = CliRunner().invoke(app, ["audit", *typed], input=ANNA, env=environment, prog_name="hushwire")
        assert done.exit_code == 0, (verb, done.output)
        told[verb] = read(done.stdout)
        if verb == "prove":
            Path(places["PROOF"]).write_text(done.stdout)
    return told


def read(text: str) -> list[Any]:
    """One object, or one a line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def pairs(told: Any) -> Iterator[tuple[str, Any]]:
    """Every name with what it is given, however deep."""
    if isinstance(told, dict):
        yield from told.items()
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from pairs(one)


@pytest.mark.parametrize("verb", VERBS)
def test_a_name_is_the_log_s(said, verb):
    assert said[verb] or verb == "ship"
    used = {name for name, _ in pairs(said[verb])}
    assert {name: OTHERS[name] for name in used & set(OTHERS)} == {}


@pytest.mark.parametrize("verb", VERBS)
def test_a_time_is_in_nanoseconds_and_a_direction_up_or_down(said, verb):
    for name, value in pairs(said[verb]):
        if name in TIMES and not isinstance(value, list | dict) and value is not None:
            assert isinstance(value, int) and value > 10**18, (name, value)
        if name == "dir":
            assert value in ("up", "down")
    assert "client_to_upstream" not in json.dumps(said[verb])


def test_directions_are_counted_by_their_names(said):
    assert said["by direction"] == [{"up": 201, "down": 1}]
