"""A connection from the inside: what each side's TCP sends, and what the other side must get for it.

The same over real sockets is in the drills and the fidelity suite; here every order of events can be had.
"""

from __future__ import annotations

import pytest

from proxy.core.action import Cause
from proxy.core.message import Side
from tests.playbook import DOWN, EMAILS, PEOPLE, UP, Broken, Table, policy, rule
from tests.wire.wiring import End, Wire, binary, close, cont, ping, text

LARGE = "a message over the limit of the loop, Bob"
SMALL = {"inline_bytes": 8}
GARBAGE = b"\xff\xff\xff\xff"  # every reserved bit set


# -- messages -----------------------------------------------------------------------------------------------


def test_messages_are_rewritten_in_both_directions():
    with Wire(EMAILS) as wire:
        wire.client.sends(text("mail bob@example.com"))
        wire.upstream.gets(text("mail <EMAIL_ADDRESS>"))
        wire.upstream.sends(text("ask eve@example.com"))
        wire.client.gets(text("ask <EMAIL_ADDRESS>"))


def test_a_message_in_fragments_is_looked_at_whole_and_leaves_in_one_frame_when_changed():
    with Wire(EMAILS) as wire:
        wire.client.sends(text("mail bob@exa", fin=False), cont("mple", fin=False), ping(b"?"))
        wire.upstream.gets(ping(b"?"))
        wire.client.sends(cont(".com now"))
        wire.upstream.gets(text("mail <EMAIL_ADDRESS> now"))


def test_what_came_behind_the_handshake_is_served_first():
    first = End.spell(Wire(EMAILS).client, text("a@b.c"))
    with Wire(EMAILS, early=(first, b"")) as wire:
        wire.upstream.gets(text("<EMAIL_ADDRESS>"))


def test_binary_messages_may_be_denied():
    with Wire(binary="deny") as wire:
        wire.client.sends(text("fine"), binary(b"not fine"))
        said = wire.upstream.frames()
        assert said == [text("fine"), close(1001, "peer sent a binary message")]
        wire.client.gets_closed(Cause.BINARY, 1003)


def test_binary_messages_may_be_passed_unseen():
    with Wire(EMAILS, binary="pass") as wire:
        wire.client.sends(binary(b"a@b.c"), text("a@b.c"))
        wire.upstream.gets(binary(b"a@b.c"), text("<EMAIL_ADDRESS>"))


# -- held messages ------------------------------------------------------------------------------------------


def test_whatever_comes_behind_a_held_message_waits_for_it():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text("before"), text(LARGE), text("after"), ping(b"p"), close(1000))
        wire.upstream.gets(text("before"))
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "<PERSON>")), text("after"), ping(b"p"), close(1000))


def test_a_held_message_does_not_hold_the_other_direction():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text(LARGE))
        wire.upstream.sends(text("Bob"))
        wire.client.gets(text("<PERSON>"))
        wire.upstream.gets()
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "<PERSON>")))


def test_a_clean_held_message_leaves_in_the_bytes_in_which_it_came():
    with Wire(EMAILS, **SMALL) as wire:
        spelt = wire.client.spell(text(LARGE)) + wire.client.spell(text("tail"))
        wire.client.sends(spelt, cut=7)
        wire.verdict()
        assert wire.upstream.took() == spelt


def test_one_held_message_behind_another():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text(LARGE + "1"), text(LARGE + "2"), text("end"))
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "Bob1")))
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "Bob2")), text("end"))


def test_too_much_behind_a_held_message_stops_the_reading_until_the_verdict():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text(LARGE))
        filler = text("x" * 8)
        for _ in range(20_000):
            wire.client.sends(filler)
        assert wire.client.pauses == 1
        assert wire.relay.legs[Side.CLIENT].have < 300_000
        wire.verdicts()
        assert (wire.client.pauses, wire.client.resumes) == (1, 1)
        assert len(wire.upstream.frames()) == 20_001


