"""One direction: what becomes of a message, told as a conversation; and what never may."""

from __future__ import annotations

import json
import re
import weakref
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codecs import TEXT, choose
from proxy.core.action import CLOSES, Cause, CloseSide, Note, Refusal, Send
from proxy.core.finding import Finding
from proxy.core.lane import Lane, refusal_of
from proxy.core.live import Live
from proxy.core.message import Close, Direction, Edit, Kind, Leaf, Side
from proxy.core.plugs import Restored
from proxy.core.policy import Rule
from proxy.core.session import Session
from tests.playbook import (
    DOWN,
    EMAILS,
    PEOPLE,
    PHONES,
    SESSION,
    UP,
    Broken,
    Given,
    Script,
    Table,
    lane,
    policy,
    rule,
)


def found(start: int, end: int, entity: str = "PERSON", score: float = 1.0) -> Finding:
    return Finding(entity, start, end, score, "test")


# -- settling -----------------------------------------------------------------------------------------------


def test_a_found_value_is_replaced_and_noted_first():
    script = Script(EMAILS).client("mail bob@example.com now")
    script.noted("EMAIL_ADDRESS", rule="emails").upstream_gets("mail <EMAIL_ADDRESS> now").over()


def test_both_directions_have_their_lane():
    script = Script(EMAILS).upstream("from bob@example.com")
    script.noted("EMAIL_ADDRESS").client_gets("from <EMAIL_ADDRESS>").over()


def test_a_rule_for_one_direction_leaves_the_other_alone():
    script = Script(rule("up", "EMAIL_ADDRESS", directions=[UP]))
    script.upstream("bob@example.com").client_gets("bob@example.com")
    script.client("bob@example.com").noted("EMAIL_ADDRESS").upstream_gets("<EMAIL_ADDRESS>").over()


def test_several_values_are_rewritten_each_by_its_own_rule():
    script = Script(EMAILS, PHONES, PEOPLE).client("Bob: bob@example.com, +4930123456")
    script.noted("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER")
    script.upstream_gets("<PERSON>: <EMAIL_ADDRESS>, *********56").over()


def test_every_leaf_of_a_document_is_rewritten_where_it_stands():
    script = Script(EMAILS, PEOPLE).client('{"Bob": ["a@b.c", {"to" : "Alice"}],  "n": 1.50}')
    script.noted("PERSON", "EMAIL_ADDRESS", "PERSON")
    script.upstream_gets('{"<PERSON>": ["<EMAIL_ADDRESS>", {"to" : "<PERSON>"}],  "n": 1.50}').over()


def test_a_binary_message_stays_binary():
    Script(EMAILS).client(b"bob@example.com").noted("EMAIL_ADDRESS").upstream_gets(b"<EMAIL_ADDRESS>").over()


def test_what_no_rule_is_about_is_neither_changed_nor_noted():
    Script(EMAILS).client("Alice +4930123456").upstream_gets("Alice +4930123456").over()


def test_a_finding_below_the_threshold_is_left_alone_even_if_the_detector_names_it():
    Script(rule("badges", "BADGE")).client("badge B-07").upstream_gets("badge B-07").over()


def test_a_finding_at_the_threshold_counts():
    script = Script(PEOPLE, detector=Given([found(0, 3, score=0.5)])).client("Bob")
    script.noted("PERSON").upstream_gets("<PERSON>").over()


def test_a_reload_holds_from_the_next_message_on():
    script = Script(EMAILS).client("a@b.c Bob").noted("EMAIL_ADDRESS").upstream_gets("<EMAIL_ADDRESS> Bob")
    script.reload(PEOPLE).client("a@b.c Bob").noted("PERSON").upstream_gets("a@b.c <PERSON>").over()


def test_rules_that_are_no_longer_in_force_are_gone_at_once():
    """A detector may hold a hundred megabytes, and the next full collection is far away."""
    gone = Table()
    live = Live(policy(EMAILS), gone, choose)
    trace = weakref.ref(gone)
    live.swap(policy(PEOPLE), Table())
    del gone
    assert trace() is None


