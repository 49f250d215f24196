"""`hushwire try`: each line leaves as it would leave the proxy, at once, and notes hold no value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from proxy.commands.treat import Connection
from proxy.commands.trial import said
from proxy.core.action import Cause
from proxy.core.message import Direction
from tests.commands.running import hushwire
from tests.harness import ROOT
from tests.rules import built

RULES = """
version: 1
rules:
  - {id: rehearsal, entities: [PHONE_NUMBER], mode: shadow, action: drop}
  - {id: cards, entities: [CREDIT_CARD], action: {close: {code: 4001, reason: no cards}}}
  - {id: wallets, entities: [CRYPTO], action: drop}
  - id: mail
    entities: [EMAIL_ADDRESS]
    action: {tokenize: {restore: both}}
    except: [{values: ["*@example.org"], reason: public}]
"""
WALLET = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
UP = Direction.CLIENT_TO_UPSTREAM


def test_every_kind_of_outcome_is_told() -> None:
    made = built("own.yaml", RULES)
    connection = Connection(made.policy, made.detector)
    told = {
        text: (treated.verdict, treated.sent, said(treated))
        for text in ("hello", "bob@example.com", "a@example.org", "4111 1111 1111 1111", WALLET, "+1 212-555-0142")
        for treated in [connection.treat(UP, text.encode())]
    }
    assert told == {
        "hello": ("passed", b"hello", ""),
        "bob@example.com": ("rewritten", b"[EMAIL_ADDRESS_1]", "EMAIL_ADDRESS: mail tokenize"),
        "a@example.org": ("passed", b"a@example.org", "EMAIL_ADDRESS: mail exempt"),
        "4111 1111 1111 1111": ("refused", None, "CREDIT_CARD: cards close; closes with 4001 no cards (policy)"),
        WALLET: ("dropped", None, "CRYPTO: wallets drop; the message is dropped"),
        "+1 212-555-0142": (
            "passed",
            b"+1 212-555-0142",
            "PHONE_NUMBER: rehearsal would drop (shadow)",
        ),
    }


def test_lines_are_one_connection_until_one_is_refused() -> None:
    made = built("own.yaml", RULES)
    connection = Connection(made.policy, made.detector)
    assert connection.treat(UP, b"bob@example.com").sent == b"[EMAIL_ADDRESS_1]"
    assert connection.treat(UP, b"[EMAIL_ADDRESS_1]").sent == b"bob@example.com"
    refused = connection.treat(UP, b"\xff")
    assert (refused.sent, refused.cause) == (None, Cause.BAD_UTF8)
    assert connection.treat(UP, b"[EMAIL_ADDRESS_1]").sent == b"[EMAIL_ADDRESS_1]", "another one knows no token"


def test_what_leaves_is_on_stdout_and_notes_are_not(tmp_path: Path) -> None:
    lines = b'{"mail": "bob@example.com"}\r\n\nx\xff\n' + "\N{GRINNING FACE} ok\n".encode()
    done = hushwire("try", folder=tmp_path, stdin=lines)
    assert done.returncode == 0
    assert done.stdout == '{"mail": "<EMAIL_ADDRESS>"}\n\n\N{GRINNING FACE} ok\n'
    assert done.stderr == "  EMAIL_ADDRESS: email replace\n  closes with 1007 invalid UTF-8 (bad_utf8)\n"
    done = hushwire("try", "--json", folder=tmp_path, stdin=lines)
    verdicts = [json.loads(line)["verdict"] for line in done.stdout.splitlines()]
    assert verdicts == ["rewritten", "passed", "refused", "passed"]


def test_a_line_leaves_before_the_next_one_is_there() -> None:
    command = [sys.executable, "-m", "proxy", "try"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(b"bob@example.com\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"<EMAIL_ADDRESS>\n"
        process.stdin.close()
        assert process.wait(60) == 0


def test_usage(tmp_path: Path) -> None:
    assert hushwire("try", "--direction", "up", folder=tmp_path).returncode == 2
    assert hushwire("try", "--rules", "none.yaml", folder=tmp_path).returncode == 3
