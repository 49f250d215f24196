"""The parser: 800 random streams against another reader, faults, limits, and compressed messages."""

from __future__ import annotations

import random
import struct

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from proxy.core.action import CLOSES, Cause
from proxy.core.message import Side
from tests.playbook import EMAILS, PEOPLE, PHONES, rule
from tests.wire import frames
from tests.wire.frames import BINARY, CONT, MASK, PING, TEXT
from tests.wire.traffic import control, fragments, heard, judged, redacted, sorted_out, stream
from tests.wire.wiring import RSV1, End, Said, Wire, binary, close, cont, ping, text

CUTS = (1, 2, 3, 7, 50, 126, 1000, 4096, 65536)
RULES = (EMAILS, PEOPLE, rule("numbers", "PHONE_NUMBER"))

# -- random streams -----------------------------------------------------------------------------------------


def play(wire: Wire, rng: random.Random, sender: End, said: list[Said]) -> tuple[bytes, bytes]:
    """Send it in segments; the worker comes round now and then. Returns what went in and what came out."""
    data = b"".join(map(sender.spell, said))
    cut = rng.choice(CUTS if len(data) < 50_000 else CUTS[4:])
    for start in range(0, len(data), cut):
        sender.sends(data[start : start + cut])
        while wire.bench.jobs and rng.random() < 0.5:
            wire.verdict()
    wire.loop.turn()
    wire.verdicts()
    return data, wire.ends[sender.side.other].took()


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("side", Side)
def test_a_stream_nobody_looks_at_leaves_in_the_very_bytes(side, seed):
    rng = random.Random(f"pass {side} {seed}")
    with Wire() as wire:
        said = stream(rng, 6, personal=True)
        data, out = play(wire, rng, wire.ends[side], said)
        assert out == data
        assert wire.relay.legs[side].messages == 6


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("side", Side)
def test_a_clean_stream_leaves_in_the_very_bytes(side, seed):
    """Only a control frame inside a message that is not yet whole may overtake the fragments before it."""
    rng = random.Random(f"clean {side} {seed}")
    with Wire(*RULES, inline_bytes=rng.choice([100, 1 << 24])) as wire:
        said = stream(rng, 6, personal=False)
        data, out = play(wire, rng, wire.ends[side], said)
        assert sorted_out(out) == sorted_out(data)
        assert judged(out, side.other) == heard(said)
        assert wire.relay.legs[side].messages == 6
        assert wire.notes == []


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize("side", Side)
def test_a_rewritten_stream_is_what_another_reader_expects(side, seed):
    rng = random.Random(f"rewritten {side} {seed}")
    with Wire(*RULES, inline_bytes=rng.choice([100, 1 << 24])) as wire:
        said = stream(rng, 6, personal=True)
        _, out = play(wire, rng, wire.ends[side], said)
        events = heard(said)
        assert judged(out, side.other) == [redacted(event) for event in events]
        assert wire.relay.legs[side].messages == 6
        assert len(wire.notes) == sum(redacted(event) != event for event in events)


def test_the_random_streams_hold_what_they_should():
    """A fuzz that never reaches its corners proves nothing."""
    said = [one for seed in range(200) for one in stream(random.Random(f"rewritten 0 {seed}"), 6, True)]
    assert {len(one.payload) for one in said} >= {0, 1, 125, 126, 127, 65535, 65536}
    assert any(one.opcode == CONT and not one.payload and not one.fin for one in said)
    inside = zip(said, said[1:], said[2:], strict=False)
    assert any(not a.fin and b.opcode == PING and c.opcode == CONT for a, b, c in inside)


# -- compressed messages ------------------------------------------------------------------------------------