def test_a_message_that_was_offered_keeps_its_policy_through_a_reload():
    live = Live(policy(EMAILS), Table(), lambda kind, payload: TEXT)
    one = live.lanes[UP]
    batch = one.offer(Kind.TEXT, b"bob@example.com", SESSION)
    live.swap(policy(digest="d2"), Broken(AssertionError("looked")))
    note, send = one.settle(batch, one.detector.find(batch.leaves, one.wanted, 0.5))
    assert (note.digest, send.payload) == ("d1", b"<EMAIL_ADDRESS>")


def test_nobody_looks_when_no_rule_would_change_anything():
    detector = Broken(AssertionError("looked"))
    for rules in ((), (rule("keep", operator="keep"),), (rule("down", directions=[DOWN]),)):
        Script(*rules, detector=detector).client("bob@example.com").upstream_gets("bob@example.com").over()


@pytest.mark.parametrize("kind", Kind)
def test_a_clean_message_is_the_very_object_that_came_in(kind):
    payload = b"nothing to see, \xc3\xa9"
    [send] = lane(EMAILS, choose=lambda *_: TEXT).work(kind, payload, SESSION)
    assert send == Send(kind, payload)
    assert send.payload is payload


# -- keep ---------------------------------------------------------------------------------------------------


def test_what_a_rule_keeps_is_noted_as_kept():
    script = Script(rule("ours", "PERSON", operator="keep"), EMAILS)
    script.client("Bob was here").noted("PERSON", rule="ours", verdict="kept").upstream_gets("Bob was here").over()


def test_a_kept_finding_does_not_protect_one_that_overlaps_it():
    script = Script(
        rule("ours", "PERSON", operator="keep"),
        EMAILS,
        detector=Given([found(0, 9), found(4, 7, "EMAIL_ADDRESS")]),
    )
    script.client("aaaabbbcc").noted("PERSON", "EMAIL_ADDRESS").upstream_gets("aaaa<EMAIL_ADDRESS>cc").over()


# -- overlaps -----------------------------------------------------------------------------------------------


def test_overlapping_findings_are_rewritten_as_one_span_by_the_strongest():
    findings = [found(2, 6, "PERSON", 0.6), found(4, 9, "EMAIL_ADDRESS", 0.9)]
    script = Script(EMAILS, PEOPLE, detector=Given(findings)).client("0123456789")
    script.noted("PERSON", "EMAIL_ADDRESS").upstream_gets("01<EMAIL_ADDRESS>9").over()


def test_a_mask_that_wins_an_overlap_covers_the_whole_of_it():
    stars = rule("stars", "PHONE_NUMBER", operator="mask")
    findings = [found(2, 5, "PHONE_NUMBER", 0.9), found(3, 8, "PERSON", 0.6)]
    script = Script(stars, PEOPLE, detector=Given(findings)).client("0123456789")
    script.noted("PHONE_NUMBER", "PERSON").upstream_gets("01******89").over()


def test_a_finding_that_is_left_alone_widens_nothing():
    findings = [found(0, 9, "PHONE_NUMBER"), found(3, 5, "PERSON"), found(1, 9, "EMAIL_ADDRESS", 0.2)]
    script = Script(PEOPLE, EMAILS, detector=Given(findings)).client("0123456789")
    script.noted("PERSON").upstream_gets("012<PERSON>56789").over()


def test_the_same_finding_twice_is_rewritten_once():
    script = Script(PEOPLE, detector=Given([found(0, 3), found(0, 3)])).client("Bob!")
    script.noted("PERSON").upstream_gets("<PERSON>!").over()


SPANS = st.tuples(st.integers(0, 19), st.integers(1, 8)).map(lambda at: (at[0], min(at[0] + at[1], 20)))
FINDINGS = st.builds(
    lambda span, entity, score: Finding(entity, *span, score, "test"),
    SPANS,
    st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "BADGE"]),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
)