def test_a_verdict_that_takes_too_long_closes_both_and_sends_nothing():
    with Wire(PEOPLE, inspect_timeout=3, **SMALL) as wire:
        wire.client.sends(text("before"), text(LARGE), text("after"))
        wire.bench.begin()
        wire.wait(2.9)
        wire.upstream.gets(text("before"))
        wire.wait(0.2)
        wire.upstream.gets_closed(Cause.BUDGET, 1011)
        wire.client.gets_closed(Cause.BUDGET, 1011)
        wire.verdict()  # too late: nobody waits for it any more
        assert [(note.verdict, note.cause) for note in wire.notes] == [("refused", Cause.BUDGET)]


def test_a_verdict_in_time_stops_the_clock():
    with Wire(PEOPLE, inspect_timeout=3, **SMALL) as wire:
        wire.client.sends(text(LARGE))
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "<PERSON>")))
        wire.wait(10)
        assert wire.causes == []


def test_a_worker_that_fails_closes_both_and_sends_nothing():
    with Wire(PEOPLE, detector=Broken(ValueError()), **SMALL) as wire:
        wire.client.sends(text(LARGE), text("after"))
        wire.verdict()
        wire.upstream.gets_closed(Cause.PIPELINE, 1011)
        wire.client.gets_closed(Cause.PIPELINE, 1011)


def test_a_fin_behind_a_held_message_waits_for_it():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text(LARGE))
        wire.client.fins()
        assert wire.upstream.saw is None
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "<PERSON>")))
        assert wire.upstream.saw == "FIN"


def test_a_held_message_survives_the_fin_of_the_other_side():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text(LARGE))
        wire.client.fins()
        wire.upstream.fins()
        assert wire.client.saw == "FIN"
        wire.verdict()
        wire.upstream.gets(text(LARGE.replace("Bob", "<PERSON>")))
        assert wire.ended()


def test_the_answer_to_the_proxys_close_may_stand_behind_a_held_message():
    """A CLOSE must be written before the FIN that follows from what is found in the backlog."""
    with Wire(PEOPLE, **SMALL) as wire:
        wire.upstream.sends(text(LARGE), close(1000))
        wire.client.sends(GARBAGE)
        wire.client.gets_closed(Cause.PROTOCOL, 1002)
        wire.upstream.gets_closed(Cause.PROTOCOL, 1001)
        assert (wire.client.saw, wire.upstream.saw) == ("FIN", "FIN")
        assert wire.causes == [Cause.PROTOCOL]


def test_a_fin_behind_a_held_message_does_not_keep_the_proxys_close_away():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.upstream.sends(text(LARGE))
        wire.upstream.fins()
        wire.relay.end(Cause.SHUTDOWN)
        wire.client.gets_closed(Cause.SHUTDOWN, 1012)
        wire.upstream.gets_closed(Cause.SHUTDOWN, 1012)


# -- refusals -----------------------------------------------------------------------------------------------


def test_what_was_good_before_a_refused_message_still_arrives():
    with Wire(EMAILS, detector=Broken(ValueError(), "boom")) as wire:
        wire.client.sends(text("one"), text("a@b.c"), text("boom"), text("three"))
        said = wire.upstream.frames()
        assert said == [text("one"), text("<EMAIL_ADDRESS>"), close(1011, "message could not be inspected")]
        wire.client.gets_closed(Cause.PIPELINE, 1011)


def test_a_ping_inside_an_unfinished_message_arrives_before_the_refusal():
    with Wire(EMAILS) as wire:
        wire.client.sends(text("half", fin=False), ping(b"p"), text("a message inside another"))
        assert wire.upstream.frames() == [ping(b"p"), close(1001, "peer broke the protocol")]
        wire.client.gets_closed(Cause.PROTOCOL, 1002)


def test_nothing_is_forwarded_in_either_direction_after_a_refusal():
    with Wire(EMAILS) as wire:
        wire.client.sends(GARBAGE)
        wire.client.gets_closed(Cause.PROTOCOL, 1002)
        wire.upstream.gets_closed(Cause.PROTOCOL, 1001)
        wire.upstream.sends(text("still talking"), ping(b"?"))
        wire.client.sends(text("me too"))
        wire.upstream.gets()
        wire.client.gets()


