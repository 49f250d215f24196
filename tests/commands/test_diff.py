"""`hushwire diff`: what rules mean counts, not how they are written; and what becomes of recorded messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.commands.differ import _moved, differences
from proxy.commands.recording import Recorded, RecordError, of_file, recorded
from proxy.commands.replay import compared
from proxy.core.message import Direction, Kind
from proxy.rulebook.load import Draft, draft
from tests.audit.logs import DAY, message
from tests.audit.test_conversation import Talking
from tests.commands.running import hushwire
from tests.rules import ground

GROUND = ground()  # one: rules that are compared have the same keys
OLD = r"""
version: 1
extends: [./base.yaml]
keys: {}
entities: {BADGE: {patterns: [{regex: 'B-\d\d', score: 0.9}]}}
rules:
  - {id: a, entities: [CRYPTO], action: keep}
  - {id: b, entities: [PERSON], action: {mask: {}}}
  - {id: c, entities: ["*"], action: replace}
"""
BASE = "version: 1\nstructure: {ignore: [$.id]}\nrules: [{id: z, entities: [US_SSN], action: drop}]\n"
RECORDING = [
    {"direction": "client_to_upstream", "text": "bob@example.com"},
    {"direction": "client_to_upstream", "text": "nothing"},
    {"direction": "upstream_to_client", "payload": {"iban": "DE89370400440532013000"}},
]


def made(folder: Path, text: str, name: str = "a.yaml") -> Draft:  # type: ignore[type-arg]
    (folder / "base.yaml").write_text(BASE)
    (folder / name).write_text(text)
    return draft(str(folder / name), GROUND)


@pytest.mark.parametrize(
    ("change", "by", "told"),
    [
        ("keys: {}", "description: other\n# a comment", []),
        ("{mask: {}}", "mask", []),
        ("rules:", "threshold: 0.7\nrules:", [("threshold", "changed", "", 0.5, 0.7)]),
        ("{mask: {}}", "redact", [("rule b", "changed", "action", {"mask": {}}, {"redact": {}})]),
        ("[CRYPTO]", "[CRYPTO], direction: both", []),
        ("[CRYPTO],", "[CRYPTO], mode: shadow,", [("rule a", "changed", "mode", "enforce", "shadow")]),
        ("extends: [./base.yaml]", "", [("rule z", "removed"), ("ignore", "removed")]),
        ("rules:", "allow: [{values: [x], reason: y}]\nrules:", [("allow", "added")]),
        ("'B-", "'C-", [("entity BADGE", "changed", "patterns")]),
        ("'*'", "BADGE", []),
        ("id: a", "id: aa", [("rule aa", "added"), ("rule a", "removed")]),
        ("rules:", "mode: shadow\nrules:", [(f"rule {name}", "changed", "mode") for name in "abcz"]),
    ],
)
def test_only_what_is_meant_differently_is_told(
    tmp_path: Path, change: str, by: str, told: list[tuple[object, ...]]
) -> None:
    old, new = made(tmp_path, OLD), made(tmp_path, OLD.replace(change, by), "b.yaml")
    found = [tuple(one) for one in differences(old.merged, new.merged)]
    assert [one[: len(other)] for one, other in zip(found, told, strict=True)] == told
    if not told:
        assert old.policy.digest == new.policy.digest


def test_a_rule_that_moves_is_told_with_its_new_place(tmp_path: Path) -> None:
    lines = OLD.splitlines()
    lines[-3:] = [lines[-1], *lines[-3:-1]]
    old, new = made(tmp_path, OLD), made(tmp_path, "\n".join(lines), "b.yaml")
    assert list(differences(old.merged, new.merged)) == [("rule c", "moved", "", "b", None)]


@settings(max_examples=100)
@given(st.permutations(list("abcdef")))
def test_what_has_not_moved_is_in_order(order: list[str]) -> None:
    stay = [name for name in order if name not in _moved(list("abcdef"), order)]
    assert stay == sorted(stay)
    assert stay


def recording(folder: Path, lines: list[dict[str, object]]) -> Path:
    path = folder / "recorded.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "\n")
    return path


def test_messages_that_come_out_differently_are_told_by_their_number(tmp_path: Path) -> None:
    path = recording(tmp_path, RECORDING)
    old = made(tmp_path, OLD)
    new = made(tmp_path, OLD.replace("action: replace", "action: redact, direction: client_to_upstream"), "b.yaml")
    read: list[int] = []
    found = [one for one in compared(of_file(path, read.append), old, new) if one is not None]
    assert [(one.number, one.before.verdict, one.after.sent) for one in found] == [
        (1, "rewritten", b""),
        (3, "rewritten", b'{"iban": "DE89370400440532013000"}'),
    ]
    assert sum(read) == path.stat().st_size
    assert [one for one in compared(of_file(path, read.append), old, old) if one is not None] == []


def test_a_name_of_a_rule_and_new_tokens_are_no_difference(tmp_path: Path) -> None:
    path = recording(tmp_path, RECORDING)
    for action in ("replace", "{hash: {}}", "{tokenize: {}}", "{fake: {}}", "{encrypt: {}}"):
        old = made(tmp_path, OLD.replace("action: replace", f"action: {action}"))
        new = made(
            tmp_path, OLD.replace("action: replace", f"action: {action}").replace("id: c", "id: d"), "b.yaml"
        )
        assert [one for one in compared(of_file(path, lambda _: None), old, new) if one is not None] == []


@pytest.mark.parametrize(
    "line",
    [
        b"bob@secret.example",
        b"[1]",
        b'{"text": "secret"}',
        b'{"direction": "up", "text": "secret"}',
        b'{"direction": "client_to_upstream"}',
        b'{"direction": "client_to_upstream", "text": 1}',
        b'{"direction": "client_to_upstream", "text": "a", "payload": 1}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_line_that_is_no_message_is_told_without_its_text(line: bytes) -> None:
    with pytest.raises(RecordError, match="line 7") as caught:
        recorded(line, 7)
    assert "secret" not in str(caught.value)


def test_the_command_tells_rules_and_messages_and_values_only_when_asked(tmp_path: Path) -> None:
    made(tmp_path, OLD)
    made(tmp_path, OLD.replace("action: replace", "action: redact"), "b.yaml")
    recording(tmp_path, RECORDING)
    assert hushwire("diff", "a.yaml", "a.yaml", folder=tmp_path).returncode == 0
    done = hushwire("diff", "a.yaml", "b.yaml", "--on", "recorded.jsonl", folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == '~ rule c action: {"replace": {}} -> {"redact": {}}'
    assert done.stdout.splitlines()[-1] == "2 of 3 messages come out differently"
    assert "DE89" not in done.stdout
    done = hushwire("diff", "a.yaml", "b.yaml", "--on", "recorded.jsonl", "--json", "--show", folder=tmp_path)
    said = json.loads(done.stdout)
    assert [one["number"] for one in said["different"]] == [1, 3]
    assert said["different"][0]["before"]["sent"] == "<EMAIL_ADDRESS>"
    done = hushwire("diff", "a.yaml", "a.yaml", "--on", "none.jsonl", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert hushwire("diff", "a.yaml", "none.yaml", folder=tmp_path).returncode == 3


def test_an_audit_of_what_left_is_a_recording(tmp_path: Path) -> None:
    made(tmp_path, OLD)
    made(tmp_path, OLD.replace("action: replace", "action: redact"), "b.yaml")
    log = Talking(tmp_path / "audit")
    log.say(b"bob@example.com got past")
    log.say(b"nothing")
    log.say(b"bob@example.com", sid="0badcafe-2", dir="down", n=5)
    log.block(message(2, verdict="dropped", out=0))
    both = ("diff", "a.yaml", "b.yaml", "--on", "audit")
    done = hushwire(*both, "--json", folder=tmp_path)
    said = json.loads(done.stdout)
    assert said["messages"] == 3
    assert [(one["session"], one["direction"], one["number"]) for one in said["different"]] == [
        ("0badcafe-1", "client_to_upstream", 1),
        ("0badcafe-2", "upstream_to_client", 5),
    ]
    done = hushwire(*both, "--session", "0badcafe-2", folder=tmp_path)
    assert done.returncode == 1 and "message 5 of 0badcafe-2, upstream_to_client" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 1 message comes out differently"
    done = hushwire(*both, "--since", str(datetime.fromtimestamp(DAY + 2, UTC)), folder=tmp_path)
    assert done.stdout.splitlines()[-1] == "1 of 1 message comes out differently"
    for never in ("whenever", "99999999999d"):
        done = hushwire(*both, "--since", never, folder=tmp_path)
        assert done.returncode == 2 and f"--since: '{never}' is no time" in done.stderr
    done = hushwire("diff", "a.yaml", "b.yaml", "--on", "a.yaml", "--since", "2h", folder=tmp_path)
    assert done.returncode == 2 and "--on names a file" in done.stderr
    done = hushwire(*both, "--session", "0badcafe-3", folder=tmp_path)
    assert done.returncode == 2 and "nothing of what was said is kept" in done.stderr
    (tmp_path / "audit" / "log-0" / "20261119-000000.jsonl").write_text("no block\nat all\n")
    done = hushwire(*both, folder=tmp_path)
    assert done.returncode == 2 and "the log cannot be read" in done.stderr


def test_a_session_that_has_ended_is_forgotten(tmp_path: Path) -> None:
    old = made(tmp_path, OLD)
    way = Direction.CLIENT_TO_UPSTREAM
    messages = [
        Recorded(way, b"", "a", 1),
        Recorded(way, b"", "a", 0, last=True),
        Recorded(way, b"\xff", "a", 1, Kind.BINARY),
    ]
    assert list(compared(messages, old, old)) == [None, None]