@given(st.lists(FINDINGS, max_size=8))
def test_no_part_of_any_finding_that_acts_remains_and_nothing_else_goes(findings):
    """BADGE is kept, PHONE_NUMBER has no rule, 0.3 is below the threshold: those do not act."""
    text = "abcdefghijklmnopqrst"
    badges = rule("k", "BADGE", operator="keep")
    one = lane(EMAILS, PEOPLE, badges, detector=Given(findings), choose=lambda *_: TEXT)
    *notes, send = one.work(Kind.TEXT, text.encode(), SESSION)
    acting = [one for one in set(findings) if one.entity in ("PERSON", "EMAIL_ADDRESS") and one.score >= 0.5]
    covered = {at for one in acting for at in range(one.start, one.end)}
    left = send.payload.decode().replace("<PERSON>", "").replace("<EMAIL_ADDRESS>", "")
    assert left == "".join(letter for at, letter in enumerate(text) if at not in covered)
    kept = [one for one in set(findings) if one.entity == "BADGE" and one.score >= 0.5]
    assert sum(len(note.findings) for note in notes) == len(acting) + len(kept)


# -- drop ---------------------------------------------------------------------------------------------------

NUMBERS_DROP = rule("no-numbers", "PHONE_NUMBER", operator="drop")


def test_a_rule_that_drops_sends_nothing_and_closes_nothing():
    script = Script(NUMBERS_DROP, EMAILS).client("a@b.c +4930123456")
    script.noted("EMAIL_ADDRESS", "PHONE_NUMBER", verdict="dropped").dropped()
    script.client("hello").upstream_gets("hello").over()


def test_a_rule_that_closes_counts_more_than_one_that_drops():
    script = Script(NUMBERS_DROP, rule("door", "PERSON", operator="close"))
    script.client("Bob +4930123456").refused(Cause.POLICY, "PERSON close", "PHONE_NUMBER drop")
    script.closed(client=1008, upstream=1008).over()


# -- shadow and exceptions ----------------------------------------------------------------------------------


def test_a_rule_in_shadow_mode_is_noted_and_changes_nothing():
    script = Script(rule("try", "EMAIL_ADDRESS", shadow=True)).client("to a@b.c")
    script.noted("EMAIL_ADDRESS", rule="try", verdict="kept", mode="shadow").upstream_gets("to a@b.c").over()


@pytest.mark.parametrize("operator", ["close", "drop", "keep", "replace"])
def test_a_rule_in_shadow_mode_does_not_stand_in_the_way_of_another(operator):
    script = Script(rule("try", "EMAIL_ADDRESS", operator=operator, shadow=True), EMAILS).client("to a@b.c")
    note = script.actions[0]
    assert [(done.rule, done.mode) for done in note.findings] == [("try", "shadow"), ("emails", "enforce")]
    script.noted("EMAIL_ADDRESS", "EMAIL_ADDRESS").upstream_gets("to <EMAIL_ADDRESS>").over()


def test_a_rule_in_shadow_mode_behind_one_in_force_would_not_have_won():
    script = Script(EMAILS, rule("try", "EMAIL_ADDRESS", shadow=True)).client("to a@b.c")
    script.noted("EMAIL_ADDRESS", rule="emails").upstream_gets("to <EMAIL_ADDRESS>").over()


def test_what_an_exception_spares_passes_and_is_noted_as_such():
    spared = rule("emails", "EMAIL_ADDRESS", spares=lambda text, _: text.endswith("@b.c"))
    script = Script(spared, rule("rest", operator="close")).client("a@b.c or bob@example.com")
    script.noted("EMAIL_ADDRESS", "EMAIL_ADDRESS", rule="emails").upstream_gets("a@b.c or <EMAIL_ADDRESS>").over()
    script.client("a@b.c").noted("EMAIL_ADDRESS", verdict="kept", mode="exempt").upstream_gets("a@b.c").over()