def test_the_answer_to_the_proxys_close_is_swallowed_and_the_connection_ends():
    with Wire(EMAILS) as wire:
        wire.relay.end(Cause.IDLE)
        wire.client.gets_closed(Cause.IDLE, 1001)
        wire.upstream.gets_closed(Cause.IDLE, 1001)
        for end in wire.ends:
            end.sends(close(1001))
            assert end.saw == "FIN"
            end.fins()
        assert wire.ended()


def test_who_does_not_answer_the_proxys_close_is_reset_in_the_end():
    with Wire(EMAILS, close_timeout=10) as wire:
        wire.relay.end(Cause.IDLE)
        for end in wire.ends:
            end.gets_closed(Cause.IDLE, 1001)
        wire.wait(9)
        assert not wire.ended()
        wire.wait(3)
        assert wire.ended()
        assert [end.saw for end in wire.ends] == ["RST", "RST"]


def test_a_side_that_was_told_of_a_close_is_not_told_again_and_the_one_that_sent_it_is_answered():
    with Wire(EMAILS) as wire:
        wire.client.sends(close(1000))
        wire.upstream.gets(close(1000))
        wire.upstream.sends(GARBAGE)
        wire.upstream.gets()
        wire.client.gets_closed(Cause.PROTOCOL, 1001)


@pytest.mark.parametrize("half_close", [True, False], ids=["tcp", "tls"])
def test_a_refusal_after_a_fin_was_passed_on_writes_nothing_behind_it(half_close):
    with Wire(EMAILS, half_close=half_close) as wire:
        wire.client.fins()
        assert wire.upstream.saw == "FIN"
        wire.upstream.sends(text("good"), GARBAGE)
        if half_close:
            said = wire.client.frames()
            assert said == [text("good"), close(1001, "peer broke the protocol")]
            assert wire.causes == [Cause.PROTOCOL]
        wire.client.took()
        assert wire.client.gone, "both have said all they will: nothing is left to wait for"


def test_a_shutdown_after_a_fin_was_passed_on_writes_nothing_behind_it():
    with Wire(EMAILS) as wire:
        wire.client.fins()
        wire.relay.end(Cause.SHUTDOWN)
        wire.upstream.gets()
        wire.client.gets_closed(Cause.SHUTDOWN, 1012)


def test_a_shutdown_while_one_side_is_gone_and_the_other_is_not_reading():
    with Wire(EMAILS) as wire:
        wire.upstream.stalls()
        wire.client.sends(text("x" * 100), close(1000))
        wire.upstream.fins()
        wire.client.fins()
        wire.loop.turn()
        wire.relay.end(Cause.SHUTDOWN)
        wire.upstream.reads()
        wire.upstream.gets(text("x" * 100), close(1000))
        assert wire.ended()


def test_where_even_the_note_of_a_refusal_fails_the_connection_is_closed_all_the_same():
    def sink(note: object) -> None:
        raise OSError("disk full")

    with Wire(EMAILS, sink=sink) as wire:
        wire.client.sends(text("clean"), text("a@b.c"))
        assert wire.upstream.frames() == [text("clean"), close(1011, "message could not be inspected")]
        wire.client.gets_closed(Cause.PIPELINE, 1011)


# -- turns --------------------------------------------------------------------------------------------------


TIRED = {"turn": 0.0}  # any look takes longer than a leg may look in one turn of the loop
SAYS = [text("bob@example.com"), ping(b"bob@example.com"), text("more", fin=False), cont("to come"), text("last")]
ARRIVES = [text("<EMAIL_ADDRESS>"), ping(b"*" * 15), *SAYS[2:]]


@pytest.mark.parametrize("end", [close(1000), None], ids=["CLOSE", "FIN"])
def test_much_to_look_at_leaves_others_their_turn_and_arrives_whole_and_in_order(end):
    with Wire(EMAILS, **TIRED) as wire:
        wire.client.sends(b"".join(map(wire.client.spell, [*SAYS, *filter(None, [end])])))
        if end is None:
            wire.client.fins()
        wire.upstream.gets(ARRIVES[0])
        wire.upstream.sends(text("meanwhile"))
        wire.client.gets(text("meanwhile"))
        wire.loop.turn(9)
        wire.upstream.gets(*ARRIVES[1:], *filter(None, [end]))
        assert wire.upstream.saw == (None if end else "FIN")


