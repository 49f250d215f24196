"""What stands in a log that somebody has written to moves no cursor, colours nothing and turns no text round."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from proxy.audit import events
from proxy.cli import app
from tests.audit.logs import HandMade, finding, message
from tests.commands.audit.story import START

EVIL = "\x1b]0;title\x07\x1b[31m[red]x[/]\u202e=1+1"
SID = "0badcafe-7"
ALL = [
    (events.Start, {**START, "run": EVIL, "version": EVIL, "policies": {EVIL: EVIL}}),
    (events.SessionOpen, {"sid": SID, "route": EVIL, "sub": EVIL, "client": EVIL, "who": EVIL}),
    message(1, sid=SID, route=EVIL, policy=EVIL, f=[finding(EVIL, EVIL, op=EVIL, recognizer=EVIL)], cause=EVIL),
    (events.Refuse, {"sid": SID, "route": EVIL, "dir": "up", "cause": EVIL, "policy": EVIL}),
    (events.Limit, {"route": EVIL, "reason": EVIL, "count": 1}),
    (events.PolicyApply, {"routes": [EVIL], "name": EVIL, "policy": EVIL, "how": EVIL}),
    (events.PolicyReject, {"routes": [EVIL], "codes": [EVIL]}),
    (events.Lookup, {"entity": EVIL, "found": 1}),
    (events.Erase, {"request": EVIL, "what": "subject", "rows": []}),
    (events.Hold, {"hold": EVIL, "state": "placed", "reason": EVIL}),
    (events.Prune, {"pruned": EVIL, "first": 0, "last": 1, "size": 1, "segments": 1}),
    (events.Export, {"form": EVIL, "count": 1}),
    (events.Admin, {"did": EVIL}),
    (
        events.SessionClose,
        {
            **{"sid": SID, "route": EVIL, "first": EVIL, "codes": (1000, None), "reasons": (0, 0), "ms": 1},
            **{"messages": (1, 1), "bytes": (1, 1), "findings": (1, 0)},
        },
    ),
]


@pytest.mark.parametrize(
    "verb",
    [
        ("search",),
        ("search", "--limit", "99", "--all"),
        ("tail", "--all"),
        ("show", SID),
        ("stats",),
        ("stats", "--by", "cause"),
        ("report",),
        ("verify",),
    ],
)
def test_no_name_reaches_the_terminal_as_more_than_letters(tmp_path, verb):
    log = HandMade(tmp_path)
    for one in ALL:
        log.block(one)
    log.checkpoint()
    typed = CliRunner(env={"COLUMNS": "160", "XDG_STATE_HOME": str(tmp_path / "state")})
    said = typed.invoke(app, ["audit", *verb, "--audit", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert not set(said.output) & {"\x1b", "\x07", "\u202e"}
