"""Time is limited and the limit is never passed over in silence; large messages are looked at by workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from phonenumbers import PhoneNumberMatcher

from proxy.core.action import Cause
from proxy.core.finding import Finding
from proxy.core.lane import refusal_of
from proxy.detect.deadline import Deadline
from proxy.detect.engine import SAMPLE, Engine, distinct
from proxy.detect.phones import Phones
from proxy.detect.workers import OverloadError, Workers
from tests.detect.looking import detector, leaf

E_MAIL, PHONE = " bob@corp.example ", " (212) 555-0142 "
HOSTILE = {
    "dots": "a." * 20_000 + E_MAIL,
    "dots around the sign": "a." * 6_000 + "@" + "a." * 6_000 + E_MAIL,
    "signs": "a@" * 20_000 + E_MAIL,
    "hyphens": "a@b" + "-c" * 20_000 + E_MAIL,
    "12 KB of filler": "x" * 12_000 + E_MAIL,
    "filler that is a name": "x.y-" * 3_000 + E_MAIL,
    "dashes": "1-" * 30_000 + PHONE,
    "plus signs": "+1 " * 20_000 + PHONE,
    "brackets": "(1)" * 20_000 + PHONE,
    "digits": "1234567890" * 6_554 + PHONE,
    "short numbers": "12345 67890, " * 5_000 + PHONE,
    "colons": "1:" * 30_000 + E_MAIL,
    "hex": "ab" * 30_000 + E_MAIL,
    "cards": "4111 1111 1111 1112 " * 3_000 + E_MAIL,
    "accounts": "GB82 WEST 1234 5698 7654 " * 2_500 + E_MAIL,
    "wallets": "1A" * 30_000 + E_MAIL,
}
BUDGET = 0.5
SLACK = 1.5  # one step of a recognizer on a busy machine


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_does_not_hide_a_value_it_only_runs_out_of_time(name: str) -> None:
    text = HOSTILE[name]
    entity = "EMAIL_ADDRESS" if text.endswith(E_MAIL) else "PHONE_NUMBER"
    hidden = (E_MAIL if text.endswith(E_MAIL) else PHONE).strip()
    start = text.rindex(hidden)
    pressed = Engine(budget=BUDGET)
    began = time.monotonic()
    try:
        (found,) = pressed.find([leaf(text)], pressed.entities, 0.5)
    except TimeoutError as late:
        assert refusal_of(late).cause is Cause.BUDGET
    else:
        assert any(f.entity == entity and f.start <= start and start + len(hidden) <= f.end for f in found), (
            "neither found nor refused"
        )
    assert time.monotonic() - began < BUDGET + SLACK


def test_a_text_that_takes_too_long_is_refused() -> None:
    pressed = Engine(budget=0.05)
    with pytest.raises(TimeoutError):
        pressed.find([leaf(HOSTILE["dashes"])], frozenset({"PHONE_NUMBER"}), 0.5)


def test_the_budget_is_shared_by_all_leaves_of_a_message() -> None:
    pressed = Engine(budget=0.1)
    leaves = [leaf("call (212) 555-0142 or 212-555-0143")] * 20_000
    with pytest.raises(TimeoutError):
        pressed.find(leaves, pressed.entities, 0.5)


def test_a_spent_deadline_raises() -> None:
    with pytest.raises(TimeoutError):
        Deadline(0).left()
    assert 0 < Deadline(5).left() <= 5


def test_a_matcher_that_no_longer_asks_for_the_time_is_noticed_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PhoneNumberMatcher, "_find", lambda self, index: None)
    with pytest.raises(RuntimeError, match="deadline"):
        Phones()


def test_warm_says_which_recognizer_misses_its_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Phones, "find", lambda *_: iter(()))
    with pytest.raises(RuntimeError, match="PHONE_NUMBER"):
        Engine().warm()


@pytest.fixture
def busy() -> Iterator[tuple[Workers, threading.Event]]:
    """One worker that is held up, with room for two more behind it."""
    workers, go = Workers(threads=1, waiting=2), threading.Event()
    running = threading.Event()
    workers.submit(lambda: (running.set(), go.wait(30)))
    assert running.wait(30)
    yield workers, go
    go.set()
    workers.close()


def test_a_worker_finds_what_the_loop_would_find() -> None:
    workers, looker = Workers(threads=1, waiting=2), detector()
    try:
        found = workers.submit(lambda: looker.find([leaf(SAMPLE)], looker.entities, 0.5)).result(30)
        assert found == looker.find([leaf(SAMPLE)], looker.entities, 0.5)
        failed = workers.submit(lambda: looker.find([], frozenset({"SHOE_SIZE"}), 0.5))
        assert isinstance(failed.exception(30), LookupError)
    finally:
        workers.close()
    assert isinstance(workers.submit(lambda: 1).exception(5), RuntimeError)


def test_many_findings_in_one_text_are_settled_in_one_sweep() -> None:
    """100,000 findings compared pairwise would take hours; the budget does not interrupt that."""
    findings = [Finding("EMAIL_ADDRESS", n * 10, n * 10 + 8, 1.0, "x") for n in range(100_000)]
    inside = [Finding("EMAIL_ADDRESS", n * 10 + 1, n * 10 + 5, 0.5, "x") for n in range(100_000)]
    assert distinct(findings + inside) == findings


def test_a_message_behind_a_full_queue_is_refused_at_once(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    waiting = [workers.submit(lambda: 1) for _ in range(2)]
    refused = workers.submit(lambda: 1)
    assert refused.done()
    error = refused.exception()
    assert isinstance(error, OverloadError)
    assert refusal_of(error).cause is Cause.BUDGET
    go.set()
    assert [future.result(30) for future in waiting] == [1, 1]


def test_a_cancelled_job_leaves_its_place_in_the_queue(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    first, second = workers.submit(lambda: 1), workers.submit(lambda: 2)
    assert first.cancel()
    third = workers.submit(lambda: 3)
    go.set()
    assert (second.result(30), third.result(30)) == (2, 3)


def test_close_cancels_what_waits(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    waits = workers.submit(lambda: 1)
    closing = threading.Thread(target=workers.close)
    closing.start()
    go.set()
    closing.join(30)
    assert not closing.is_alive()
    assert waits.done()