def test_a_leg_that_waits_for_its_turn_does_not_read_on_without_end():
    with Wire(EMAILS, **TIRED) as wire:
        for _ in range(60):
            wire.client.sends(b"".join(wire.client.spell(text("x" * 1000)) for _ in range(20)))
        leg = wire.relay.legs[Side.CLIENT]
        assert wire.client.paused and leg.have < 300_000
        while leg.held:
            assert wire.client.paused or leg.have < 300_000
            wire.loop.turn()
        assert len(wire.upstream.frames()) == 60 * 20


@pytest.mark.parametrize("by", ["reset", "refusal", "shutdown"])
def test_what_was_not_looked_at_before_the_end_is_not_sent(by):
    with Wire(EMAILS, **TIRED) as wire:
        wire.client.sends(b"".join(map(wire.client.spell, SAYS)))
        wire.upstream.gets(ARRIVES[0])
        if by == "reset":
            wire.client.resets()
        elif by == "refusal":
            wire.upstream.sends(GARBAGE)
        else:
            wire.relay.end(Cause.SHUTDOWN)
        wire.loop.turn(9)
        last = ping() if by == "reset" else close()  # the ping had its turn before the reset
        assert [said.opcode for said in wire.upstream.frames()] == [last.opcode]
        wire.client.took()


# -- closing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [close(), close(1000), close(1001, "bye"), close(4999, "é"), close(999), close(1005)]
)
def test_a_close_is_passed_on_as_it_is_behind_everything_before_it(said):
    with Wire(EMAILS) as wire:
        wire.client.sends(text("a@b.c"), said, text("nobody hears this"))
        wire.upstream.gets(text("<EMAIL_ADDRESS>"), said)
        wire.upstream.sends(text("late"), said)
        wire.client.gets(text("late"), said)


def test_a_close_in_the_middle_of_a_message_takes_the_message_with_it():
    with Wire(EMAILS) as wire:
        wire.client.sends(text("a@b.", fin=False), ping(b"p"), close(1001))
        wire.upstream.gets(ping(b"p"), close(1001))


@pytest.mark.parametrize("rules", [(), (EMAILS,)], ids=["unwatched", "watched"])
def test_messages_are_counted_when_they_were_forwarded(rules):
    with Wire(*rules) as wire:
        wire.client.sends(text("one"), text("two"), close(1000))
        wire.upstream.sends(text("half", fin=False), cont("whole"), GARBAGE)
        assert wire.exchange.snapshot()["messages"] == [2, 1]
        for end in wire.ends:
            end.took()


def test_messages_that_were_refused_or_dropped_are_not_counted():
    with Wire(PEOPLE, detector=Broken(ValueError(), "boom"), **SMALL) as wire:
        wire.upstream.sends(text(LARGE), text("behind"))
        wire.client.sends(text("one"), text("boom"), text("three"))
        assert wire.exchange.snapshot()["messages"] == [1, 0]
        wire.verdict()
        assert wire.exchange.snapshot()["messages"] == [1, 0]
        for end in wire.ends:
            end.took()


def test_fin_without_close_becomes_fin_and_the_other_direction_stays_open():
    with Wire(EMAILS) as wire:
        wire.client.sends(text("bye"))
        wire.client.fins()
        wire.upstream.gets(text("bye"))
        assert (wire.upstream.saw, wire.client.saw) == ("FIN", None)
        wire.upstream.sends(text("a@b.c"))
        wire.client.gets(text("<EMAIL_ADDRESS>"))
        wire.upstream.fins()
        assert wire.ended()
        assert wire.client.saw == "FIN"


def test_half_a_frame_before_a_fin_is_dropped():
    with Wire(EMAILS) as wire:
        wire.client.sends(wire.client.spell(text("never finished"))[:-1])
        wire.client.fins()
        wire.upstream.gets()


