"""permessage-deflate: what is negotiated, what can be looked into, and what is refused."""

from __future__ import annotations

import random
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.action import Cause, Refusal
from proxy.wire import deflate as module
from proxy.wire.deflate import answer, deflate, inflate, offer

BOTH = "server_no_context_takeover; client_no_context_takeover"
LIMIT = 1 << 20
TAIL = b"\x00\x00\xff\xff"

# -- negotiating --------------------------------------------------------------------------------------------

OFFERS = [
    ([], None),
    ([b""], None),
    ([b"permessage-deflate"], f"permessage-deflate; {BOTH}"),
    ([b"permessage-deflate; client_max_window_bits"], f"permessage-deflate; client_max_window_bits; {BOTH}"),
    (
        [b'permessage-deflate; server_max_window_bits="10"'],
        f"permessage-deflate; server_max_window_bits=10; {BOTH}",
    ),
    (
        [b"permessage-deflate; client_no_context_takeover"],
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    ),
    ([b"permessage-deflate; " + BOTH.encode()], f"permessage-deflate; {BOTH}"),
    (
        [b"permessage-deflate; server_max_window_bits=9, permessage-deflate"],
        f"permessage-deflate; server_max_window_bits=9; {BOTH}, permessage-deflate; {BOTH}",
    ),
    (
        [b"permessage-deflate", b"permessage-deflate; x=1"],
        f"permessage-deflate; {BOTH}, permessage-deflate; x=1; {BOTH}",
    ),
    ([b"x-webkit-deflate-frame, permessage-deflate"], f"permessage-deflate; {BOTH}"),
    ([b"permessage-bzip2; level=9"], None),
    ([b"permessage-deflate; ;"], None),
    ([b"permessage-deflate=", b"permessage-deflate"], f"permessage-deflate; {BOTH}"),
    ([b"\xff\xfe"], None),
]


@pytest.mark.parametrize(("values", "sent"), OFFERS, ids=repr)
def test_every_offer_asks_for_messages_that_stand_alone(values, sent):
    assert offer(values) == sent


AGREED = [
    (b"server_no_context_takeover", (15, 15)),
    (b"server_no_context_takeover; client_no_context_takeover", (15, 15)),
    (b"client_max_window_bits=9; server_no_context_takeover; server_max_window_bits=12", (9, 12)),
    (b"server_no_context_takeover; client_max_window_bits=8", (8, 15)),
    (b'server_no_context_takeover; server_max_window_bits="8"', (15, 8)),
]


@pytest.mark.parametrize(("params", "bits"), AGREED, ids=repr)
def test_what_was_agreed_is_passed_on_without_context_takeover_for_the_client(params, bits):
    header, agreed = answer([b"permessage-deflate; " + params]) or pytest.fail("no extension")
    assert agreed == bits
    told = header.split("; ")
    assert told[0] == "permessage-deflate"
    assert set(told[1:]) == {*params.replace(b'"', b"").decode().split("; "), "client_no_context_takeover"}


def test_no_header_is_no_extension():
    assert answer([]) is None


@pytest.mark.parametrize(
    "values",
    [
        [b"permessage-deflate"],
        [b"permessage-deflate; client_no_context_takeover"],
        [b"permessage-deflate; server_no_context_takeover", b"permessage-deflate; server_no_context_takeover"],
        [b"permessage-deflate; server_no_context_takeover, permessage-deflate; server_no_context_takeover"],
        [b"permessage-bzip2"],
        [b"permessage-deflate; server_no_context_takeover, mux"],
        [b"permessage-deflate; server_no_context_takeover; client_max_window_bits=7"],
        [b"permessage-deflate; server_no_context_takeover; server_max_window_bits=16"],
        [b"; ;"],
        [b""],
    ],
    ids=repr,
)
def test_an_upstream_that_agrees_to_what_was_not_offered_is_not_believed(values):
    with pytest.raises(ValueError, match="upstream"):
        answer(values)


# -- inflating ----------------------------------------------------------------------------------------------


def squeezed(data: bytes, bits: int = 15, mode: int = zlib.Z_SYNC_FLUSH, level: int = 6) -> bytes:
    """`data` as another implementation would send it."""
    deflater = zlib.compressobj(level, wbits=-bits)
    body = deflater.compress(data) + deflater.flush(mode)
    return body.removesuffix(TAIL) if mode != zlib.Z_FINISH else body


def cause_of(payload: bytes, limit: int = LIMIT) -> Cause:
    with pytest.raises(Refusal) as refused:
        inflate(payload, limit)
    return refused.value.cause


MESSAGES = (
    st.binary(max_size=2000) | st.text(max_size=400).map(str.encode) | st.binary(max_size=4).map(lambda b: b * 500)
)


@given(MESSAGES, st.integers(9, 15), st.sampled_from([0, 1, 6, 9]))
def test_what_others_deflate_is_inflated(data, bits, level):
    assert inflate(squeezed(data, bits, level=level), LIMIT) == data