def compressed(rng: random.Random, payload: bytes, bits: int, parts: int) -> list[Said]:
    """A message as websockets would send it, in one frame or in several, perhaps with a ping inside."""
    # zlib cannot compress for a window of 256 bytes, but a message without references fits into any
    codec = PerMessageDeflate(True, True, 15, max(bits, 9), {"level": 0} if bits == 8 else {})
    whole = codec.encode(Frame(Opcode.TEXT, payload))
    said = Said(TEXT, bytes(whole.data), rsv=RSV1)
    if parts == 1:
        return [said]
    first, *rest = fragments(rng, said)
    return [first, control(rng), *rest]


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("held", [False, True], ids=["inline", "held"])
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("bits", range(8, 16))
def test_compressed_messages_are_looked_into(bits, side, held, parts):
    rng = random.Random(f"{bits} {side} {held} {parts}")
    clean = [b"nothing", b"", b"x" * 3000, rng.randbytes(50).hex().encode() * 100]
    personal = [b"mail bob@example.com", b"Alice " * 2000, rng.randbytes(3000).hex().encode() + b" Bob"]
    payloads = rng.sample(clean + personal, 7)
    window = (bits, 15) if side is Side.CLIENT else (15, bits)
    with Wire(*RULES, deflate=window, inline_bytes=10 if held else 1 << 24) as wire:
        said = [one for payload in payloads for one in compressed(rng, payload, bits, parts)]
        data, out = play(wire, rng, wire.ends[side], said)
        expected = [redacted(Said(TEXT, payload)) for payload in payloads]
        got = [event for event in judged(out, side.other, bits) if event.opcode == TEXT]
        assert got == expected
        spelt = {frame for frame in sorted_out(data)[0] if frame[0] & 0x40}
        kept = [frame for frame in sorted_out(out)[0] if frame in spelt]
        assert len(kept) == len(clean), "a clean message keeps its bytes"


@pytest.mark.parametrize("inline", [1, 1 << 24], ids=["held", "inline"])
@pytest.mark.parametrize(("bits", "rsv1"), [(8, False), (9, True), (15, True)])
def test_a_rewritten_message_is_compressed_if_it_came_so_and_zlib_can(bits, rsv1, inline):
    with Wire(EMAILS, deflate=(bits, 15), inline_bytes=inline) as wire:
        wire.client.sends(*compressed(random.Random(0), b"a@b.c " * 40, bits, 1), text("a@b.c"))
        wire.verdicts()
        first, second = wire.upstream.frames()
        assert bool(first.rsv & RSV1) == rsv1
        assert second == text("<EMAIL_ADDRESS>")


def test_a_message_that_becomes_empty_is_still_a_message():
    with Wire(rule("gone", "EMAIL_ADDRESS", params={"with": ""}), deflate=(15, 15)) as wire:
        for _ in range(3):
            wire.client.sends(*compressed(random.Random(0), b"a@b.c", 15, 1), text("a@b.c"))
        assert judged(wire.upstream.took(), Side.UPSTREAM, 15) == [Said(TEXT, b"")] * 6


def test_a_compressed_message_is_counted_by_what_it_inflates_to():
    with Wire(EMAILS, deflate=(15, 15), max_message=1000) as wire:
        wire.client.sends(*compressed(random.Random(0), b"x" * 1000, 15, 1))
        assert len(wire.upstream.frames()) == 1
        wire.client.sends(*compressed(random.Random(0), b"x" * 1001, 15, 1))
        wire.client.gets_closed(Cause.TOO_BIG, 1009)
        wire.upstream.gets_closed(Cause.TOO_BIG, 1001)


@pytest.mark.parametrize("rules", [(), (EMAILS,)], ids=["unwatched", "watched"])
def test_compressed_text_that_does_not_inflate_is_refused_when_somebody_looks(rules):
    broken = text(b"\xff\xff\xff", rsv=RSV1)
    with Wire(*rules, deflate=(15, 15)) as wire:
        wire.client.sends(broken)
        if rules:
            wire.client.gets_closed(Cause.DEFLATE, 1002)
            wire.upstream.gets_closed(Cause.DEFLATE, 1001)
        else:
            wire.upstream.gets(broken)


# -- faults -------------------------------------------------------------------------------------------------


