"""Plain text, and text that looks like JSON to its reader but not to us."""

import pytest

from proxy.codecs import TEXT
from proxy.core.message import Edit, Leaf
from tests.codecs.rewriting import rewrite, texts


def test_plain_text_is_one_leaf_measured_in_characters() -> None:
    assert TEXT.read("grüß bob@x.org".encode()) == (Leaf("", "grüß bob@x.org", 0, 14, 0),)


def test_an_empty_text_is_an_empty_leaf() -> None:
    assert TEXT.read(b"") == (Leaf("", "", 0, 0, 0),)


def test_plain_text_is_rewritten_verbatim() -> None:
    assert rewrite(TEXT, 'say "hi" to bob@x.org!', "bob@x.org", '"<B>"') == b'say "hi" to "<B>"!'


def test_two_edits_of_one_text_both_arrive() -> None:
    assert rewrite(TEXT, "ä bob, bob ö", "bob", "X") == "ä X, X ö".encode()


def test_text_that_is_not_utf8_raises_unicode_decode_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        TEXT.read(b"caf\xe9")


@pytest.mark.parametrize(
    "payload",
    [
        '42["chat","bob\\u0040x.org"]',  # Socket.IO
        '42["chat","{\\"to\\":\\"bob\\\\u0040x.org\\"}"]',  # and JSON in its string
        "{'to': 'bob\\x40x.org'}",  # JSON5
        "{to: 'bob\\u{40}x.org'}",
        "{to: 'bob\\@x\\.org'}",
        'a["{\\"event\\":\\"x\\",\\"data\\":\\"bob\\\\u0040x\\\\.org\\"}"]',  # SockJS
        "\\u0062\\u006F\\u0062\\u0040x.org",
    ],
)
def test_escapes_hide_nothing_in_text_that_is_not_json(payload: str) -> None:
    assert "bob@x.org" in texts(TEXT, payload)[0]
    assert "bob@x.org" not in texts(TEXT, rewrite(TEXT, payload, "bob@x.org", "<E>"))[0]


def test_around_an_edit_the_escapes_stay_as_they_were() -> None:
    payload = '42["\\u00e9\\/","bob\\u0040x.org","\\u00e9"]'
    assert rewrite(TEXT, payload, "bob@x.org", "<E>") == b'42["\\u00e9\\/","<E>","\\u00e9"]'


def test_a_backslash_that_escapes_nothing_is_kept() -> None:
    assert texts(TEXT, "C:\\Users\\Max and \\d+") == ["C:\\Users\\Max and \\d+"]


def test_new_text_is_escaped_where_the_old_text_was() -> None:
    assert rewrite(TEXT, '42["bob\\u0040x.org"]', "bob@x.org", '"E"') == b'42["\\"E\\""]'


def test_escaping_a_thousand_levels_deep_is_read_to_a_bounded_depth() -> None:
    (leaf,) = TEXT.read(b"\\u005c" + b"u005c" * 1000 + b"u0040")
    assert leaf.depth == 8


def test_edits_that_overlap_are_refused() -> None:
    (leaf,) = TEXT.read(b"bob@x.org")
    with pytest.raises(ValueError, match="overlap"):
        TEXT.write(b"bob@x.org", [Edit(leaf, 0, 5, ""), Edit(leaf, 4, 9, "")])


def test_an_edit_that_reaches_outside_its_leaf_is_refused() -> None:
    (leaf,) = TEXT.read(b"bob")
    with pytest.raises(ValueError, match="outside"):
        TEXT.write(b"bob", [Edit(leaf, 2, 4, "")])


def test_an_edit_of_another_payload_is_refused_and_the_error_does_not_quote_it() -> None:
    (leaf,) = TEXT.read(b"bob@x.org")
    with pytest.raises(ValueError, match="payload") as caught:
        TEXT.write(b"amy@x.org", [Edit(leaf, 0, 3, "")])
    assert "bob" not in str(caught.value)
    assert "amy" not in str(caught.value)


def test_a_lone_surrogate_in_new_text_becomes_the_replacement_character() -> None:
    assert rewrite(TEXT, "bob", "bob", "\ud800") == "\ufffd".encode()