@given(MESSAGES, st.integers(9, 15))
def test_a_message_that_ends_with_a_final_block_is_inflated(data, bits):
    """Section 7.2.3.4: BFINAL ends a block of zlib's, not the message."""
    body = squeezed(data, bits, zlib.Z_FINISH)
    assert inflate(body, LIMIT) == data
    assert inflate(body + b"\x00", LIMIT) == data


def test_an_empty_message_is_one_byte():
    assert inflate(b"\x00", LIMIT) == b""  # section 7.2.3.6


def test_blocks_behind_a_final_block_belong_to_the_message():
    assert inflate(squeezed(b"one ", mode=zlib.Z_FINISH) + squeezed(b"two"), LIMIT) == b"one two"


def test_a_message_that_refers_to_one_before_it_is_refused():
    deflater = zlib.compressobj(wbits=-15)
    text = bytes(range(256)) * 4
    first = deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH)
    second = deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH)
    assert inflate(first.removesuffix(TAIL), LIMIT) == text
    assert cause_of(second.removesuffix(TAIL)) is Cause.DEFLATE


@given(st.binary(min_size=40, max_size=400), st.data())
def test_a_message_that_is_cut_short_inside_a_block_is_refused(data, draw):
    """A peer that kept its context would read the next message as the rest of the block, unseen."""
    body = squeezed(data, level=0)  # one stored block: a header of five bytes, then the data
    cut = draw.draw(st.integers(2, len(data) - 5))  # shorter than what is put behind it would complete it
    assert cause_of(body[:cut]) is Cause.DEFLATE


@pytest.mark.parametrize("junk", [b"", b"\xff\xff\xff", b"\x07", b"hello there"], ids=repr)
def test_what_does_not_inflate_is_refused(junk):
    assert cause_of(junk) is Cause.DEFLATE


@given(st.binary(max_size=200))
def test_random_bytes_inflate_or_are_refused(junk):
    try:
        assert len(inflate(junk, 5000)) <= 5000
    except Refusal as refusal:
        assert refusal.cause in (Cause.DEFLATE, Cause.TOO_BIG)


@pytest.mark.parametrize("size", [1, 100, 65536])
def test_the_limit_is_the_size_of_the_largest_message_that_passes(size):
    assert inflate(squeezed(b"x" * size), size) == b"x" * size
    assert cause_of(squeezed(b"x" * (size + 1)), size) is Cause.TOO_BIG


def test_the_limit_counts_over_final_blocks():
    two = squeezed(b"x" * 60, mode=zlib.Z_FINISH) + squeezed(b"x" * 60)
    assert inflate(two, 120) == b"x" * 120
    assert cause_of(two, 119) is Cause.TOO_BIG


def test_a_bomb_stops_at_the_limit():
    bomb = squeezed(bytes(64 << 20))
    since = time.process_time()
    assert cause_of(bomb, 100_000) is Cause.TOO_BIG
    assert time.process_time() - since < 0.05  # all of it takes 0.2 s


def test_a_million_final_blocks_are_not_followed_one_by_one():
    since = time.process_time()
    assert cause_of(b"\x03\x00" * 500_000) is Cause.DEFLATE
    assert time.process_time() - since < 1


# -- deflating ----------------------------------------------------------------------------------------------


@given(st.lists(MESSAGES, min_size=1, max_size=4), st.integers(9, 15))
def test_what_is_deflated_stands_alone_and_fits_the_window(messages, bits):
    for message in messages:
        body = deflate(message, bits)
        inflater = zlib.decompressobj(-bits)
        assert inflater.decompress(body + TAIL) == message
        assert inflate(body, LIMIT) == message
        assert body


@pytest.mark.parametrize("bits", range(9, 16))
def test_no_reference_reaches_beyond_the_window(bits):
    """zlib only minds when it has forgotten what is referred to, so it is given a byte at a time."""
    message = random.Random(bits).randbytes(40_000) * 2 + random.Random(0).randbytes(1000) * 3
    inflater = zlib.decompressobj(-bits)
    assert b"".join(inflater.decompress(bytes([byte])) for byte in deflate(message, bits) + TAIL) == message
    with pytest.raises(zlib.error, match="too far back"):
        small = zlib.decompressobj(-9)
        for byte in deflate(message, 15):
            small.decompress(bytes([byte]))


def test_no_message_can_refer_to_the_text_of_another():
    text = bytes(range(256)) * 4
    assert len(deflate(text, 15)) == len(deflate(text, 15))
    assert inflate(deflate(text, 15), LIMIT) == text


def test_a_window_that_zlib_cannot_make_means_sending_it_plain():
    assert deflate(b"anything", 8) is None


def test_a_compressor_that_failed_half_way_is_not_used_again(monkeypatch):
    class Failing:
        def compress(self, _: bytes) -> bytes:
            raise MemoryError

    monkeypatch.setitem(module._deflaters, 12, Failing())
    with pytest.raises(MemoryError):
        deflate(b"somebody's text", 12)
    assert inflate(deflate(b"another's", 12), 99) == b"another's"
