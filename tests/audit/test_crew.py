"""Segments digested by real processes: what they find is what one finds alone; none is ever missed in silence."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.audit.layout import Segment, logs, segments
from proxy.audit.proof import crew as tested
from proxy.audit.proof.crew import Crew, CrewError, Hand, cores, crew
from proxy.audit.proof.digest import Task, digest
from proxy.audit.proof.verify import verify
from proxy.audit.proof.walk import nobody
from tests.audit import test_verify as made
from tests.audit.logs import HandMade, message
from tests.commands.audit.test_verify import run


@pytest.fixture
def hands(monkeypatch) -> list[Hand]:
    """All that are started; none may run when a test is over."""
    started: list[Hand] = []
    begin = Hand.__init__

    def begun(hand: Hand) -> None:
        begin(hand)
        started.append(hand)

    monkeypatch.setattr(Hand, "__init__", begun)
    return started


def gone(hands: list[Hand]) -> bool:
    return all(hand.process.poll() is not None for hand in hands)


def tasks(log: HandMade) -> list[Task]:
    return [Task(segment, None, (5,), 7) for segment in segments(log.folder)]


def two_logs(directory: Path) -> HandMade:
    """Of several segments each; the fingerprint of one event is not what it commits to."""
    log = made.small(directory)
    other = HandMade(directory, log="0000000a", number=1)
    for n in range(1, 12):
        other.block(message(n), message(n))
        if n % 3 == 0:
            other.rotate()
    other.checkpoint()
    other.block(message(12))
    return log


def test_processes_find_what_one_finds_alone(tmp_path, hands):
    log = two_logs(tmp_path)
    changed = segments(log.folder)[1].path
    with closing(Crew(2)) as two:
        assert verify(tmp_path, ahead=two.digests) == verify(tmp_path)
        changed.write_bytes(changed.read_bytes().replace(b"crowd", b"crown"))
        audit = verify(tmp_path, ahead=two.digests)
    assert audit == verify(tmp_path)
    assert [fault.says for fault in audit.logs[0].faults] == ["event 3 was changed"]
    assert len(hands) == 2, "they are used again"
    assert gone(hands)


def test_digests_come_in_order_and_as_they_are_made_here(tmp_path, hands):
    given = tasks(two_logs(tmp_path)) * 3
    with closing(Crew(3)) as three:
        assert list(three.digests(given)) == [digest(task) for task in given]
    assert len(hands) <= 3


def test_a_process_that_is_killed_is_an_error_and_no_verdict(tmp_path, hands, monkeypatch):
    log, give, given = made.small(tmp_path), Hand.give, []

    def killed(hand: Hand, task: Task) -> None:
        give(hand, task)
        given.append(task)
        if len(given) == 2:
            os.kill(hand.process.pid, signal.SIGKILL)

    monkeypatch.setattr(Hand, "give", killed)
    name = segments(log.folder)[1].path.name
    with closing(Crew(2)) as two, pytest.raises(CrewError, match=rf"that read {name} was killed by signal 9, so"):
        verify(tmp_path, ahead=two.digests)
    assert gone(hands)


def test_a_process_that_ends_before_it_is_given_anything_is_one_too(tmp_path, hands):
    log = made.small(tmp_path)
    with closing(Crew(1)) as one:
        list(one.digests(tasks(log)))
        os.kill(hands[0].process.pid, signal.SIGKILL)
        hands[0].process.wait()
        with pytest.raises(CrewError, match="was killed by signal 9"):
            list(one.digests(tasks(log)))
    assert gone(hands)


def test_who_stops_listening_leaves_nobody_behind(tmp_path, hands):
    given = tasks(made.small(tmp_path)) * 4
    with closing(Crew(2)) as two:
        digests = two.digests(given)
        next(digests)
        with pytest.raises(KeyboardInterrupt):  # Ctrl-C
            digests.throw(KeyboardInterrupt)
        assert not two.busy
        assert list(two.digests(given[:2])) == [digest(task) for task in given[:2]]
    assert gone(hands)


def test_a_segment_that_is_gone_is_told_as_if_it_was_read_here(tmp_path, hands):
    missing = Segment(0, tmp_path / "20261119-000000.jsonl")
    with closing(Crew(1)) as one, pytest.raises(FileNotFoundError) as raised:
        list(one.digests([Task(missing, None, (), 0)]))
    assert raised.value.filename == f"{missing.path}.gz"
    assert gone(hands)


def test_a_log_that_is_compressed_meanwhile_is_looked_at_again(tmp_path, hands, monkeypatch):
    """The second segment, between the moment when it was listed and that when a process opens it."""
    log, give = two_logs(tmp_path), Hand.give

    def sealing(hand: Hand, task: Task) -> None:
        if task.segment == segments(log.folder)[0] and not task.segment.sealed:
            made.seal(log)
        give(hand, task)

    plain = segments(log.folder)[0].path
    plain.with_name(plain.name.removesuffix(".gz")).write_bytes(made.content(plain) or b"")
    plain.unlink()
    monkeypatch.setattr(Hand, "give", sealing)
    with closing(Crew(2)) as two:
        assert verify(tmp_path, ahead=two.digests).verdict == "whole"
    assert segments(log.folder)[0].sealed


def test_a_thread_may_ask_and_names_may_be_no_text(tmp_path, hands):
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    made.small(directory)
    verdicts = []

    def ask() -> None:
        with closing(Crew(2)) as two:
            verdicts.append(verify(directory, ahead=two.digests).verdict)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert verdicts == ["whole"]


@pytest.fixture
def worth_it(monkeypatch) -> Iterator[None]:
    """However small a log is."""
    monkeypatch.setattr(tested, "WORTH", 0)
    yield


def test_little_is_done_by_one(tmp_path, hands):
    made.small(tmp_path)
    with crew(logs(tmp_path), cores()) as ahead:
        assert ahead is nobody
    assert not hands


def test_one_job_is_done_by_one(tmp_path, hands, worth_it):
    made.small(tmp_path)
    with crew(logs(tmp_path), 1) as ahead:
        assert ahead is nobody
    assert not hands


def test_the_verb_uses_as_many_as_it_is_told(tmp_path, hands, worth_it):
    two_logs(tmp_path)
    assert run("verify", "--audit", str(tmp_path), "--jobs", "3")[0] == 0
    assert len(hands) == 3
    assert gone(hands)
    assert run("verify", "--audit", str(tmp_path), "--jobs", "1")[0] == 0
    assert len(hands) == 3
    assert run("verify", "--audit", str(tmp_path), "--jobs", "0")[0] == 2


def test_the_verb_says_what_became_of_a_process(tmp_path, hands, worth_it, monkeypatch):
    made.small(tmp_path)
    give = Hand.give

    def killed(hand: Hand, task: Task) -> None:
        give(hand, task)
        os.kill(hand.process.pid, signal.SIGKILL)

    monkeypatch.setattr(Hand, "give", killed)
    code, out, err = run("verify", "--audit", str(tmp_path), "--jobs", "2")
    assert (code, out) == (1, "")
    assert "was killed by signal 9, so nothing can be said of this log" in err
    assert "or with --jobs 1" in err
    assert gone(hands)