def test_a_path_that_the_rules_ignore_is_not_looked_at():
    ignoring = replace(policy(EMAILS), ignores=lambda path: path == "$.id")
    one = Lane(UP, ignoring, Table(), choose)
    (_, sent) = one.work(Kind.TEXT, b'{"id": "a@b.c", "to": "a@b.c"}', SESSION)
    assert sent.payload == b'{"id": "a@b.c", "to": "<EMAIL_ADDRESS>"}'


# -- restoring ----------------------------------------------------------------------------------------------


class Vault:
    """Restores `[1]`, and in a number 111111, to what it was given."""

    slow = False

    def __init__(self, value: str, number: str = "4111111111111111") -> None:
        self.value = value
        self.number = number

    def awaits(self, payload: bytes, session: Session) -> bool:
        return b"1" in payload

    def find(self, leaf: Leaf, session: Session) -> list[Restored]:
        if leaf.number:
            return [Restored(0, 6, self.number, "CARD", "r")] if leaf.text == "111111" else []
        return [Restored(*match.span(), self.value, "CARD", "r") for match in re.finditer(r"\[1\]", leaf.text)]


def restoring(*rules: Rule, value: str = "a@b.c") -> Lane:
    return Lane(DOWN, replace(policy(*rules), restores=(None, Vault(value))), Table(), choose)


def test_a_token_becomes_its_value_again_which_no_rule_looks_at_any_more():
    note, sent = restoring(EMAILS).work(Kind.TEXT, b"sent to [1], not to bob@example.com", SESSION)
    assert [(done.operator, done.rule) for done in note.findings] == [("restore", "r"), ("replace", "emails")]
    assert sent.payload == b"sent to a@b.c, not to <EMAIL_ADDRESS>"


def test_tokens_are_restored_where_nobody_has_to_look():
    one = restoring(value='say "hi"')
    assert (one.watches, one.wanted) == (True, frozenset())
    _, sent = one.work(Kind.TEXT, b'{"to": "[1]", "card": 111111}', SESSION)
    assert sent.payload == b'{"to": "say \\"hi\\"", "card": 4111111111111111}'
    assert not one.clear(Kind.TEXT, b"[1]", SESSION)


def test_a_token_inside_of_a_found_value_is_not_ours():
    found_around = Given([Finding("EMAIL_ADDRESS", 0, 8, 1.0, "test")])
    one = Lane(DOWN, replace(policy(EMAILS), restores=(None, Vault("x"))), found_around, lambda *_: TEXT)
    _, sent = one.work(Kind.TEXT, b"[1]@b.co", SESSION)
    assert sent.payload == b"<EMAIL_ADDRESS>"


@pytest.mark.parametrize("place", [(0, 3), (1, 2), (0, 1), (2, 3)])
def test_what_is_found_within_a_token_of_ours_is_no_value(place):
    inside = Given([Finding("EMAIL_ADDRESS", *place, 1.0, "test")])
    for action in (EMAILS, rule("door", operator="close")):
        one = Lane(DOWN, replace(policy(action), restores=(None, Vault("x"))), inside, lambda *_: TEXT)
        note, sent = one.work(Kind.TEXT, b"[1], yes", SESSION)
        assert [done.operator for done in note.findings] == ["restore"]
        assert sent.payload == b"x, yes"


def test_what_is_found_beside_a_token_is_dealt_with_as_ever():
    beside = Given([Finding("EMAIL_ADDRESS", 3, 6, 1.0, "test"), Finding("PERSON", 9, 12, 1.0, "test")])
    one = Lane(DOWN, replace(policy(EMAILS, PEOPLE), restores=(None, Vault("x"))), beside, lambda *_: TEXT)
    _, sent = one.work(Kind.TEXT, b"[1]a@b[1]Bob", SESSION)
    assert sent.payload == b"x<EMAIL_ADDRESS>x<PERSON>"


