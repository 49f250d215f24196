"""What the index answers is what reading every line would: for any question, before and after anything happens."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.audit_logs import write
from proxy.audit import events
from proxy.audit.layout import logs
from proxy.audit.reading.following import onwards
from proxy.audit.reading.index import Index, NoIndexError, glanced
from proxy.audit.reading.question import Asked, Question, moment
from proxy.audit.reading.search import Cursor, Page, search
from tests.audit.logs import DAY, HandMade, finding, message

SID = "0badcafe-1"


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two logs of 4,000 events in all."""
    directory = tmp_path_factory.mktemp("audit")
    write(directory, 4000, days=2, logs=2)
    return directory


@pytest.fixture(scope="module")
def index(audit: Path):
    with Index(audit) as index:
        assert index.catch_up() == 4000
        yield index


def read(directory: Path) -> list[events.Any]:
    """Every event of every log."""
    return [event for log in logs(directory) for some in onwards(log) for event in some.events]


def newest(found: list[events.Any]) -> list[tuple[str, int]]:
    return [(event.log, event.seq) for event in sorted(found, key=lambda event: event.t, reverse=True)]


def named(page: Page) -> list[tuple[str, int]]:
    return [(hit.log, hit.seq) for hit in page.hits]


def names(*some: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(some), unique=True, max_size=2).map(tuple)


QUESTIONS = st.builds(
    Question,
    since=st.none() | st.integers(DAY - 100, DAY + 200_000).map(lambda seconds: seconds * 10**9),
    until=st.none() | st.integers(DAY - 100, DAY + 200_000).map(lambda seconds: seconds * 10**9),
    route=names("support-chat", "billing", "partners", "nowhere"),
    way=names("up", "down"),
    kind=names("message", "refuse", "session.open", "policy.apply"),
    verdict=names("rewritten", "kept", "dropped"),
    cause=names("budget", "too_big"),
    entity=names("EMAIL_ADDRESS", "SECRET_KEY", "LOCATION"),
    rule=names("contact", "names"),
    operator=names("mask", "keep", "drop"),
    mode=names("enforce", "shadow", "exempt"),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUESTIONS, st.integers(1, 60))
def test_an_answer_is_the_newest_of_what_reading_everything_finds(audit, index, question, limit):
    asked = Asked(question)
    fitting = newest([event for event in read(audit) if asked.fits(event)])
    page = search(index, question, limit)
    assert named(page) == fitting[:limit]
    assert page.more == max(len(fitting) - limit, 0)


def test_pages_follow_each_other_without_a_gap(audit, index):
    question = Question(rule=("names",))
    asked, found, after = Asked(question), [], None
    while True:
        page = search(index, question, 37, after)
        found += named(page)
        after = page.after
        if after is None:
            break
    assert found == newest([event for event in read(audit) if asked.fits(event)])


def test_a_client_is_found_by_its_sessions(audit, index):
    clients = [event.client for event in read(audit) if isinstance(event, events.SessionOpen)]
    for client in sorted(set(clients), key=clients.count)[-5:]:
        question = Question(client=(client,))
        asked = Asked(question)
        fitting = newest([event for event in read(audit) if asked.fits(event)])
        assert named(search(index, question, 1000)) == fitting and len(fitting) > 1
        assert named(search(index, question, 3)) == fitting[:3]
    sid = next(event.sid for event in read(audit) if isinstance(event, events.SessionClose))
    assert search(index, Question(session=sid)).hits
    assert not search(index, Question(session=sid, client=("fp:0000000000000000",))).hits


def test_a_page_that_nobody_was_given_is_empty_or_the_first(index):
    for after in (Cursor(1 << 70, 1 << 70), Cursor(-5, -5)):
        assert len(search(index, Question(), 5, after).hits) in (0, 5)


def test_a_session_is_told_in_the_order_of_its_log_whatever_the_clock_did(tmp_path):
    log = HandMade(tmp_path)
    for n, at in enumerate((DAY, DAY + 50, DAY - 50), 1):
        log.block(message(n), at=at)
    with Index(tmp_path) as index:
        index.catch_up()
        hits = search(index, Question(session=SID), 2).hits
        assert [hit.n for hit in hits] == [3, 2]
        assert [
            hit.n for hit in search(index, Question(session=SID), 2, Cursor(hits[-1].t, hits[-1].id)).hits
        ] == [1]
        assert search(index, Question(session="0badcafe-2")) == Page([], 0, None)


def test_a_hit_says_what_the_line_says_but_for_the_commitment(tmp_path):
    log = HandMade(tmp_path)
    found = [finding(c="00" * 16), finding(rule="other", mode="shadow", score=0.4)]
    line = json.loads(log.block(message(f=found)))
    with Index(tmp_path, "memory") as index:
        index.catch_up()
        (hit,) = search(index, Question()).hits
    del line["f"][0]["c"], line["v"], line["mono"], line["b"]
    assert hit.as_json() == line
    assert not list(tmp_path.glob("index*"))


def test_the_index_holds_no_commitment(audit, tmp_path):
    log = HandMade(tmp_path)
    log.block(message(f=[finding(c="5eed" * 8)]))
    with Index(tmp_path) as index:
        index.catch_up()
    assert all(b"5eed5eed" not in path.read_bytes() for path in tmp_path.glob("index*"))


# -- following ----------------------------------------------------------------------------------------------


def seqs(index: Index) -> list[int]:
    return sorted(hit.seq for hit in search(index, Question(), 1000).hits)


