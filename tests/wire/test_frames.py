"""Frames as bytes, read back by the tests' own reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.message import Close
from proxy.wire.frames import build, close_payload, fresh_mask, read_close
from tests.wire import frames

CODES = st.integers(0, 65535)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("first", [0x81, 0x02, 0xC1, 0x88])
def test_a_frame_is_read_back_with_the_shortest_length(first, masked, size):
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    spelt = build(first, payload, masked)
    frame, length = frames.parse(spelt)
    assert length == len(spelt)
    assert (frame.fin, frame.rsv, frame.opcode) == (first >> 7 == 1, first >> 4 & 7, first & 15)
    assert (frame.masked, frame.payload) == (masked, payload)
    assert frame.width == (0 if size < 126 else 2 if size < 65536 else 8)


def test_masks_do_not_repeat():
    """Section 5.3: unpredictable. 5,000 masks are five pools; one used twice would repeat a thousand."""
    masks = [fresh_mask() for _ in range(5000)]
    assert {len(mask) for mask in masks} == {4}
    assert len(set(masks)) > 4990


@given(CODES, st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_the_body_of_a_close_fits_a_control_frame_and_holds_whole_characters(code, reason):
    body = close_payload(Close(code, reason))
    assert len(body) <= 125
    got, raw = read_close(body)
    assert got == code
    assert reason.startswith(raw.decode())
    assert len(raw) == len(reason.encode()) or len(raw) > 119


def test_an_empty_close_is_empty():
    assert close_payload(Close(None, "")) == b""
    assert read_close(b"") == (None, b"")


def test_a_body_of_one_byte_is_no_close():
    with pytest.raises(ValueError, match="two bytes"):
        read_close(b"\x03")
