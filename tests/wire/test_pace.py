"""A client that sends more messages than it may: they wait, and then its socket does; nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.action import Cause
from proxy.core.message import Side
from proxy.wire.pace import PacedLeg, affordable
from tests.playbook import EMAILS
from tests.wire.frames import CLOSE, CONT, MASK, PING, TEXT, build
from tests.wire.wiring import Said, Wire, close, cont, ping, text


def numbered(first: int, end: int) -> list[Said]:
    return [text(f"number {i}") for i in range(first, end)]


def test_as_many_as_in_a_second_go_at_once_and_the_others_in_their_time_and_order() -> None:
    with Wire(EMAILS, max_rate=10) as wire:
        wire.client.sends(*numbered(0, 25))
        wire.upstream.gets(*numbered(0, 10))
        wire.wait(1.05)
        wire.upstream.gets(*numbered(10, 20))
        wire.wait(0.55)
        wire.upstream.gets(*numbered(20, 25))


def test_the_socket_is_not_read_while_something_waits_and_is_read_again_afterwards() -> None:
    with Wire(EMAILS, max_rate=10) as wire:
        wire.client.sends(*numbered(0, 12))
        assert wire.client.paused
        wire.client.sends(*numbered(12, 14))  # stays with the sender
        wire.upstream.gets(*numbered(0, 10))
        wire.wait(2)
        assert not wire.client.paused
        wire.upstream.gets(*numbered(10, 14))
        assert (wire.client.pauses, wire.client.resumes) in {(1, 1), (2, 2)}


def test_the_other_direction_has_no_limit() -> None:
    with Wire(EMAILS, max_rate=1) as wire:
        wire.upstream.sends(*numbered(0, 50))
        wire.client.gets(*numbered(0, 50))
        assert not any(isinstance(leg, PacedLeg) for leg in wire.relay.legs if leg.side is Side.UPSTREAM)


def test_without_a_limit_legs_are_plain() -> None:
    with Wire(EMAILS) as wire:
        assert not any(isinstance(leg, PacedLeg) for leg in wire.relay.legs)


def test_pings_and_fragments_cost_nothing() -> None:
    with Wire(EMAILS, max_rate=2) as wire:
        pings = [ping(b"%d" % i) for i in range(9)]
        wire.client.sends(text("one", fin=False), cont(" a", fin=False), *pings, cont("more"), text("two"))
        got = wire.upstream.frames()
        assert [one for one in got if one.opcode == PING] == pings
        assert [one.payload for one in got if one.opcode != PING] == [b"one", b" a", b"more", b"two"]


def test_what_waits_is_looked_at_all_the_same() -> None:
    with Wire(EMAILS, max_rate=1) as wire:
        wire.client.sends(text("hello"), text("mail bob@example.com"))
        wire.upstream.gets(text("hello"))
        wire.wait(1.1)
        wire.upstream.gets(text("mail <EMAIL_ADDRESS>"))


def test_a_large_message_that_is_with_a_worker_and_the_pace_hold_the_same_order() -> None:
    with Wire(EMAILS, max_rate=2, inline_bytes=64) as wire:
        large = text("x" * 100 + " bob@example.com")
        wire.client.sends(text("0"), large, text("2"), text("3"))
        wire.upstream.gets(text("0"))
        wire.wait(3)
        wire.upstream.gets()
        wire.verdicts()
        wire.wait(3)
        wire.upstream.gets(text("x" * 100 + " <EMAIL_ADDRESS>"), text("2"), text("3"))


def test_what_a_worker_lets_go_does_not_wait_for_what_is_too_early() -> None:
    with Wire(EMAILS, max_rate=1, inline_bytes=1) as wire:
        wire.client.sends(text("mail a@b.c"), text("and a@b.c"))
        wire.verdicts()
        wire.upstream.gets(text("mail <EMAIL_ADDRESS>"))
        wire.wait(1.1)
        wire.verdicts()
        wire.upstream.gets(text("and <EMAIL_ADDRESS>"))


@pytest.mark.parametrize("settings", [{"inline_bytes": 1}, {"turn": 0.0}], ids=["a worker", "the next turn"])
def test_what_waits_for_something_else_is_paid_once(settings: dict) -> None:
    with Wire(EMAILS, max_rate=10, **settings) as wire:
        wire.client.sends(*[text(f"{i} a@b.c") for i in range(12)])
        wire.verdicts()
        wire.loop.turn(20)
        wire.upstream.gets(*[text(f"{i} <EMAIL_ADDRESS>") for i in range(10)])
        wire.wait(0.25)
        wire.verdicts()
        wire.loop.turn(20)
        wire.upstream.gets(*[text(f"{i} <EMAIL_ADDRESS>") for i in (10, 11)])


def test_a_close_behind_what_waits_comes_behind_it() -> None:
    with Wire(EMAILS, max_rate=1) as wire:
        wire.client.sends(text("a"), text("b"), close(1000, "bye"))
        wire.upstream.gets(text("a"))
        wire.wait(1.1)
        wire.upstream.gets(text("b"), close(1000, "bye"))


@pytest.mark.parametrize("half_close", [True, False])
def test_what_a_client_said_before_its_fin_still_arrives(half_close: bool) -> None:
    with Wire(EMAILS, max_rate=1, half_close=half_close) as wire:
        wire.client.sends(*numbered(0, 3))
        wire.client.fins()
        wire.wait(4)
        wire.upstream.gets(*numbered(0, 3))
        assert wire.upstream.saw == "FIN"


def test_a_reset_forgets_what_waits() -> None:
    with Wire(EMAILS, max_rate=1) as wire:
        wire.client.sends(*numbered(0, 3))
        wire.upstream.gets(*numbered(0, 1))
        wire.client.resets()
        wire.wait(4)
        assert wire.ended()


def test_a_close_of_the_service_ends_it_in_good_order() -> None:
    with Wire(EMAILS, max_rate=1) as wire:
        wire.client.sends(*numbered(0, 3))
        wire.upstream.gets(*numbered(0, 1))
        wire.upstream.sends(close(4000))
        wire.client.gets(close(4000))
        wire.client.sends(close(4000))
        wire.wait(4)
        wire.upstream.gets(*numbered(1, 3), close(4000))


def test_the_end_of_the_proxy_does_not_wait_for_the_pace() -> None:
    with Wire(EMAILS, max_rate=1) as wire:
        wire.client.sends(*numbered(0, 30), close(4000))
        wire.upstream.gets(*numbered(0, 1))
        wire.relay.end(Cause.SHUTDOWN)
        wire.client.gets_closed(Cause.SHUTDOWN, 1012)
        wire.upstream.gets_closed(Cause.SHUTDOWN, 1012)
        assert wire.client.eof, "its own CLOSE was read behind all that waited"
        wire.client.fins()
        wire.upstream.sends(close(1012))
        wire.upstream.fins()
        assert wire.ended()


def test_whoever_is_kept_waiting_is_not_idle() -> None:
    with Wire(EMAILS, max_rate=0.5, idle=3) as wire:
        wire.client.sends(*numbered(0, 6))
        wire.wait(11)
        wire.upstream.gets(*numbered(0, 6))
        assert not wire.causes


@given(
    st.lists(st.tuples(st.sampled_from([TEXT, CONT, PING, CLOSE]), st.integers(0, 70_000)), max_size=8),
    st.integers(0, 5),
    st.integers(0, 20),
)
def test_the_cut_is_always_between_two_frames(said: list[tuple[int, int]], messages: int, missing: int) -> None:
    frames = [build(opcode, bytes(size), fin=True, rsv=0, mask=MASK) for opcode, size in said]
    data = b"".join(frames)[: -missing or None]
    begun, cut = affordable(data, messages)
    assert begun <= messages
    if cut < len(data):
        ends = [sum(map(len, frames[:n])) for n in range(len(frames) + 1)]
        n = ends.index(cut)
        assert said[n][0] == TEXT
        assert sum(opcode == TEXT for opcode, _ in said[:n]) == begun == messages
