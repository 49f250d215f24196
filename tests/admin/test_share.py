"""Counters shared by forked workers: real processes, real memory."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from proxy.admin.share import Counted, Share
from proxy.core.message import Direction
from proxy.core.tally import Snapshot, Tally, merge


def counted(connections: int, opened: int = 0, entity: str = "EMAIL_ADDRESS") -> Counted:
    """The snapshot of the only route, as a worker would take it."""
    return {"": one(connections, opened, entity)}


def one(connections: int, opened: int = 0, entity: str = "EMAIL_ADDRESS") -> Snapshot:
    tally = Tally()
    tally.connections = connections
    tally.open = opened
    tally.messages = [connections * 2, connections * 3]
    tally.handshakes_refused["upstream_502"] = connections
    tally.took(0.002)
    return {**tally.snapshot(), "redactions": {f"{entity} client_to_upstream": connections}}


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked process; returns its id. The child never comes back into pytest."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return pid


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_nothing_published_is_a_sum_of_zeros() -> None:
    assert Share(3).merged() == {}


def test_what_forked_workers_publish_adds_up_in_the_parent() -> None:
    share = Share(3)
    pids = [in_child(lambda n=n: share.take(n).publish(counted(n + 1, opened=1))) for n in range(3)]
    assert [exit_code(pid) for pid in pids] == [0, 0, 0]
    total = share.merged()[""]
    assert (total["connections"], total["open"], total["messages"]) == (6, 3, [12, 18])
    assert total["redactions"] == {"EMAIL_ADDRESS client_to_upstream": 6}
    assert total["handshakes_refused"] == {"upstream_502": 6}
    assert sum(total["latency"]) == 3
    assert total["latency_sum"] == pytest.approx(0.006)


def test_a_worker_sees_what_its_sister_published() -> None:
    share = Share(2)
    assert exit_code(in_child(lambda: share.take(0).publish(counted(5)))) == 0

    def look() -> None:
        share.take(1).publish(counted(2))
        assert share.merged()[""]["connections"] == 7

    assert exit_code(in_child(look)) == 0


def test_publishing_again_replaces_and_does_not_add() -> None:
    share = Share(1)
    slot = share.take(0)
    slot.publish(counted(1, opened=1))
    slot.publish(counted(4, opened=2))
    assert (share.merged()[""]["connections"], share.merged()[""]["open"]) == (4, 2)


def test_a_restarted_worker_makes_no_counter_fall_but_frees_the_open_connections() -> None:
    share = Share(1)
    assert exit_code(in_child(lambda: share.take(0).publish(counted(10, opened=4)))) == 0
    assert share.merged()[""]["open"] == 4
    share.bury(0)
    assert (share.merged()[""]["connections"], share.merged()[""]["open"]) == (10, 0)
    assert exit_code(in_child(lambda: share.take(0).publish(counted(1, opened=1, entity="IP_ADDRESS")))) == 0
    assert exit_code(in_child(lambda: share.take(0).publish(counted(2, opened=2)))) == 0
    total = share.merged()[""]
    assert (total["connections"], total["open"], total["messages"]) == (13, 2, [26, 39])
    assert total["redactions"] == {
        "EMAIL_ADDRESS client_to_upstream": 12,
        "IP_ADDRESS client_to_upstream": 1,
    }


def test_a_reader_never_sees_a_torn_snapshot_while_a_writer_hammers() -> None:
    share = Share(1)

    def hammer() -> None:
        slot = share.take(0)
        number = 0
        while True:
            number += 1
            slot.publish(counted(number))

    pid = in_child(hammer)
    try:
        last, looks, until = 0, 0, time.monotonic() + 0.5
        while time.monotonic() < until or last == 0:
            seen = share.merged().get("", merge(()))
            assert seen["messages"] == [seen["connections"] * 2, seen["connections"] * 3]
            assert seen["connections"] >= last
            last, looks = seen["connections"], looks + 1
        assert looks > 1
    finally:
        os.kill(pid, signal.SIGKILL)
        assert exit_code(pid) == -signal.SIGKILL
    assert share.take(0) is not None  # a worker killed in mid-write leaves a slot that can be taken
    assert share.merged()[""]["connections"] >= last


def test_a_half_written_snapshot_is_not_read() -> None:
    share = Share(1)
    share.take(0).publish(counted(3))
    current = share._memory[0]
    other = 8 + share._half * (1 - current)
    share._memory[other : other + 100] = b"\xff" * 100  # a writer died here before it flipped the byte
    assert share.merged()[""]["connections"] == 3
    share._memory[0] = 1 - current
    with pytest.raises(RuntimeError, match="worker 0"):
        share.merged()


def test_counters_of_thousands_of_entities_fit() -> None:
    """Rule files define entities of their own, and after a reload there are others: counters never go."""
    slot = (share := Share(1)).take(0)
    many = one(1)
    names = [f"{n:_>64} {direction.label}" for n in range(2500) for direction in Direction]
    many["redactions"] = dict.fromkeys(names, 10**9)
    slot.publish({"": one(1), "chat": many})
    assert share.merged()["chat"]["redactions"] == many["redactions"]


def test_a_snapshot_that_does_not_fit_is_refused_and_the_last_one_stays() -> None:
    share = Share(2)
    slot = share.take(0)
    slot.publish(counted(1))
    huge = one(2)
    huge["redactions"] = {f"ENTITY_{n} client_to_upstream": n for n in range(40_000)}
    assert len(json.dumps(huge)) > share._half
    with pytest.raises(ValueError, match="does not fit"):
        slot.publish({"": huge})
    assert share.merged()[""]["connections"] == 1


def test_adding_up_is_the_same_in_any_order() -> None:
    first, second = one(1, 1, "IBAN_CODE"), one(5, 2)
    assert merge((first, second)) == merge((second, first))
    assert merge((first, merge(()))) == first


def test_routes_are_added_up_each_for_itself() -> None:
    share = Share(2, routes=3)
    share.take(0).publish({"chat": one(1), "feed": one(10)})
    share.take(1).publish({"feed": one(20), "": one(0)})
    assert {name: counts["connections"] for name, counts in share.merged().items()} == {
        "chat": 1,
        "feed": 30,
        "": 0,
    }
