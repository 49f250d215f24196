"""Nothing that was noted leaves before the log has it, whatever else happens to the connection meanwhile.

In the hand of the test, in every order of events; with the real log and real sockets it is in test_audited.py.
"""

from __future__ import annotations

import math
import random

import pytest

from proxy.core.action import Cause
from proxy.core.message import Side
from tests.playbook import EMAILS, PEOPLE, Broken, rule
from tests.wire import frames
from tests.wire.journals import Held
from tests.wire.traffic import heard, judged, redacted, stream
from tests.wire.wiring import End, Said, Wire, binary, close, cont, ping, pong, text

LARGE = "a message over the limit of the loop, Bob"
HIDDEN = LARGE.replace("Bob", "<PERSON>")
SMALL = {"inline_bytes": 8}
GARBAGE = b"\xff\xff\xff\xff"
MAIL, STARS = text("a@b.c"), text("<EMAIL_ADDRESS>")


def test_a_noted_message_leaves_when_the_log_has_it_and_all_that_came_behind_it_follows_in_order():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(text("one"), MAIL, text("two"), ping(b"p"))
        wire.client.sends(text("three"))
        wire.upstream.gets()
        journal.take()
        wire.upstream.gets(text("one"), STARS, text("two"), ping(b"p"), text("three"))
        assert journal.waiting == []


def test_what_has_no_note_waits_for_nothing():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(MAIL)
        wire.upstream.sends(text("the other direction"), binary(b"goes on"))
        wire.client.gets(text("the other direction"), binary(b"goes on"))
        journal.take()
        wire.upstream.gets(STARS)
        wire.client.sends(text("clean"), ping())
        wire.upstream.gets(text("clean"), ping())
        assert journal.commits == 1


def test_a_journal_that_asks_nobody_to_wait_lets_everything_go_at_once():
    journal = Held(waits=False)
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(MAIL, close(1000))
        wire.upstream.gets(STARS, close(1000))
        assert (journal.waiting, journal.commits, journal.numbers) == ([], 0, [1])


def test_a_note_says_what_came_what_leaves_and_which_message_of_its_direction_it_is():
    journal = Held()
    with Wire(EMAILS, rule("gone", "PERSON", operator="drop"), journal=journal) as wire:
        wire.client.sends(text("one"), text("two a@b.c"), text("Bob"), text("four "), text("five a@b.c"))
        wire.upstream.sends(text("a@b.c"), text("fra", fin=False), cont("g a@b.c"))
        journal.take()
        assert [(told.number, told.size, told.sent) for told in journal.taken] == [
            (2, 9, b"two <EMAIL_ADDRESS>"),
            (3, 3, None),
            (5, 10, b"five <EMAIL_ADDRESS>"),
            (1, 5, b"<EMAIL_ADDRESS>"),
            (2, 10, b"frag <EMAIL_ADDRESS>"),
        ]
        assert all(0 < told.took < 1 for told in journal.taken)
        assert wire.relay.legs[Side.CLIENT].messages == 4
        for end in wire.ends:
            end.took()


def test_a_dropped_message_holds_nothing_up():
    journal = Held()
    with Wire(rule("gone", "EMAIL_ADDRESS", operator="drop"), journal=journal) as wire:
        wire.client.sends(MAIL, text("next"))
        wire.upstream.gets(text("next"))
        assert journal.numbers == [1]


def test_half_a_frame_waits_with_the_rest():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        first, second = wire.client.spell(MAIL), wire.client.spell(text("x" * 300))
        for cut in range(len(second)):
            wire.client.sends(first + second[:cut])
            journal.take()
            wire.upstream.gets(STARS)
            wire.client.sends(second[cut:])
            wire.upstream.gets(text("x" * 300))


def test_half_a_frame_that_is_completed_while_the_log_is_waited_for():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        spelt = wire.client.spell(MAIL) + wire.client.spell(text("x" * 300))
        for cut in range(1, len(spelt)):
            wire.client.sends(spelt[:cut])
            wire.client.sends(spelt[cut:])
            journal.take()
            wire.upstream.gets(STARS, text("x" * 300))


def test_too_much_behind_a_message_that_waits_for_the_log_stops_the_reading():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(MAIL)
        for _ in range(40):
            wire.client.sends(text("x" * 8000))
        assert wire.client.pauses == 1
        assert wire.relay.legs[Side.CLIENT].have < 300_000
        journal.take()
        wire.loop.turn()
        assert (wire.client.pauses, wire.client.resumes) == (1, 1)
        assert len(wire.upstream.frames()) == 41


