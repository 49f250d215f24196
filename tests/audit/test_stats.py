"""Counts by quarters of an hour are those of counting every event; time is cut where people's days begin."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.audit_logs import write
from proxy.audit import events
from proxy.audit.layout import logs
from proxy.audit.proof.verify import verify
from proxy.audit.reading.following import onwards
from proxy.audit.reading.index import Index
from proxy.audit.reading.index_tables import QUARTER
from proxy.audit.reading.question import Asked, Question, kind_of
from proxy.audit.reading.stats import Stats, by, by_time
from tests.audit.logs import DAY
from tests.audit.test_search import names


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("audit")
    write(directory, 3000, days=2, logs=2, sealed=True)
    return directory


@pytest.fixture(scope="module")
def index(audit: Path):
    with Index(audit, "memory") as index:
        index.catch_up()
        yield index


TIMES = st.none() | st.integers(DAY // 900 - 1, DAY // 900 + 192).map(lambda quarter: quarter * QUARTER)
QUESTIONS = st.builds(
    Question,
    since=TIMES,
    until=TIMES,
    route=names("support-chat", "billing"),
    way=names("up", "down"),
    verdict=names("rewritten", "kept"),
    entity=names("EMAIL_ADDRESS", "LOCATION"),
    operator=names("mask", "keep"),
    mode=names("enforce", "shadow"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUESTIONS)
def test_findings_are_counted_as_if_every_one_was_looked_at(audit, index, question):
    asked, counted = Asked(question), Counter()
    for log in logs(audit):
        for event in (
            event for read in onwards(log) for event in read.events if isinstance(event, events.Message)
        ):
            if asked.fits(event):
                for one in filter(asked.finding_fits, event.f):
                    counted[event.route, event.verdict, one.entity, one.mode] += 1
    sums: Counter[tuple[str, ...]] = Counter()
    for row in Stats(index.db, question).findings():
        sums[row.route, row.verdict, row.entity, row.mode] += row.findings
    assert sums == counted
    enforced = sum(count for key, count in counted.items() if key[-1] == "enforce")
    assert sum(Stats(index.db, question).over_time().values()) == enforced


def test_events_and_sessions_are_counted_too(audit, index):
    every = [event for log in logs(audit) for read in onwards(log) for event in read.events]
    counts = Stats(index.db, Question())
    kinds = by(counts.events(), lambda row: row.kind, lambda row: row.events)
    assert dict(kinds) == Counter(map(kind_of, every))
    assert [count for _, count in kinds] == sorted((count for _, count in kinds), reverse=True)
    closes = [event for event in every if isinstance(event, events.SessionClose)]
    sessions = counts.sessions()
    assert sessions.closed == len(closes) and sessions.findings == sum(sum(one.findings) for one in closes)
    assert sum(row.size_in for row in counts.events()) == sum(getattr(one, "in_", 0) for one in every)


def test_a_time_inside_a_quarter_counts_the_whole_quarter(index):
    inside = Stats(index.db, Question(since=DAY * 10**9 + 1, until=DAY * 10**9 + 2))
    assert (inside.since, inside.until) == (DAY // 900 * QUARTER, (DAY // 900 + 1) * QUARTER)
    assert sum(row.events for row in inside.events()) > 2


def quarters(*written: str) -> dict[int, int]:
    return {int(datetime.fromisoformat(one).timestamp()): 1 for one in written}


def test_days_begin_at_midnight_of_the_zone_whatever_the_clock_does():
    kolkata, berlin = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
    found = by_time(quarters("2026-11-20T18:15Z", "2026-11-20T18:30Z"), days=True, zone=kolkata)
    assert [(when.day, count) for when, count in found] == [(20, 1), (21, 1)]
    # the night of 25 October 2026 has 25 hours in Berlin, that of 29 March 23
    found = by_time(quarters("2026-10-24T12:00Z", "2026-10-26T12:00Z"), days=True, zone=berlin)
    assert [(when.day, when.hour, count) for when, count in found] == [(24, 0, 1), (25, 0, 0), (26, 0, 1)]
    found = by_time(quarters("2026-03-28T12:00Z", "2026-03-30T12:00Z"), days=True, zone=berlin)
    assert [(when.day, when.hour, count) for when, count in found] == [(28, 0, 1), (29, 0, 0), (30, 0, 1)]


def test_hours_without_findings_are_told_too():
    found = by_time(quarters("2026-11-20T10:45Z", "2026-11-20T13:00Z"), days=False, zone=UTC)
    assert [(when.hour, count) for when, count in found] == [(10, 1), (11, 0), (12, 0), (13, 1)]
    assert by_time({}, days=False) == []


def test_big_logs_that_are_made_for_measuring_are_whole(audit):
    assert verify(audit).verdict == "whole"
