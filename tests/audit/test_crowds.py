"""One event with tens of thousands of findings: told in short, everywhere alike, and it spoils nothing else."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from proxy.audit import events
from proxy.audit.people.keys import Keys
from proxy.audit.people.lookup import look_up
from proxy.audit.reading.crowds import LISTED, short
from proxy.audit.reading.hits import Hit, of_event
from proxy.audit.reading.index import Index
from proxy.audit.reading.question import Question
from proxy.audit.reading.search import search
from proxy.audit.reading.stats import Stats, by
from proxy.audit.reading.tail import Tail
from proxy.cli import app
from proxy.commands.audit.told import TIMES
from tests.audit.logs import HandMade, finding, message
from tests.audit.people import ANNA, BOB, MAIL, Peopled, nothing

REFUSED = {"sid": "0badcafe-1", "route": "default", "dir": "up", "policy": "0123456789abcdef", "cause": "policy"}
MANY = [
    finding(entity, op=op, mode=mode, len=5 + n % 7, score=0.5 + n % 3 / 4)
    for n in range(9000)
    for entity, op, mode in [(("EMAIL_ADDRESS", "mask", "enforce"), ("PERSON", "keep", "shadow"))[n % 4 == 0]]
]
FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["EMAIL_ADDRESS", "PERSON"]),
        st.sampled_from(["contact", "names"]),
        op=st.sampled_from(["mask", "keep"]),
        mode=st.sampled_from(["enforce", "shadow"]),
        len=st.integers(1, 99),
        score=st.sampled_from([0.4, 0.85, 1.0]),
    ),
    min_size=LISTED - 2,
    max_size=LISTED + 30,
)


def hits(directory: Path) -> list[Hit]:
    with Index(directory) as index:
        index.catch_up()
        return search(index, Question()).hits


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FINDINGS, st.booleans())
def test_the_index_counts_what_the_event_has(tmp_path_factory, found, refused):
    directory = tmp_path_factory.mktemp("audit")
    log = HandMade(directory)
    log.block((events.Refuse, REFUSED | {"f": found}) if refused else message(1, f=found))
    (hit,) = hits(directory)
    (event,) = Tail(directory, Question()).last(1)
    assert hit._replace(id=0) == of_event(event)
    assert len(hit.found) == min(len(found), LISTED)
    assert bool(hit.crowd) == ("f_all" in hit.as_json()) == (len(found) > LISTED)
    assert sum(one.findings for one in hit.sorts) == len(found)
    for one in hit.sorts:
        alike = [f for f in found if (f.entity, f.rule, f.recognizer, f.op, f.mode) == one[:5]]
        lengths, scores = [f.len for f in alike], [f.score for f in alike]
        assert one.findings == len(alike)
        assert (one.length, one.score) == ((min(lengths), max(lengths)), (min(scores), max(scores)))


def test_an_event_in_short_is_the_event_but_for_findings_that_are_not_listed(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1, f=MANY[:LISTED]), message(2, f=MANY))
    few, many = Tail(tmp_path, Question()).last(2)
    assert short(few) == events.encode(few)
    told, whole = json.loads(short(many)), json.loads(events.encode(many))
    assert told.pop("f_all")["count"] == len(MANY)
    assert told == whole | {"f": whole["f"][:LISTED]}


def test_a_page_of_such_events_is_small_and_what_is_counted_is_right(tmp_path):
    log = HandMade(tmp_path)
    for n in range(1, 21):
        log.block(message(n, f=MANY))
    log.block(message(21))
    found = hits(tmp_path)
    assert len(json.dumps([hit.as_json() for hit in found])) < 20 * 20_000
    with Index(tmp_path) as index:
        index.catch_up()
        counts = Stats(index.db, Question()).findings()
        size = index.state().size
    assert dict(by(counts, lambda one: one.entity, lambda one: one.findings)) == {
        "EMAIL_ADDRESS": 20 * 6750 + 1,
        "PERSON": 20 * 2250,
    }
    assert size < 20 * 30_000  # of logs of 20 MB


def test_such_an_event_is_forgotten_with_its_segment(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1, f=MANY))
    path = log.folder / f"{log.name}.jsonl"
    log.rotate()
    log.block(message(2))
    assert len(hits(tmp_path)) == 2
    path.unlink()
    assert [hit.n for hit in hits(tmp_path)] == [2]
    with sqlite3.connect(tmp_path / "index.sqlite") as db:
        assert db.execute("SELECT count(*) FROM crowds").fetchone() == (0,)


def typed(*words: str) -> str:
    done = CliRunner().invoke(app, ["audit", *words], env={"COLUMNS": "100", "TZ": "UTC"})
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("verb", [["search"], ["tail"], ["show", "0badcafe-1"]])
def test_a_terminal_gets_a_line_for_it_and_json_the_first_hundred(tmp_path, verb):
    sorts = [finding(f"ENTITY_{n:02}") for n in range(40)]
    HandMade(tmp_path).block(message(1, f=MANY), message(2, f=sorts * 300))
    told = typed(*verb, "--audit", str(tmp_path))
    words = " ".join(told.split())
    assert f"EMAIL_ADDRESS→mask {TIMES}6,750" in words and f"PERSON→keep (shadow) {TIMES}2,250" in words
    assert f"ENTITY_11→mask {TIMES}300" in words and "ENTITY_12" not in words and "and 28 other sorts" in words
    assert len(told) < 6000
    assert len(typed(*verb, "--audit", str(tmp_path), "--json")) < 80_000


@pytest.mark.parametrize("indexed", [False, True])
def test_a_value_is_found_behind_the_listed_ones_too(tmp_path, indexed):
    keys = Keys.open(tmp_path / "keys")
    log = Peopled(tmp_path / "audit", keys)
    log.say(*[BOB] * 150, ANNA, *[BOB] * 850)
    if indexed:
        assert len(hits(tmp_path / "audit")) == 1

    def places(value: str) -> list[Any]:
        prints = keys.fingerprints(value, MAIL)
        found = look_up(tmp_path / "audit", MAIL, prints.values(), nothing)
        assert {one.fingerprint for one in found} == set(prints.values())
        assert {one.finding.entity for one in found} == {MAIL}
        return sorted(one.place for one in found)

    assert places(ANNA) == [150]
    assert places(BOB) == [*range(150), *range(151, 1001)]