@pytest.mark.parametrize("first", Side)
def test_a_reset_becomes_a_reset(first):
    with Wire(EMAILS) as wire:
        wire.ends[first].resets()
        assert wire.ended()
        assert wire.ends[first.other].saw == "RST"


def test_a_reset_after_a_close_does_not_destroy_the_close():
    with Wire(EMAILS) as wire:
        wire.upstream.stalls()
        wire.client.sends(text("last"), close(1000))
        wire.client.resets()
        wire.upstream.reads()
        wire.upstream.gets(text("last"), close(1000))
        assert wire.upstream.saw == "FIN"


def test_a_reset_while_a_message_is_held_drops_it_and_resets_the_other_side():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.sends(text(LARGE), close(1000))
        wire.bench.begin()
        wire.client.resets()
        assert wire.upstream.saw == "RST"
        wire.verdict()
        assert wire.ended()


@pytest.mark.parametrize(
    "end", [lambda wire: wire.client.resets(), lambda wire: wire.wait(6)], ids=["reset", "late"]
)
def test_nobody_looks_at_a_message_whose_verdict_is_not_waited_for_any_more(end):
    with Wire(EMAILS, **SMALL) as wire:
        wire.client.sends(text(LARGE))
        end(wire)
        [(_, future)] = wire.bench.jobs
        assert future.cancelled(), "a worker would spend its time on it while others wait"
        for one in wire.ends:
            one.took()


def test_a_verdict_after_the_other_side_is_gone_is_written_to_nobody():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.client.stalls()
        wire.upstream.sends(text("last"), close(1000))
        wire.client.sends(text(LARGE))
        wire.upstream.resets()
        wire.verdict()
        wire.client.reads()
        wire.client.gets(text("last"), close(1000))
        assert wire.ended()


# -- backpressure -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slow", Side)
def test_a_side_that_does_not_read_stops_the_reading_of_the_other_once(slow):
    with Wire(EMAILS) as wire:
        reader, writer = wire.ends[slow], wire.ends[slow.other]
        reader.stalls()
        for _ in range(40):
            writer.sends(text("x" * 8_000))
        assert (writer.pauses, writer.resumes, reader.pauses) == (1, 0, 0)
        assert len(reader.buffer) < 80_000
        reader.reads()
        wire.loop.turn()
        assert (writer.pauses, writer.resumes) == (1, 1)
        assert len(reader.frames()) == 40


def test_reading_goes_on_only_when_no_reason_against_it_is_left():
    with Wire(PEOPLE, **SMALL) as wire:
        wire.upstream.stalls()
        wire.client.sends(text("x" * 70_000))
        wire.verdict()
        assert wire.client.pauses == 1  # the upstream is full
        wire.client.sends(text(LARGE))
        assert wire.client.unread
        wire.upstream.reads()
        wire.loop.turn()
        wire.verdict()
        assert len(wire.upstream.frames()) == 2
        assert (wire.client.pauses, wire.client.resumes) == (1, 1)


def test_both_reasons_at_once_pause_once_and_resume_once():
    with Wire(PEOPLE, **SMALL) as wire:
        leg = wire.relay.legs[Side.CLIENT]
        leg.block(1)
        leg.block(2)
        leg.unblock(1)
        assert wire.client.paused
        leg.unblock(1)
        leg.unblock(2)
        assert (wire.client.pauses, wire.client.resumes) == (1, 1)


def test_a_refusal_resumes_the_reading_so_that_the_answer_can_be_heard():
    with Wire(EMAILS) as wire:
        wire.upstream.stalls()
        wire.client.sends(text("x" * 70_000))
        assert wire.client.paused
        wire.relay.end(Cause.LIFETIME)
        assert not wire.client.paused
        wire.upstream.reads()
        wire.client.took()
        wire.upstream.took()


# -- timers -------------------------------------------------------------------------------------------------


def test_a_connection_on_which_nothing_happens_is_closed_after_the_idle_time():
    with Wire(EMAILS, idle=60) as wire:
        wire.wait(50)
        wire.client.sends(ping(b"alive"))
        wire.upstream.gets(ping(b"alive"))
        wire.wait(50)
        wire.client.gets()
        wire.wait(15)
        for end in wire.ends:
            end.gets_closed(Cause.IDLE, 1001)


