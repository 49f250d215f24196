"""The laws of the house, each with random conversations: identity, order, the closed door, cut anywhere.

How codecs and the detector keep them is tested in their rooms; here it is lanes, and whole connections.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.codecs import CODECS, choose
from proxy.core.action import Cause, Note, Send
from proxy.core.message import Edit, Kind, Leaf, Side
from proxy.core.plugs import Codec
from proxy.core.policy import Rule
from tests.playbook import EMAILS, PEOPLE, SESSION, Broken, Table, lane, rule
from tests.wire.frames import BINARY, CONT, PING, PONG, TEXT
from tests.wire.traffic import heard, judged, redacted, sorted_out
from tests.wire.wiring import Said, Wire, binary, close, ping, text

RULES = (EMAILS, PEOPLE, rule("numbers", "PHONE_NUMBER"))

# -- identity -----------------------------------------------------------------------------------------------

# Nothing in here is found, nor makes more or less of what stands beside it.
PLAIN = st.text(st.characters(categories=["Nd", "P", "Sm", "So", "Zs"], exclude_characters='\\"+@_'), max_size=20)
VALUES = st.sampled_from(["bob@example.com", "+4930123456", "Alice"])
SPELLINGS = st.sampled_from(["%s", '["%s"]', '{"a":{ "b" : "%s"},\n"n":1.50}'])


@given(PLAIN | st.binary(max_size=200), st.sampled_from(sorted(CODECS)))
def test_identity_nothing_found_and_the_very_same_object_leaves(content, name):
    kind, payload = (Kind.TEXT, content.encode()) if isinstance(content, str) else (Kind.BINARY, content)
    if kind is Kind.BINARY:
        name = "opaque"
    [send] = lane(EMAILS, choose=lambda *_: CODECS[name]).work(kind, payload, SESSION)
    assert isinstance(send, Send)
    assert send.payload is payload


@given(st.lists(PLAIN, min_size=2, max_size=6), st.lists(VALUES, min_size=5, max_size=5), SPELLINGS)
def test_identity_every_byte_outside_what_was_found_is_unchanged(plain, found, spell):
    between = [f" {piece} " for piece in plain]
    before = "".join(a + b for a, b in zip(between, [*found[: len(plain) - 1], ""], strict=True))
    payload = (spell % before).encode()
    note, send = lane(*RULES).work(Kind.TEXT, payload, SESSION)
    assert isinstance(note, Note)
    assert len(note.findings) == len(plain) - 1
    assert re.split(rb"<(?:EMAIL_ADDRESS|PHONE_NUMBER|PERSON)>", send.payload) == re.split(
        rb"bob@example\.com|\+4930123456|Alice", payload
    )


# -- order --------------------------------------------------------------------------------------------------

SMALL = st.sampled_from(["", "hi", "to a@b.c", "Bob"]).map(text)
LARGE = st.sampled_from(["x" * 30, "a long one to a@b.c, and to Bob", "Alice " * 30]).map(text)
BLOBS = st.binary(max_size=30).map(lambda raw: binary(b"\x00" + raw.translate(bytes(range(32)) * 8)))
CONTROLS = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=6)).map(lambda pair: Said(*pair))


@st.composite
def conversations(draw: st.DrawFn) -> list[Said | None]:
    """Frames of one side; None: the worker has looked at the oldest message it was given."""
    said: list[Said | None] = []
    for one in draw(st.lists(SMALL | LARGE | BLOBS | CONTROLS | st.none(), max_size=12)):
        if one is None or one.opcode >= PING or draw(st.booleans()):
            said.append(one)
            continue
        middle = draw(st.integers(0, len(one.payload)))
        said.append(Said(one.opcode, one.payload[:middle], fin=False))
        said += draw(st.lists(CONTROLS | st.none(), max_size=2))
        said.append(Said(CONT, one.payload[middle:]))
    return said


@given(conversations(), st.sampled_from(Side), st.integers(1, 40))
def test_order_everything_leaves_as_it_came_and_nothing_is_invented_or_dropped(said, side, cut):
    with Wire(*RULES, inline_bytes=20) as wire:
        for one in said:
            if one is not None:
                wire.ends[side].sends(one, cut=cut)
            elif wire.bench.jobs:
                wire.verdict()
        wire.verdicts()
        expected = [redacted(event) for event in heard(one for one in said if one is not None)]
        assert judged(wire.ends[side.other].took(), side.other) == expected
        assert wire.relay.legs[side].messages == sum(event.opcode in (TEXT, BINARY) for event in expected)
        assert not wire.relay.legs[side].held


@given(conversations(), conversations())
def test_order_the_two_directions_do_not_touch_each_other(up, down):
    with Wire(*RULES, inline_bytes=20) as wire:
        for pair in zip_longest(up, down):
            for end, one in zip(wire.ends, pair, strict=True):
                if one is not None:
                    end.sends(one)
                elif wire.bench.jobs:
                    wire.verdict()
        wire.verdicts()
        for end, said in zip(wire.ends, (down, up), strict=True):
            expected = [redacted(event) for event in heard(one for one in said if one is not None)]
            assert judged(end.took(), end.side) == expected


# -- the closed door ----------------------------------------------------------------------------------------


@dataclass
class FaultyCodec:
    """The codec of `inner`, but for payloads with Bob in them."""

    inner: Codec
    where: str
    name: str = "faulty"
    rigid: bool = False

    def read(self, payload: bytes, near: Sequence[int] | None = None) -> Sequence[Leaf]:
        if self.where == "read" and b"Bob" in payload:
            raise ValueError
        return self.inner.read(payload, near)

    def write(self, payload: bytes, edits: Sequence[Edit]) -> bytes:
        if self.where == "write" and b"Bob" in payload:
            raise ValueError
        return self.inner.write(payload, edits)


def sink(note: Note) -> None:
    if any(done.entity == "PERSON" for done in note.findings):
        raise OSError


def explode(*_: object) -> str:
    raise ZeroDivisionError


STEPS = ("detector", "choose", "read", "operator", "write", "sink", "memory")


def broken(step: str) -> Wire:
    """A connection on which `step` fails at every message with Bob in it."""
    people: Rule = replace(PEOPLE, rewrite=explode) if step == "operator" else PEOPLE

    def pick(kind: Kind, payload: bytes) -> Codec:
        if step == "choose" and b"Bob" in payload:
            raise LookupError
        return FaultyCodec(choose(kind, payload), step)

    error = {"detector": RuntimeError(), "memory": MemoryError()}.get(step)
    return Wire(
        EMAILS,
        people,
        detector=Broken(error, "Bob") if error else Table(),
        choose=pick,
        sink=sink if step == "sink" else None,
        inline_bytes=20,
    )


GOOD = st.sampled_from(["hi", "to a@b.c", "a long one for the worker", "long, and it is for a@b.c"]).map(text)
BAD = st.sampled_from(["Bob", "it was Bob who went to the worker"]).map(text)


@pytest.mark.parametrize("step", STEPS)
@given(st.lists(GOOD | CONTROLS, max_size=5), BAD, st.lists(GOOD, max_size=3), st.sampled_from(Side))
@settings(max_examples=40)
def test_closed_door_a_step_that_raises_sends_nothing_and_closes_both(step, before, bad, after, side):
    with broken(step) as wire:
        wire.ends[side].sends(*before, bad, *after)
        wire.verdicts()
        got = wire.ends[side.other].frames()
        assert got == [*map(redacted, before), close(1011, "message could not be inspected")]
        wire.ends[side].gets_closed(Cause.PIPELINE, 1011)
        assert wire.relay.legs[side].messages == sum(one.opcode == TEXT for one in before)


@pytest.mark.parametrize("step", STEPS)
@given(bad=st.sampled_from(["Bob", "was Bob here"]), side=st.sampled_from(Side))
@settings(max_examples=10)
def test_closed_door_holds_for_pings_and_reasons_of_closes_too(step, bad, side):
    for said in (ping(bad.encode()), close(4000, bad)):
        with broken(step) as wire:
            wire.ends[side].sends(said)
            wire.ends[side.other].gets_closed(Cause.PIPELINE, 1011)
            wire.ends[side].gets_closed(Cause.PIPELINE, 1011)


# -- cut anywhere -------------------------------------------------------------------------------------------


@given(
    conversations(),
    st.lists(st.integers(0, 400), max_size=8),
    st.sampled_from(Side),
    st.sampled_from([(), (EMAILS,), RULES]),
)
def test_cut_anywhere_how_tcp_cuts_a_stream_changes_nothing(said, places, side, rules):
    results = []
    for cuts in ([], places):
        with Wire(*rules) as wire:
            end = wire.ends[side]
            data = b"".join(end.spell(one) for one in said if one is not None)
            edges = [0, *sorted(min(place, len(data)) for place in cuts), len(data)]
            for start, stop in pairwise(edges):
                end.sends(data[start:stop])
            results.append((data, wire.ends[side.other].took(), wire.notes, wire.relay.legs[side].messages))
    (data, whole, *about), (_, cut, *about_cut) = results
    assert about == about_cut
    assert judged(whole, side.other) == judged(cut, side.other)
    if not rules:
        assert whole == cut == data
    elif side is Side.UPSTREAM:  # without masks a rewritten frame has one spelling
        assert sorted_out(whole) == sorted_out(cut)
