"""Values that a rule leaves alone: its exceptions, until they end, and what is nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codecs import choose
from proxy.core.action import EXEMPT, Note
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.load import Built, build
from proxy.rulebook.schema import moment
from proxy.rulebook.spare import Values
from tests.rulebook.files import Wide, wide
from tests.rules import NOW

MAIN = Path("/rules-of-a-test/main.yaml")
HEAD = r"""
version: 1
entities:
  BADGE: {patterns: [{regex: '\b[A-Z]-\d\d\b', score: 0.8}]}
  ROOM: {patterns: [{regex: 'room \d+', score: 0.8}]}
"""
OURS = b"# ours\n\nB-11\n  ROOM 7  \n"
SOON, PAST = "2027-03-01", "2020-01-01"


def rules(
    exceptions: str = "[]", more: str = "", now: float = NOW, tests: str = "{}", listed: bytes = OURS
) -> Built[Wide]:
    badges = f"  - {{id: badges, entities: [BADGE], action: mask, except: {exceptions}, tests: {tests}}}\n"
    rest = "  - {id: rest, entities: ['*'], action: redact}\n"
    lists = {MAIN.parent / "ours.txt": listed}
    return build(str(MAIN), wide(now=now), {MAIN: f"{HEAD}{more}rules:\n{badges}{rest}".encode(), **lists})


def faults(*given: str, **named: str | bytes) -> list[Fault]:
    with pytest.raises(RulesError) as caught:
        rules(*given, **named)  # type: ignore[arg-type]
    return list(caught.value.faults)


def becomes(built: Built[Wide], text: str) -> tuple[str, set[str]]:
    """What a message becomes, and the modes in which that is noted."""
    lane = Lane(Direction.CLIENT_TO_UPSTREAM, built.policy, built.detector, choose)
    *notes, sent = lane.work(Kind.TEXT, text.encode(), Session(1))
    modes = {done.mode for note in notes if isinstance(note, Note) for done in note.findings}
    return sent.payload.decode(), modes  # type: ignore[union-attr]


def test_an_exception_keeps_the_value_and_no_later_rule_gets_it() -> None:
    built = rules("[{values: ['B-*'], reason: ours}]")
    assert becomes(built, "A-10 B-10") == ("**** B-10", {"enforce", EXEMPT})


def test_what_is_allowed_is_nobodys_for_the_entities_that_are_named() -> None:
    only = "allow: [{entities: [ROOM], values: ['*1*'], reason: public}]\n"
    assert becomes(rules(more=only), "B-11 room 12 room 2")[0] == "**** room 12 "
    every = "allow: [{values: ['*1*'], reason: public}]\n"
    assert becomes(rules(more=every), "B-11 room 12 room 2")[0] == "B-11 room 12 "


def test_a_list_of_what_is_allowed_may_be_a_file() -> None:
    built = rules(more="allow: [{file: ours.txt, reason: public}]\n")
    assert becomes(built, "B-11 room 7 room 8")[0] == "B-11 room 7 "
    assert [file.path.name for file in built.files] == ["main.yaml", "ours.txt"]
    (fault,) = faults(more="allow: [{file: none.txt, reason: public}]\n")
    assert (fault.code, fault.line, fault.column) == ("E023", 6, 16)


def test_an_exception_ends() -> None:
    exceptions = f"[{{values: ['B-*'], reason: r, expires: {SOON}}}, {{values: ['C-*'], reason: r}}]"
    before = rules(exceptions)
    assert before.policy.expires == moment(SOON) and before.remarks == ()
    assert becomes(before, "B-10 C-10")[0] == "B-10 C-10"
    after = rules(exceptions, now=moment(SOON))
    assert after.policy.expires is None
    assert becomes(after, "B-10 C-10")[0] == "**** C-10"
    assert after.policy.digest != before.policy.digest
    (remark,) = after.remarks
    assert (remark.code, remark.line) == ("W001", 7)
    assert str(remark).endswith(
        "warning[W001] this exception ended 2027-03-01, so it changes nothing; take it out"
    )


def test_the_next_end_of_several_counts() -> None:
    times = [SOON, PAST, "2027-02-01T12:00:00+01:00"]
    exceptions = ", ".join(f"{{values: [B-{n}0], reason: r, expires: '{time}'}}" for n, time in enumerate(times))
    assert rules(f"[{exceptions}]").policy.expires == moment("2027-02-01T11:00:00Z")


def test_an_exception_that_has_ended_changes_nothing_at_all() -> None:
    ended = rules(f"[{{values: ['*-*'], reason: r, expires: {PAST}}}]", tests="{match: [B-10]}")
    without = rules(tests="{match: [B-10]}")
    assert ended.policy.digest == without.policy.digest
    assert ended.policy.rules[0].spares is None and ended.policy.expires is None


def test_an_exception_that_exempts_every_test_value_is_a_fault() -> None:
    wide = "[{values: [x], reason: r}, {values: ['*-1*', y], reason: r}]"
    (fault,) = faults(wide, tests="{match: [B-10, 'C-11 and D-12']}")
    assert (fault.code, fault.line) == ("E032", 7)
    assert fault.sentence == "this exception would exempt every test value of rule 'badges'"
    assert rules(wide, tests="{match: ['B-10 and B-20']}").policy.rules


@pytest.mark.parametrize("value", ["'*'", "'**'", "' * '"])
def test_an_exception_that_exempts_everything_is_a_fault(value: str) -> None:
    assert [one.code for one in faults(f"[{{values: [{value}], reason: r}}]")] == ["E032"]
    assert [one.code for one in faults(more=f"allow: [{{values: [{value}], reason: r}}]\n")] == ["E032"]


@pytest.mark.parametrize("line", [b"*", b"**", b" * * "])
def test_a_line_of_a_list_that_exempts_everything_is_a_fault_too(line: bytes) -> None:
    (fault,) = faults(more="allow: [{file: ours.txt, reason: r}]\n", listed=b"B-11\n" + line + b"\n")
    assert (fault.code, fault.line, fault.column) == ("E032", 6, 16)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{values: [x]}", "E010"),
        ("{values: [x], reason: ''}", "E013"),
        ("{values: [], reason: r}", "E013"),
        ("{values: x, reason: r}", "E012"),
        ("{values: [x], reason: r, expires: soon}", "E013"),
        ("{values: [x], reason: r, expires: 2027-02-30}", "E013"),
        ("{values: [x], reason: r, expires: 2027-02-03T10:00:00}", "E013"),
        ("{values: [x], reason: r, expires: 20270301}", "E012"),
        ("{values: [x], reason: r, until: 2027-03-01}", "E011"),
    ],
)
def test_an_exception_needs_values_a_reason_and_a_real_end(written: str, code: str) -> None:
    assert [one.code for one in faults(f"[{written}]")] == [code]


@given(st.text("aB-", max_size=6), st.lists(st.text("aB-", max_size=3), min_size=2, max_size=4))
def test_a_glob_takes_what_a_regex_of_it_would(value: str, parts: list[str]) -> None:
    import re

    glob = "*".join(parts)
    assert (value in Values([glob])) == bool(re.fullmatch(".*".join(map(re.escape, parts)), value, re.I))


GLOBS = st.lists(st.text("aB-*", max_size=6), max_size=8)


@given(st.text("aB-", max_size=6), GLOBS)
def test_of_many_globs_and_values_one_that_fits_is_enough(value: str, globs: list[str]) -> None:
    assert (value in Values(globs)) == any(value in Values([glob]) for glob in globs)


def test_a_glob_is_not_slow_for_any_value() -> None:
    assert "a" * 100_000 not in Values(["*a" * 50 + "b"])


def test_values_are_read_caselessly_and_without_blanks_around_them() -> None:
    assert " STRASSE 5" in Values(["straße 5 "])
    assert "info@ACME.example" in Values(["*@acme.EXAMPLE"])
    assert "info@acme.example.org" not in Values(["*@acme.example"])