# -- the reasons to hold a leg, together ----------------------------------------------------------------------


@pytest.mark.parametrize("first", ["log", "verdict"])
def test_the_log_and_a_verdict_may_come_in_any_order(first):
    journal = Held()
    with Wire(PEOPLE, EMAILS, journal=journal, **SMALL) as wire:
        wire.client.sends(MAIL, text(LARGE), text("last"))
        if first == "log":
            journal.take()
            wire.upstream.gets(STARS)
            wire.verdict()
            wire.upstream.gets()
        else:
            wire.verdict()
            wire.upstream.gets()
            journal.take()
            wire.upstream.gets()  # the verdict was noted behind what the log had been asked for
            journal.take()
            wire.upstream.gets(STARS, text(HIDDEN), text("last"))
            return
        journal.take()
        wire.upstream.gets(text(HIDDEN), text("last"))


@pytest.mark.parametrize("first", ["log", "turn"])
def test_the_log_and_the_turn_of_others_may_come_in_any_order(first):
    journal = Held()
    with Wire(EMAILS, journal=journal, turn=0.0) as wire:
        wire.client.sends(b"".join(map(wire.client.spell, [MAIL, text("x"), MAIL, close(1000)])))
        if first == "turn":
            wire.loop.turn()
            wire.upstream.gets()
        for _ in range(6):
            if journal.waiting:
                journal.take()
            wire.loop.turn()
        wire.upstream.gets(STARS, text("x"), STARS, close(1000))


@pytest.mark.parametrize("rate", [1, 3, 1000])
def test_a_leg_with_a_limit_waits_for_the_log_as_well(rate):
    journal = Held()
    with Wire(EMAILS, journal=journal, max_rate=rate) as wire:
        wire.client.sends(*[MAIL, text("x")] * 6, close(1000))
        for _ in range(40):
            if journal.waiting:
                journal.take()
            wire.wait(1)
        wire.upstream.gets(*[STARS, text("x")] * 6, close(1000))


# -- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["CLOSE", "FIN"])
@pytest.mark.parametrize("half_close", [True, False], ids=["tcp", "tls"])
def test_an_orderly_end_waits_behind_what_the_log_does_not_have_yet(end, half_close):
    journal = Held()
    with Wire(EMAILS, journal=journal, half_close=half_close) as wire:
        wire.client.sends(MAIL, *([close(1000)] if end == "CLOSE" else []))
        if end == "FIN":
            wire.client.fins()
            wire.loop.turn()
        wire.upstream.gets()
        assert wire.upstream.saw is None
        journal.take()
        wire.upstream.gets(STARS, *([close(1000)] if end == "CLOSE" else []))
        assert wire.upstream.saw == (None if end == "CLOSE" else "FIN")
        assert journal.commits == 1, "an orderly end makes nobody write at once"


def test_a_close_is_read_though_nobody_is_left_for_what_was_noted_before_it():
    journal = Held()
    with Wire(PEOPLE, EMAILS, journal=journal, half_close=False, **SMALL) as wire:
        wire.upstream.sends(MAIL, text(LARGE))
        wire.client.sends(text(LARGE))
        wire.client.fins()  # behind TLS it is gone with that
        wire.loop.turn()
        wire.verdict()  # on what upstream said: noted, and for nobody
        journal.take()
        wire.upstream.sends(close(1000))
        assert wire.relay.codes == [None, 1000]
        wire.verdict()
        journal.take()
        wire.upstream.gets(text(HIDDEN))


def test_what_is_noted_of_the_reason_of_a_close_is_written_at_once():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(close(4000, "not for a@b.c"))
        wire.upstream.gets(close(4000, "not for <EMAIL_ADDRESS>"))
        assert (journal.commits, journal.numbers) == (1, [0])


def test_a_close_whose_reason_cannot_be_noted_is_refused():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        journal.broken = OSError(28, "No space left on device")
        wire.client.sends(close(4000, "not for a@b.c"))
        for end in wire.ends:
            end.gets_closed(Cause.AUDIT, 1013)


def test_a_ping_with_a_finding_waits_for_the_log():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(ping(b"a@b.c"), text("x", fin=False), ping(b"x@y.z"))
        wire.upstream.gets()
        journal.take()
        wire.upstream.gets(ping(b"*****"), ping(b"*****"))
        wire.upstream.sends(pong(b"*****"))
        wire.client.gets(pong(b"a@b.c"))