def test_a_connection_is_closed_at_the_end_of_its_lifetime_however_busy():
    with Wire(EMAILS, lifetime=100) as wire:
        for _ in range(11):
            wire.client.sends(text("busy"))
            wire.wait(9.5)
        assert wire.causes == [Cause.LIFETIME]
        for end in wire.ends:
            end.took()


def test_a_side_that_takes_nothing_for_too_long_is_given_up():
    with Wire(EMAILS, write_stall=30) as wire:
        wire.upstream.stalls()
        wire.client.sends(text("x" * 70_000))
        wire.wait(29)
        assert wire.causes == []
        wire.wait(5)
        assert wire.causes == [Cause.STALL]
        assert wire.ended()
        wire.client.took()


def test_a_held_message_let_go_into_a_full_buffer_makes_no_slow_reader_a_dead_one():
    with Wire(PEOPLE, write_stall=30, inline_bytes=200_000) as wire:
        wire.upstream.stalls()
        wire.client.sends(b"".join(map(wire.client.spell, (text("x" * 70_000), text("y" * 300_000)))))
        wire.verdict()
        for _ in range(20):
            wire.wait(10)
            del wire.upstream.buffer[:1000]  # it has taken a little
        assert wire.causes == []
        wire.upstream.resets()
        wire.client.took()


def test_shutting_down_tells_everybody_and_waits_for_the_answers():
    with Wire(EMAILS) as wire:
        shut = wire.loop.create_task(wire.exchange.shut(10))
        wire.loop.turn()
        assert wire.exchange.admit("another") == "draining"
        for end in wire.ends:
            end.gets_closed(Cause.SHUTDOWN, 1012)
            end.sends(close(1012))
            end.fins()
        wire.loop.run_until_complete(shut)
        assert wire.ended()


# -- rules --------------------------------------------------------------------------------------------------


def test_new_rules_hold_for_a_connection_that_is_already_open():
    with Wire() as wire:
        wire.client.sends(text("a@b.c"))
        wire.live.swap(policy(EMAILS), Table())
        wire.client.sends(text("a@b.c"))
        wire.upstream.gets(text("a@b.c"), text("<EMAIL_ADDRESS>"))


@pytest.mark.parametrize("inline", [1 << 24, 4], ids=["inline", "worker"])
def test_a_message_that_a_rule_drops_is_not_sent_and_the_next_one_is(inline):
    with Wire(rule("drop", "EMAIL_ADDRESS", operator="drop"), inline_bytes=inline) as wire:
        wire.client.sends(text("before"), text("to a@b.c"), text("after"), ping(b"a@b.c"), binary(b"a@b.c"))
        wire.verdicts()
        wire.upstream.gets(text("before"), text("after"), ping(b"*****"))
        wire.client.sends(text("frag ", fin=False), cont("a@b.c"), text(""))
        wire.verdicts()
        wire.upstream.gets(text(""))
        assert wire.relay.legs[Side.CLIENT].messages == 3


@pytest.mark.parametrize(("direction", "sender"), [(UP, Side.CLIENT), (DOWN, Side.UPSTREAM)])
def test_a_rule_for_one_direction_does_not_touch_the_other(direction, sender):
    with Wire(rule("one", "EMAIL_ADDRESS", directions=[direction])) as wire:
        for end in wire.ends:
            end.sends(text("a@b.c"))
        wire.ends[sender.other].gets(text("<EMAIL_ADDRESS>"))
        wire.ends[sender].gets(text("a@b.c"))


def test_a_rule_that_closes_uses_its_own_code_on_both_sides():
    with Wire(rule("door", "EMAIL_ADDRESS", operator="close", params={"code": 4003, "reason": "no mail"})) as wire:
        wire.upstream.sends(text("fine"), text("a@b.c"))
        wire.client.gets(text("fine"), close(4003, "no mail"))
        wire.upstream.gets(close(4003, "no mail"))