def test_where_lengths_must_stay_a_token_does_too():
    one = restoring(value="longer than the token")
    payload = b"\x01\x02 to [1] and on \x00"
    assert one.work(Kind.BINARY, payload, SESSION) == [Send(Kind.BINARY, payload)]
    assert one.work(Kind.BINARY, b"to [1] and on", SESSION)[-1].payload == b"to longer than the token and on"


# -- close --------------------------------------------------------------------------------------------------


def test_a_rule_that_closes_sends_nothing_and_closes_both():
    script = Script(rule("door", "PHONE_NUMBER", operator="close"), EMAILS)
    script.client("bob@example.com +4930123456").refused(
        Cause.POLICY, "EMAIL_ADDRESS replace", "PHONE_NUMBER close"
    )
    script.closed(client=1008, upstream=1008).over()


@pytest.mark.parametrize("texts", [["+4930123456", "a@b.c"], ["a@b.c", "+4930123456"]])
@pytest.mark.parametrize("prompt", [False, True])
def test_a_refusal_by_a_rule_has_all_findings_of_the_message_and_their_fingerprints(texts, prompt):
    asked = []

    def boom(text: str, *_: object) -> str:
        asked.append(text)
        return "x"

    mails = Rule("mails", frozenset({"EMAIL_ADDRESS"}), frozenset(Direction), "replace", boom)
    rules = policy(rule("door", "PHONE_NUMBER", operator="close"), mails)
    way = Lane(Direction.CLIENT_TO_UPSTREAM, rules, Table(), choose, lambda text, _: text[:4].encode())
    with pytest.raises(Refusal) as refused:
        (way.prompt if prompt else way).work(Kind.TEXT, json.dumps(texts).encode(), SESSION)
    assert {(done.entity, done.operator, done.mark) for done in refused.value.findings} == {
        ("PHONE_NUMBER", "close", b"+493"),
        ("EMAIL_ADDRESS", "replace", b"a@b."),
    }
    assert len(asked) == texts.index("+4930123456")  # nothing is made for a message that is known not to leave
    note, *_ = way.refuse(refused.value)
    assert (note.verdict, note.findings) == ("refused", refused.value.findings)


def test_a_rule_that_closes_may_choose_code_and_reason():
    door = rule("door", operator="close", params={"code": 4001, "reason": "no numbers"})
    with pytest.raises(Refusal) as refused:
        lane(door, choose=lambda *_: TEXT).work(Kind.TEXT, b"+4930123456", SESSION)
    assert refused.value.closes == (Close(4001, "no numbers"),) * 2


def test_a_rule_that_closes_wins_over_a_stronger_finding_that_overlaps():
    findings = [found(0, 9, "EMAIL_ADDRESS", 1.0), found(3, 4, "PHONE_NUMBER", 0.5)]
    door = rule("door", "PHONE_NUMBER", operator="close")
    script = Script(EMAILS, door, detector=Given(findings)).client("0123456789")
    script.refused(Cause.POLICY, "EMAIL_ADDRESS replace", "PHONE_NUMBER close").closed(1008, 1008).over()


# -- the closed door ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", [(-1, 2), (0, 5), (2, 2), (3, 1), (4, 5), (10**9, 10**9 + 1)])
def test_a_finding_outside_the_text_refuses_the_message(span):
    script = Script(PEOPLE, detector=Given([found(0, 3), found(*span)])).client("Bob!")
    script.refused(Cause.PIPELINE).closed(1011, 1011).over()


def test_a_finding_outside_the_text_refuses_even_if_no_rule_is_about_it():
    script = Script(PEOPLE, detector=Given([found(0, 99, "WEATHER")])).client("Bob!")
    script.refused(Cause.PIPELINE).closed(1011, 1011).over()