def raw(opcode: int, payload: bytes = b"", side: Side = Side.CLIENT, **how) -> bytes:
    mask = MASK if side is Side.CLIENT else None
    return frames.build(opcode, payload, **({"mask": mask} | how))


def huge(size: int, width: int = 8, opcode: int = TEXT, fin: bool = True) -> bytes:
    """Only the head of a frame."""
    length = struct.pack("!Q" if width == 8 else "!H", size)
    return bytes([fin << 7 | opcode, 0x80 | (127 if width == 8 else 126)]) + length


FAULTS = {
    "reserved opcode 3": (raw(3), Cause.PROTOCOL),
    "reserved opcode 11": (raw(11), Cause.PROTOCOL),
    "RSV1 without the extension": (raw(TEXT, rsv=4), Cause.PROTOCOL),
    "RSV2": (raw(TEXT, rsv=2), Cause.PROTOCOL),
    "RSV3": (raw(BINARY, rsv=1), Cause.PROTOCOL),
    "RSV1 on a ping": (raw(PING, rsv=4), Cause.PROTOCOL),
    "a frame without mask": (raw(TEXT, b"bare", mask=None), Cause.PROTOCOL),
    "a ping without mask": (raw(PING, b"bare", mask=None), Cause.PROTOCOL),
    "a ping in fragments": (raw(PING, fin=False), Cause.PROTOCOL),
    "a ping of 126 bytes": (raw(PING, b"x" * 126), Cause.PROTOCOL),
    "a ping with a long length": (raw(PING, b"x", width=2), Cause.PROTOCOL),
    "a continuation of nothing": (raw(CONT, b"x"), Cause.PROTOCOL),
    "the middle of nothing": (raw(CONT, b"x", fin=False), Cause.PROTOCOL),
    "a message inside a message": (raw(TEXT, b"a", fin=False) + raw(TEXT, b"b"), Cause.PROTOCOL),
    "a start inside a message": (raw(TEXT, b"a", fin=False) + raw(BINARY, b"b", fin=False), Cause.PROTOCOL),
    "125 bytes in 2 of length": (raw(TEXT, b"x" * 125, width=2), Cause.PROTOCOL),
    "125 bytes in 2, in fragments": (raw(TEXT, b"x" * 125, width=2, fin=False), Cause.PROTOCOL),
    "65535 bytes in 8 of length": (huge(65535), Cause.PROTOCOL),
    "a length of 64 bits": (huge(1 << 63), Cause.PROTOCOL),
    "over the limit": (huge(1 << 20), Cause.TOO_BIG),
    "just over the limit": (huge(200_001), Cause.TOO_BIG),
    "over the limit in fragments": (raw(TEXT, b"x" * 150_000, fin=False) + huge(50_001, 2, CONT), Cause.TOO_BIG),
}


