"""Control frames are looked at like messages: the text of a ping, of a pong, and of the reason of a CLOSE."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.core.action import Cause
from proxy.core.message import Leaf
from proxy.core.plugs import Restored
from proxy.core.session import Session
from proxy.wire.controls import PINGS_KEPT
from tests.playbook import EMAILS, Table, rule
from tests.wire.wiring import Wire, close, ping, pong, text

# -- pings --------------------------------------------------------------------------------------------------


def test_pings_and_pongs_pass_as_they_are():
    with Wire(EMAILS) as wire:
        wire.client.sends(ping(), ping(b"\x00\xffdata"), pong(b"unasked"))
        wire.upstream.gets(ping(), ping(b"\x00\xffdata"), pong(b"unasked"))


def test_a_ping_with_a_found_value_is_covered_and_its_pong_restored():
    with Wire(EMAILS) as wire:
        wire.client.sends(ping(b"from a@b.c"))
        wire.upstream.gets(ping(b"*" * 10))
        wire.upstream.sends(pong(b"*" * 10), pong(b"*" * 10))
        wire.client.gets(pong(b"from a@b.c"), pong(b"*" * 10))


def test_a_pong_with_a_found_value_is_covered():
    with Wire(EMAILS) as wire:
        wire.client.sends(pong(b"a@b.c"))
        wire.upstream.gets(pong(b"*****"))


def test_a_pong_is_never_restored_for_the_side_the_ping_was_covered_for():
    with Wire(EMAILS) as wire:
        wire.upstream.sends(ping(b"a@b.c"))
        wire.client.sends(ping(b"x@y.z"))
        wire.client.gets(ping(b"*****"))
        wire.upstream.gets(ping(b"*****"))
        wire.upstream.sends(pong(b"*****"))
        wire.client.gets(pong(b"x@y.z"))
        wire.client.sends(pong(b"*****"))
        wire.upstream.gets(pong(b"a@b.c"))


def test_only_so_many_covered_pings_are_remembered():
    with Wire(EMAILS) as wire:
        wire.client.sends(*[ping(b"a@b." + b"c" * n) for n in range(1, 101)])
        assert len(wire.upstream.frames()) == 100
        assert len(wire.relay.controls.pings) == PINGS_KEPT
        wire.upstream.sends(pong(b"*" * 5), pong(b"*" * 104))
        wire.client.gets(pong(b"*" * 5), pong(b"a@b." + b"c" * 100))


class Remote:
    """A vault on another machine, for values and for tokens."""

    slow = True

    def __init__(self) -> None:
        self.asked = 0

    def rewrite(self, *_: object) -> str:
        self.asked += 1
        return "[EMAIL_ADDRESS_1]"

    def awaits(self, payload: bytes, session: Session) -> bool:
        return True

    def find(self, leaf: Leaf, session: Session) -> list[Restored]:
        self.asked += 1
        return []


def test_the_loop_never_asks_another_machine_about_pings_and_close_reasons():
    remote = Remote()
    with Wire(replace(EMAILS, rewrite=remote.rewrite, slow=True)) as wire:
        policy = replace(wire.live.policy, restores=(remote, remote))
        wire.live.swap(policy, Table())
        wire.client.sends(ping(b"from a@b.c"), text("mail a@b.c"))
        wire.upstream.gets(ping(b"*" * 10))
        assert remote.asked == 0  # the message waits for a worker
        wire.verdicts()
        wire.upstream.gets(text("mail [EMAIL_ADDRESS_1]"))
        assert remote.asked > 0
        remote.asked = 0
        wire.client.sends(close(1000, "a@b.c left"))
        wire.upstream.gets(close(1000, "<EMAIL_ADDRESS> left"))
        wire.upstream.sends(close(1000, "[EMAIL_ADDRESS_1] left"))
        wire.client.gets(close(1000, "[EMAIL_ADDRESS_1] left"))
        assert remote.asked == 0


# -- the reason of a CLOSE ----------------------------------------------------------------------------------


def test_the_reason_of_a_close_is_looked_at():
    with Wire(EMAILS) as wire:
        wire.client.sends(close(4000, "not for bob@example.com"))
        wire.upstream.gets(close(4000, "not for <EMAIL_ADDRESS>"))
        assert wire.notes[0].verdict == "rewritten"


@pytest.mark.parametrize(("letter", "fits"), [("x", 123), ("é", 122), ("€", 123), ("😀", 120)])
def test_a_reason_that_grows_is_cut_between_characters(letter, fits):
    size = len(letter.encode())
    grow = rule("grow", "EMAIL_ADDRESS", params={"with": letter * 200})
    with Wire(grow) as wire:
        wire.client.sends(close(4000, "a@b.c"))
        wire.upstream.gets(close(4000, letter * (fits // size)))


@pytest.mark.parametrize(
    ("payload", "cause", "code"), [(b"\x03", Cause.PROTOCOL, 1002), (b"\x03\xe8\xff", Cause.BAD_UTF8, 1007)]
)
def test_a_close_that_makes_no_sense_is_refused(payload, cause, code):
    with Wire() as wire:
        wire.client.sends(close()._replace(payload=payload))
        wire.client.gets_closed(cause, code)
        wire.upstream.gets_closed(cause, 1001)