@pytest.mark.parametrize("waiting", [False, True], ids=["in-one-read", "waiting"])
def test_what_was_good_before_a_refused_message_is_written_at_once_and_still_arrives(waiting):
    journal = Held()
    with Wire(EMAILS, detector=Broken(ValueError(), "boom"), journal=journal) as wire:
        if waiting:
            wire.upstream.sends(MAIL)
        wire.client.sends(text("one"), MAIL, text("boom"), text("three"))
        said = wire.upstream.frames()
        assert said == [text("one"), STARS, close(1011, "message could not be inspected")]
        if waiting:
            wire.client.gets(STARS, close(1011, "message could not be inspected"))
        else:
            wire.client.gets_closed(Cause.PIPELINE, 1011)
        assert journal.pending == []
        assert journal.events[-1] == ("refused", "pipeline", 0)


def test_what_was_good_before_a_refused_message_is_lost_if_it_cannot_be_written():
    journal = Held()
    with Wire(EMAILS, detector=Broken(ValueError(), "boom"), journal=journal) as wire:
        journal.broken = OSError(28, "No space left on device")
        wire.client.sends(text("one"), MAIL, MAIL, text("boom"))
        for end in wire.ends:
            end.gets_closed(Cause.PIPELINE, 1011)
        assert journal.events[-1] == ("refused", "pipeline", 2)
        assert wire.exchange.snapshot()["messages"] == [0, 0]


@pytest.mark.parametrize("cause", [Cause.SHUTDOWN, Cause.IDLE])
def test_who_waits_for_the_log_when_the_proxy_ends_the_connection_gets_it_before_the_close(cause):
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(MAIL)
        wire.upstream.sends(text("x"), MAIL)
        wire.relay.end(cause)
        assert wire.upstream.frames()[0] == STARS
        assert wire.client.frames()[:2] == [text("x"), STARS]
        assert journal.events[-1] == ("refused", cause.value, 0)
        journal.take()  # too late: it has left
        wire.upstream.gets()


def test_what_the_other_side_says_to_that_is_read_from_behind_what_waited():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(MAIL, close(1000))
        wire.relay.end(Cause.SHUTDOWN)
        assert [said.opcode for said in wire.upstream.frames()] == [1, 8]
        wire.client.gets_closed(Cause.SHUTDOWN, 1012)
        assert wire.client.saw == "FIN", "its CLOSE was found"


def test_a_log_that_cannot_take_it_in_time_closes_both_sides_with_1013_and_nothing_of_it_leaves():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(text("one"), MAIL, text("two"))
        wire.client.sends(text("three"))
        wire.upstream.sends(MAIL, MAIL)
        journal.give_up()
        for end in wire.ends:
            assert end.frames() == [close(1013, "audit log unavailable")]
        assert [event for event in journal.events if event[0] == "refused"] == [("refused", "audit", 3)]
        assert wire.causes == [Cause.AUDIT]
        assert wire.exchange.snapshot()["messages"] == [0, 0]
        wire.client.sends(text("four"))
        wire.upstream.gets()


def test_messages_that_left_before_are_counted_also_if_later_ones_are_lost():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(text("one"), text("two"))
        wire.client.sends(MAIL)
        journal.take()
        wire.client.sends(text("four"), ping(), MAIL)
        journal.give_up()
        assert wire.exchange.snapshot()["messages"] == [3, 0]
        for end in wire.ends:
            end.took()


@pytest.mark.parametrize("where", ["inline", "worker"])
def test_a_journal_that_raises_closes_both_sides_and_the_message_stays_here(where):
    journal = Held()
    with Wire(EMAILS, journal=journal, inline_bytes=1 if where == "worker" else 1 << 24) as wire:
        journal.stuck = OSError(28, "No space left on device: a@b.c")
        wire.client.sends(MAIL, text("behind"))
        wire.verdicts()
        for end in wire.ends:
            end.gets_closed(Cause.AUDIT, 1013)


def test_a_journal_that_raises_is_not_leaked_past_by_on_error_pass():
    journal = Held()
    with Wire(EMAILS, detector=Broken(ValueError()), journal=journal, on_error="pass") as wire:
        wire.client.sends(MAIL)
        wire.upstream.gets()
        journal.take()
        wire.upstream.gets(MAIL)
        assert [(told.note.verdict, told.sent) for told in journal.taken] == [("leaked", b"a@b.c")]
        journal.stuck = OSError(28, "No space left on device")
        wire.client.sends(MAIL)
        for end in wire.ends:
            end.gets_closed(Cause.AUDIT, 1013)


@pytest.mark.parametrize("who", Side)
def test_a_reset_while_the_log_is_waited_for(who):
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(MAIL)
        wire.ends[who].resets()
        journal.take()
        assert wire.ended()
        assert wire.ends[who.other].saw == "RST"


