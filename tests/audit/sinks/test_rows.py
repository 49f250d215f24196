from __future__ import annotations

from pathlib import Path

import pytest

from proxy.audit import events
from proxy.audit.sinks import Batch
from proxy.audit.sinks.follow import DamagedError
from proxy.audit.sinks.rows import rows
from tests.audit.logs import HandMade, finding, message


def batch(directory: Path, first: int = 0, log: str = "3f9ac21b") -> Batch:
    made = HandMade(directory)
    found = [finding("IBAN", rule="b", op="drop"), finding("CARD", rule="a"), finding("IBAN", rule="a")]
    block = made.block(message(3, f=found), (events.Stop, {"run": "0badcafe"}))
    return Batch(log, 0, first, (block,), None)


def test_columns_are_what_the_line_says_and_the_line_is_exact(tmp_path: Path):
    whole = batch(tmp_path)
    spoken, stopped = rows(whole)
    assert (spoken.seq, spoken.kind, spoken.dir, spoken.n, spoken.verdict) == (0, "message", "up", 3, "rewritten")
    assert (spoken.entities, spoken.rules, spoken.operators) == (("CARD", "IBAN"), ("a", "b"), ("drop", "mask"))
    assert (stopped.seq, stopped.kind, stopped.sid, stopped.n, stopped.entities) == (1, "stop", None, None, ())
    assert [row.line.encode() for row in (spoken, stopped)] == whole.lines()


def test_an_event_that_is_not_where_it_belongs_is_not_shipped(tmp_path: Path):
    with pytest.raises(DamagedError, match="another's number"):
        rows(batch(tmp_path / "a", first=1))
    with pytest.raises(DamagedError, match="another log's name"):
        rows(batch(tmp_path / "b", log="ffffffff"))


@pytest.mark.parametrize("line", [b'{"b":0}', b'{"b":0,', b'{"b":0,"kind":"\xff"}', b'{"b":0,"seq":"canary"}'])
def test_a_line_that_is_no_event_is_not_shipped_and_not_quoted(line: bytes):
    with pytest.raises(DamagedError) as caught:
        rows(Batch("3f9ac21b", 0, 0, (line + b"\n",), None))
    assert str(caught.value) == "a line is no event"