def test_what_is_new_is_taken_in_even_if_it_joins_the_last_block(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1), message(2))
    path = log.folder / f"{log.name}.jsonl"
    whole = path.read_bytes()
    half = whole.index(b"\n") + 1
    with Index(tmp_path) as index:
        for cut in (half, half + 20, len(whole)):  # a line, a torn line, both lines
            path.write_bytes(whole[:cut])
            index.catch_up()
            assert seqs(index) == ([0, 1] if cut == len(whole) else [0])
        assert index.catch_up() == 0


def test_rotation_sealing_and_pruning_are_followed(tmp_path):
    log = HandMade(tmp_path)
    with Index(tmp_path) as index:
        for number in range(3):
            log.block(message(number, sid=f"0badcafe-{number}"))
            index.catch_up()
            first = log.folder / f"{log.name}.jsonl"
            with gzip.open(f"{first}.gz", "wb") as packed:
                packed.write(first.read_bytes())
            first.unlink()
            log.rotate()
            log.block(message(number + 10, sid="0badcafe-9"))
        assert index.catch_up() == 1
        assert seqs(index) == [0, 1, 2, 3, 4, 5]
        assert index.catch_up() == 0
        for path in sorted(log.folder.glob("*.gz"))[:2]:
            path.unlink()
        index.catch_up()
        assert seqs(index) == [3, 4, 5]
        assert index.state().events == len(seqs(index))
        counted = index.db.execute("SELECT sum(events) FROM counts").fetchone()[0]
        assert counted == len(seqs(index))
        assert index.db.execute("SELECT count(*) FROM sessions").fetchone()[0] == 2


def test_a_log_that_was_cut_off_by_a_crash_and_went_on_is_read_again(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1))
    kept = (log.folder / f"{log.name}.jsonl").read_bytes()
    log.block(message(2), at=DAY + 1)
    with Index(tmp_path) as index:
        assert index.catch_up() == 2
        (log.folder / f"{log.name}.jsonl").write_bytes(kept)
        log.seq -= 1
        log.block(message(3), message(4), at=DAY + 7)
        index.catch_up()
        assert sorted(hit.n for hit in search(index, Question()).hits) == [1, 3, 4]
        assert index.state().events == 3


def test_a_log_that_was_replaced_by_another_is_forgotten(tmp_path):
    for id_ in ("3f9ac21b", "aaaaaaaa"):
        log = HandMade(tmp_path / id_, id_)
        for n in range(3):
            log.block(message(n))
    directory = tmp_path / "3f9ac21b"
    with Index(directory) as index:
        index.catch_up()
        (directory / "log-0").rename(tmp_path / "away")
        (tmp_path / "aaaaaaaa" / "log-0").rename(directory / "log-0")
        index.catch_up()
        assert {hit.log for hit in search(index, Question()).hits} == {"aaaaaaaa"}
        (directory / "log-0").rename(tmp_path / "gone")
        index.catch_up()
        assert index.state().events == 0


@pytest.mark.parametrize("damage", [b"no database", b"", None])
def test_an_index_that_cannot_be_used_is_made_anew(tmp_path, damage):
    log = HandMade(tmp_path)
    log.block(message())
    with Index(tmp_path) as index:
        index.catch_up()
        if damage is None:
            index.db.execute("PRAGMA user_version=99")
    path = tmp_path / "index.sqlite"
    if damage is not None:
        path.write_bytes(damage)
    with Index(tmp_path) as index:
        assert index.catch_up() == 1
        assert seqs(index) == [0]
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_open_index_notices_that_another_process_has_made_it_anew(tmp_path):
    log = HandMade(tmp_path)
    log.block(message())
    with Index(tmp_path) as first:
        first.catch_up()
        (tmp_path / "index.sqlite").unlink()
        with Index(tmp_path) as second:
            second.catch_up()
        log.block(message(2))
        assert first.catch_up() == 1
        assert seqs(first) == [0, 1]


def test_lines_that_are_no_events_are_left_out_and_counted(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1), message(2))
    log.block(message(3))
    path = log.folder / f"{log.name}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"n":2', b'"m":2'))
    with Index(tmp_path) as index:
        index.catch_up()
        assert seqs(index) == [0, 2]
        assert index.state().unread == 1


# -- times --------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2h", "2026-11-20T13:00:00+00:00"),
        ("90 min ago", "2026-11-20T13:30:00+00:00"),
        ("1.5d", "2026-11-19T03:00:00+00:00"),
        ("today", "2026-11-20T00:00:00+00:00"),
        ("yesterday", "2026-11-19T00:00:00+00:00"),
        ("now", "2026-11-20T15:00:00+00:00"),
        ("14:30", "2026-11-20T14:30:00+00:00"),
        ("2026-11-18", "2026-11-18T00:00:00+00:00"),
        ("2026-11-18 09:15", "2026-11-18T09:15:00+00:00"),
        ("2026-11-18T09:15:00.5Z", "2026-11-18T09:15:00.500000+00:00"),
        ("2026-11-18T09:15+02:00", "2026-11-18T07:15:00+00:00"),
    ],
)
def test_times_are_read_as_people_write_them(written, means):
    assert moment(written, NOW, UTC) == round(datetime.fromisoformat(means).timestamp() * 1e9)


@pytest.mark.parametrize(
    "written", ["", "soon", "2h30", "2026-13-01", "25:00", "-2h", "9" * 400 + "d", "9999-01-01"]
)
def test_what_is_no_time_is_refused(written):
    with pytest.raises((ValueError, OverflowError)):
        moment(written, NOW, UTC)


def test_a_pipe_in_the_place_of_the_index_is_not_waited_for(tmp_path):
    log = HandMade(tmp_path)
    log.block(message())
    os.mkfifo(tmp_path / "index.sqlite")
    with Index(tmp_path) as index, pytest.raises(NoIndexError, match="is no file: remove it"):
        index.catch_up()
    with glanced(tmp_path) as db:
        assert db is None