# -- levels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [(), (EMAILS,)], ids=["unwatched", "watched"])
@pytest.mark.parametrize("passing", ["scan", "pass"])
def test_where_every_message_is_noted_each_has_one_note_with_its_number(rules, passing):
    journal = Held(every=True)
    with Wire(*rules, journal=journal, binary=passing) as wire:
        said = [text("one"), MAIL, binary(b"three"), text("fo", fin=False), cont("ur"), ping(b"p"), text("")]
        wire.client.sends(*said)
        wire.upstream.gets()
        journal.take()
        wire.upstream.gets(text("one"), STARS if rules else MAIL, *said[2:])
        assert journal.numbers == [1, 2, 3, 4, 5]
        looked = "clean" if rules else "unseen"
        unseen = "unseen" if passing == "pass" else looked
        second = "rewritten" if rules else "unseen"
        assert [told.note.verdict for told in journal.taken] == [looked, second, unseen, looked, looked]
        assert [told.sent for told in journal.taken][2:] == [b"three", b"four", b""]
        assert len(wire.notes) == len(rules), "clean ones are nothing to count"


def test_where_every_message_is_noted_a_large_clean_one_waits_for_the_log_as_well():
    journal = Held(every=True)
    with Wire(EMAILS, journal=journal, **SMALL) as wire:
        wire.client.sends(text(LARGE), text("x"))
        wire.verdict()
        wire.upstream.gets()
        journal.take()
        wire.upstream.gets(text(LARGE), text("x"))
        assert journal.numbers == [1, 2]


# -- connections -------------------------------------------------------------------------------------------------


def test_the_beginning_and_the_end_of_a_connection_are_told():
    journal = Held()
    with Wire(EMAILS, journal=journal) as wire:
        wire.client.sends(text("one"), close(4001, "bye"))
        wire.upstream.sends(text("x" * 10), close())
        for end in wire.ends:
            end.fins()
            end.took()
        assert wire.ended()
        opened, (_, ending) = journal.events
        assert opened == ("opened", 1, "default", "", "somebody", "")
        assert (ending.first, ending.codes, ending.reasons) == ("client 4001", (4001, 1005), (3, 0))
        assert (ending.messages, ending.seconds >= 0) == ((1, 1), True)
        assert ending.bytes == (wire.relay.legs[0].bytes, wire.relay.legs[1].bytes)


# -- all of it at once -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [False, True], ids=["findings", "messages"])
@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("side", Side)
def test_a_random_stream_leaves_whole_in_order_and_never_before_the_log_has_it(side, seed, every):
    rng = random.Random(f"{side} {seed} {every}")
    journal = Held(every=every)
    inline, turn = rng.choice([100, 1 << 24]), rng.choice([0.0, math.inf])
    with Wire(EMAILS, PEOPLE, journal=journal, inline_bytes=inline, turn=turn) as wire:
        sender, receiver = wire.ends[side], wire.ends[side.other]
        said = [*stream(rng, 6, personal=True), close(1000)]
        data = b"".join(map(sender.spell, said))
        cut = rng.choice((7, 50, 1000, 65536) if len(data) < 50_000 else (4096, 65536))
        for start in range(0, len(data), cut):
            sender.sends(data[start : start + cut])
            if rng.random() < 0.4:
                wire.loop.turn()
            if wire.bench.jobs and rng.random() < 0.4:
                wire.verdict()
            if journal.waiting and rng.random() < 0.4:
                journal.take()
            noted = {told.sent for told in journal.pending if told.sent is not None}
            left = [said.payload for said in heard(frames_in(receiver)) if said.opcode in (1, 2)]
            taken = [told.sent for told in journal.taken]
            assert not [one for one in left if one in noted and one not in taken], "it left before the log had it"
        for _ in range(40):
            wire.loop.turn()
            wire.verdicts()
            if journal.waiting:
                journal.take()
        wanted = [redacted(event) for event in heard(said)]
        assert judged(receiver.took(), side.other) == wanted
        messages = [one for one in wanted if one.opcode in (1, 2)]
        assert wire.relay.legs[side].messages == len(messages)
        if every:
            assert [n for n in journal.numbers if n] == list(range(1, len(messages) + 1))


def frames_in(end: End) -> list[Said]:
    """What has come so far, whole frames of it; it stays there."""
    data, got = bytes(end.inbox), []
    while data and (parsed := frames.parse(data)) is not None:
        frame, size = parsed
        got.append(Said(frame.opcode, frame.payload, frame.fin, frame.rsv))
        data = data[size:]
    return got
