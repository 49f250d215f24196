"""Large messages are looked at in threads, and nobody's messages keep those of others from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from proxy.core.action import Cause
from proxy.core.lane import refusal_of
from proxy.detect import workers as module
from proxy.detect.engine import SAMPLE
from proxy.detect.workers import FORGET, LARGE, Ledger, OverloadError, Workers
from tests.detect.looking import detector, leaf

HOSTILE, HONEST = 1, 2  # connections


def burn(seconds: float) -> Callable[[], None]:
    """Work that takes so much processor time."""

    def work() -> None:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass

    return work


@pytest.fixture
def busy() -> Iterator[tuple[Workers, threading.Event]]:
    """Workers that are held up, with room for two more behind."""
    workers, go = Workers(threads=1, waiting=2), threading.Event()
    for size in (1, LARGE + 1):
        running = threading.Event()
        workers.submit(lambda running=running: (running.set(), go.wait(30)), 0, size)
        assert running.wait(30)
    yield workers, go
    go.set()
    workers.close()


def test_a_worker_finds_what_the_loop_would_find() -> None:
    workers, looker = Workers(threads=1, waiting=2), detector()
    try:
        found = workers.submit(lambda: looker.find([leaf(SAMPLE)], looker.entities, 0.5), 1, 1).result(30)
        assert found == looker.find([leaf(SAMPLE)], looker.entities, 0.5)
        failed = workers.submit(lambda: looker.find([], frozenset({"SHOE_SIZE"}), 0.5), 1, 1)
        assert isinstance(failed.exception(30), LookupError)
    finally:
        workers.close()
    assert isinstance(workers.submit(lambda: 1, 1, 1).exception(5), RuntimeError)


def test_whoever_has_used_most_goes_last(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    ledger, done = workers._small._ledger, list[int]()
    for owner, seconds in ((HOSTILE, 1.0), (HONEST, 0.001)):
        ledger.add(owner, seconds)
    last = [workers.submit(lambda owner=owner: done.append(owner), owner, 1) for owner in (HOSTILE, HONEST)]
    go.set()
    for future in last:
        future.result(30)
    assert done == [HONEST, HOSTILE]


def test_with_a_full_queue_whoever_has_used_most_is_refused(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    for owner in (10, 11):
        workers._small._ledger.add(owner, owner * 1.0)
    first, second = workers.submit(lambda: 1, 10, 1), workers.submit(lambda: 2, 11, 1)
    third = workers.submit(lambda: 3, HONEST, 1)
    assert second.done() and not first.done() and not third.done()
    error = second.exception()
    assert isinstance(error, OverloadError)
    assert refusal_of(error).cause is Cause.BUDGET
    go.set()
    assert (first.result(30), third.result(30)) == (1, 3)


def test_who_has_used_nothing_waits_and_is_not_refused(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    waiting = [workers.submit(lambda owner=owner: owner, owner, 1) for owner in range(5, 50)]
    greedy = 99
    workers._small._ledger.add(greedy, 1.0)
    assert isinstance(workers.submit(lambda: 1, greedy, 1).exception(0), OverloadError)
    go.set()
    assert [future.result(30) for future in waiting] == list(range(5, 50))


def test_a_very_large_message_holds_up_no_smaller_one() -> None:
    workers, go = Workers(threads=1, waiting=2), threading.Event()
    try:
        workers.submit(lambda: go.wait(30), HOSTILE, LARGE + 1)
        assert workers.submit(lambda: 1, HONEST, LARGE).result(30) == 1
    finally:
        go.set()
        workers.close()


def test_what_a_job_took_is_owed_whether_it_failed_or_not() -> None:
    workers = Workers(threads=1, waiting=2)
    took = module.ALLOWED * 2

    def fails() -> None:
        burn(took)()
        raise TimeoutError

    try:
        workers.submit(burn(took), 1, 1).result(30)
        assert isinstance(workers.submit(fails, 2, 1).exception(30), TimeoutError)
        workers.submit(burn(module.ALLOWED / 10), 3, 1).result(30)
    finally:
        workers.close()
    owed = [workers._small._ledger.owed(owner) for owner in (1, 2, 3)]
    assert owed[0] > 0 and owed[1] > 0 and owed[2] == 0


def test_the_ledger_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, now = Ledger(), [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    ledger.add(HOSTILE, 1.0)
    now[0] = module.HALF_LIFE
    assert ledger.owed(HOSTILE) == pytest.approx(0.5 - module.ALLOWED)
    for owner in range(100, 100 + 2 * FORGET):
        ledger.add(owner, 0.01)
    assert len(ledger._used) <= FORGET
    assert ledger.owed(HOSTILE) == pytest.approx(0.5 - module.ALLOWED)


def test_a_cancelled_job_leaves_its_place_in_the_queue(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    workers._small._ledger.add(HOSTILE, 1.0)
    first, second = workers.submit(lambda: 1, HOSTILE, 1), workers.submit(lambda: 2, HOSTILE, 1)
    assert first.cancel()
    third = workers.submit(lambda: 3, HOSTILE, 1)
    go.set()
    assert (second.result(30), third.result(30)) == (2, 3)


def test_close_cancels_what_waits(busy: tuple[Workers, threading.Event]) -> None:
    workers, go = busy
    waits = workers.submit(lambda: 1, 1, 1)
    closing = threading.Thread(target=workers.close)
    closing.start()
    go.set()
    closing.join(30)
    assert not closing.is_alive()
    assert waits.done()