@pytest.mark.parametrize("findings", [[], [[]], [[], [], []]], ids=["none", "fewer", "more"])
def test_a_detector_that_did_not_look_at_every_leaf_refuses_the_message(findings):
    script = Script(PEOPLE, detector=Given(*findings)).client('["one", "two"]')
    script.refused(Cause.PIPELINE).closed(1011, 1011).over()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("bob@example.com"), Cause.PIPELINE),
        (MemoryError(), Cause.PIPELINE),
        (RecursionError(), Cause.PIPELINE),
        (TimeoutError(), Cause.BUDGET),
        (Refusal(Cause.TOO_BIG), Cause.TOO_BIG),
    ],
    ids=repr,
)
def test_a_detector_that_raises_sends_nothing(error, cause):
    closes = [close.code for close in CLOSES[cause]]
    Script(EMAILS, detector=Broken(error)).client("hello").refused(cause).closed(*closes).over()


def test_text_that_is_not_utf_8_is_refused_without_quoting_it():
    with pytest.raises(Refusal) as refused:
        lane(EMAILS, choose=lambda *_: TEXT).work(Kind.TEXT, b"secret \xff", SESSION)
    assert refused.value.cause is Cause.BAD_UTF8
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


class Faulty:
    """A codec that fails where it is told to."""

    name = "faulty"
    rigid = False

    def __init__(self, where: str) -> None:
        self.where = where

    def read(self, payload: bytes) -> list[Leaf]:
        if self.where == "read":
            raise ValueError("not my format")
        return list(TEXT.read(payload))

    def write(self, payload: bytes, edits: list[Edit]) -> bytes:
        raise ValueError("cannot spell this")


@pytest.mark.parametrize("where", ["read", "write", "choose"])
def test_a_codec_that_raises_sends_nothing(where):
    def choose(kind: Kind, payload: bytes) -> Faulty:
        if where == "choose":
            raise ValueError("no codec")
        return Faulty(where)

    Script(EMAILS, choose=choose).client("a@b.c").refused(Cause.PIPELINE).closed(1011, 1011).over()


def test_an_operator_that_raises_sends_nothing():
    boom = replace(EMAILS, rewrite=lambda *_: 1 / 0)
    Script(boom, PEOPLE).client("Bob a@b.c").refused(Cause.PIPELINE).closed(1011, 1011).over()


@pytest.mark.parametrize("direction", Direction)
def test_the_sender_hears_its_own_close_and_the_peer_another(direction):
    note, to_sender, to_peer = lane(way=direction).refuse(Refusal(Cause.TOO_BIG))
    assert note == Note(direction, None, "refused", Cause.TOO_BIG, "d1", ())
    assert (to_sender.side, to_sender.close.code) == (Side(direction), 1009)
    assert (to_peer.side, to_peer.close.code) == (Side(direction).other, 1001)
    assert isinstance(to_peer, CloseSide)


@pytest.mark.parametrize("error", [OSError(), KeyboardInterrupt(), AssertionError(), StopIteration()], ids=repr)
def test_whatever_goes_wrong_is_a_refusal(error):
    assert refusal_of(error).cause is Cause.PIPELINE


def test_notes_and_refusals_hold_nothing_of_the_message():
    secret = "bob@example.com"
    note, _ = lane(EMAILS, choose=lambda *_: TEXT).work(Kind.TEXT, f"write to {secret}".encode(), SESSION)
    assert secret not in repr(note)
    assert "write to" not in repr(note)


class Gated(Table):
    """A gate that lets everything pass that has no @ in it."""

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        return b"@" not in payload


def test_the_gate_lets_a_text_pass_only_if_it_is_clear() -> None:
    one = lane(EMAILS, detector=Gated())
    assert one.clear(Kind.TEXT, b"hello", SESSION)
    assert not one.clear(Kind.TEXT, b"a@b.c", SESSION)
    assert not one.clear(Kind.BINARY, b"hello", SESSION)  # it may spell text in ways the gate does not know