@pytest.mark.parametrize("cut", [None, 1, 5])
@pytest.mark.parametrize("rules", [(), (EMAILS,)], ids=["unwatched", "watched"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_closes_both_sides_behind_what_was_good(name, rules, cut):
    bad, cause = FAULTS[name]
    with Wire(*rules, max_message=200_000) as wire:
        wire.client.sends(text("good"), ping(b"p"), bad, text("never heard"), cut=cut if len(bad) < 999 else None)
        good = [text("good"), ping(b"p")]
        got = wire.upstream.frames()
        assert got[:2] == good
        assert got[-1] == close(CLOSES[cause][1].code, CLOSES[cause][1].reason)
        assert len(got) == 3 or not rules, "of a watched message nothing leaves before it is whole"
        wire.client.gets_closed(cause, CLOSES[cause][0].code)
        assert wire.causes == [cause]


@pytest.mark.parametrize("rules", [(), (EMAILS,)], ids=["unwatched", "watched"])
@pytest.mark.parametrize("bad", [raw(TEXT, b"masked"), raw(PING), raw(TEXT, b"x" * 126)])
def test_a_server_must_not_mask(bad, rules):
    with Wire(*rules) as wire:
        wire.upstream.sends(text("good"), bad)
        assert wire.client.frames() == [text("good"), close(1001, "peer broke the protocol")]
        wire.upstream.gets_closed(Cause.PROTOCOL, 1002)


@pytest.mark.parametrize("opcode", [CONT, PING])
def test_rsv1_stands_on_the_first_frame_of_a_message_only(opcode):
    first, _, second = compressed(random.Random(0), b"hello " * 50, 15, 3)[:3]
    with Wire(EMAILS, deflate=(15, 15)) as wire:
        wire.client.sends(first, Said(opcode, second.payload, opcode == PING or second.fin, RSV1))
        wire.client.gets_closed(Cause.PROTOCOL, 1002)
        wire.upstream.gets_closed(Cause.PROTOCOL, 1001)
        assert wire.causes == [Cause.PROTOCOL]


@pytest.mark.parametrize(
    "said", [[text(b"\xff")], [text(b"\xc3", fin=False), cont(b"\x28")]], ids=["whole", "cut"]
)
def test_text_that_is_not_utf_8_is_refused_where_somebody_looks_and_passed_where_nobody_does(said):
    with Wire(EMAILS) as wire:
        wire.client.sends(*said)
        wire.client.gets_closed(Cause.BAD_UTF8, 1007)
        wire.upstream.gets_closed(Cause.BAD_UTF8, 1001)
    with Wire() as wire:
        wire.client.sends(*said)
        wire.upstream.gets(*said)


def test_a_character_may_be_cut_by_a_fragment():
    with Wire(PEOPLE) as wire:
        wire.client.sends(text(b"Zo\xc3", fin=False), cont(b"\xab!"))
        wire.upstream.gets(text("<PERSON>!"))


# -- limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [(), (EMAILS,)], ids=["unwatched", "watched"])
@pytest.mark.parametrize("size", [125, 126, 65535, 65536])
def test_the_largest_message_passes_and_one_byte_more_is_refused_by_its_head(size, rules):
    whole, halves = b"x" * size, [binary(b"x" * (size - 1), fin=False), cont(b"x")]
    with Wire(*rules, max_message=size) as wire:
        wire.client.sends(binary(whole), *halves)
        assert wire.upstream.frames() == [binary(whole), *halves]
        head = raw(BINARY, whole + b"x")[: -size - 1 - 4]
        wire.client.sends(head)
        wire.client.gets_closed(Cause.TOO_BIG, 1009)
        wire.upstream.gets_closed(Cause.TOO_BIG, 1001)


def test_empty_fragments_are_not_kept_without_end():
    empty = raw(CONT, fin=False)
    with Wire(EMAILS) as wire:
        wire.client.sends(text("", fin=False))
        for _ in range(70):
            wire.client.sends(empty * 1000)
        wire.client.gets_closed(Cause.TOO_BIG, 1009)
        wire.upstream.gets_closed(Cause.TOO_BIG, 1001)


def test_an_unfinished_frame_takes_no_work_until_it_is_whole():
    """Each piece is only added to a list: 60,000 pieces of a frame must not be joined 60,000 times."""
    with Wire(EMAILS) as wire:
        pumped = 0
        leg = wire.relay.legs[Side.CLIENT]
        original = type(leg).pump

        def pump(self, data):
            nonlocal pumped
            pumped += 1
            original(self, data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(leg), "pump", pump)
            wire.client.sends(binary(b"x" * 60_000), cut=1)
        assert pumped <= 5
        assert len(wire.upstream.frames()) == 1


@pytest.mark.parametrize("rules", [(), (EMAILS, PHONES)], ids=["unwatched", "watched"])
def test_all_messages_of_one_read_leave_in_one_write(rules):
    with Wire(*rules) as wire:
        wire.client.sends(*[text(f"message {n}, a@b.c") for n in range(50)], ping(b"p"), binary(b"end"))
        assert wire.upstream.writes == 1
        assert len(wire.upstream.frames()) == 52
