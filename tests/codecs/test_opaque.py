"""Binary of unknown format: found as strings(1) would, rewritten without moving a byte."""

import pytest

from proxy.codecs import OPAQUE
from proxy.core.message import Edit, Leaf
from tests.codecs.rewriting import rewrite, texts

MSGPACK = b"\x82\xa2ok\xc3\xa5email\xa9bob@x.org"  # {"ok": true, "email": "bob@x.org"}


def test_runs_of_printable_ascii_are_leaves_measured_in_bytes() -> None:
    assert OPAQUE.read(b"\x00\xffsix six\x80short\x00") == [Leaf("", "six six", 2, 9, 0)]


def test_a_length_byte_that_looks_like_a_letter_is_not_taken_for_one() -> None:
    assert texts(OPAQUE, MSGPACK) == ["bob@x.org"]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("<E>", b"<E>******"),
        ("<EMAIL_ADDRESS>", b"<EMAIL_AD"),
        ("", b"*********"),
        ('ä"\\\n\x7f€~ x', b"******~ x"),
    ],
)
def test_new_text_is_cut_or_filled_to_the_bytes_of_the_old(new: str, expected: bytes) -> None:
    assert rewrite(OPAQUE, MSGPACK, "bob@x.org", new) == MSGPACK.replace(b"bob@x.org", expected)


def test_escapes_hide_nothing_in_binary() -> None:
    payload = b'\x00{"a":"bob\\u0040x.org \\u00e9"}\xff'
    assert rewrite(OPAQUE, payload, "bob@x.org", "<E>") == b'\x00{"a":"<E>*********** \\u00e9"}\xff'


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_in_either_byte_order(encoding: str) -> None:
    payload = "\u0100 bob@x.org \u0100".encode(encoding)
    expected = "\u0100 <E>****** \u0100".encode(encoding)
    assert rewrite(OPAQUE, payload, "bob@x.org", "<E>") == expected


def test_two_edits_of_one_run_both_arrive() -> None:
    assert rewrite(OPAQUE, b"\xffbob and bob\xff", "bob", "X") == b"\xffX** and X**\xff"


def test_without_edits_the_very_same_object_is_returned() -> None:
    assert OPAQUE.write(MSGPACK, []) is MSGPACK


def test_edits_out_of_order_are_refused() -> None:
    payload = b"first run\x00other run"
    first, other = OPAQUE.read(payload)
    with pytest.raises(ValueError, match="order"):
        OPAQUE.write(payload, [Edit(other, 0, 5, ""), Edit(first, 0, 5, "")])
    with pytest.raises(ValueError, match="order"):
        OPAQUE.write(payload, [Edit(first, 2, 5, ""), Edit(first, 1, 2, "")])
