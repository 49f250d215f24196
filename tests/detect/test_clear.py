"""What is clear raw has nothing in any leaf, whatever JSON and its escapes do to hide it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.texts import VALUES
from proxy.codecs import JSON, TEXT
from proxy.detect.aliases import ABOVE, ENDINGS, NUMBERS
from proxy.detect.engine import Engine
from proxy.detect.escapes import levels, unescaped
from proxy.detect.keys import Keys
from proxy.detect.keywords import LONGEST_KEY, NAMES, NOTHING
from proxy.detect.recognizer import FLOOR
from tests.detect.looking import detector
from tests.detect.test_verdicts import FOUND

ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": lambda c: "\\/" if c == "/" else c,
    "u": lambda c: "".join(f"\\u{unit:04x}" for unit in _utf16(c)),
    "U": lambda c: "".join(f"\\u{unit:04X}" for unit in _utf16(c)),
}


def _utf16(char: str) -> list[int]:
    data = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


KEYS = ("firstName", "first_name", "shipping-address", "user.name", "pr\u00e9nom", "card", "ssn")


@st.composite
def documents(draw: st.DrawFn) -> str:
    """JSON with planted values, every character of which may be spelt as an escape, to a depth of three."""
    text = draw(st.sampled_from([*VALUES, *(v for v in VALUES if v.isascii())]) | st.text(max_size=9))
    around = draw(st.sampled_from(["{}", "x{}", "\n{}\t", "{}\\", '"{}"', "a/{}/b", "\\{}", "\u00e9{}\u4e16"]))
    key, named = (
        draw(st.sampled_from(["b", text, *KEYS])),
        draw(st.sampled_from(["\\", "Ann Lee", "12 High Street"])),
    )
    document = json.dumps({"a": [around.replace("{}", text), 1], key: named, "c": "\\"}, ensure_ascii=False)
    for _ in range(draw(st.integers(0, 2))):
        document = respelt(draw, document)
        document = json.dumps({"body": document}, ensure_ascii=draw(st.booleans()))
    return respelt(draw, document)


def respelt(draw: st.DrawFn, document: str) -> str:
    """`document` with some of the characters in its strings spelt as escapes."""
    kind = draw(st.sampled_from(sorted(ESCAPES)))
    every = draw(st.integers(1, 4))
    out, inside, skip = [], False, False
    for at, char in enumerate(document):
        skipped, skip = skip, False
        if skipped:
            pass
        elif char == '"':
            inside = not inside
        elif char == "\\":
            skip = True
        respell = inside and char not in '"\\' and not skipped and at % every == 0
        out.append(ESCAPES[kind](char) if respell else char)
    return "".join(out)


@settings(max_examples=600, deadline=None)
@given(documents())
def test_what_is_clear_raw_has_nothing_in_any_leaf_however_it_is_escaped(document: str) -> None:
    payload = document.encode(errors="replace")
    if detector().clear(payload, detector().entities, FLOOR):
        for codec in (JSON, TEXT):
            leaves = codec.read(payload)
            found = detector().search([one.text for one in leaves], detector().entities, FLOOR)
            assert not any(found)
            assert not any(detector().find(leaves, detector().entities, FLOOR)), "by its key"


TELLING = sorted(name.words for name in NAMES.values() if name.kind != NOTHING)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    *(str, str.upper, str.title, lambda word: word + "s", lambda word: word[:-1] + "'" + word[-1:]),
    *(
        lambda word: word.replace("e", "\u00e9"),
        lambda word: word.replace("a", "\u0430"),
        lambda word: word[:-1] + "ies",
    ),
)
SIGNS = st.sampled_from(
    [
        "",
        "",
        "_",
        "-",
        " ",
        ".",
        "__",
        " - ",
        "_/#_",
        "'",
        '"',
        '", "',
        "\\",
        "\\\\",
        "\n",
        ":",
        "\u2013",
        "\t\x01",
    ]
)
AFTER = st.sampled_from([*sorted(ENDINGS | NUMBERS), "1", "22", "s", "es", "'s"])


@st.composite
def odd_keys(draw: st.DrawFn) -> str:
    """A telling name in one of the ways that people, forms and programs spell keys, or in one that nobody does."""
    said = draw(
        st.sampled_from(TELLING) | st.sampled_from(sorted(ABOVE)).map(lambda word: (word,)) | st.just(("number",))
    )
    key = draw(st.sampled_from(["", "", "x", "my ", "q" * 40, "q" * (LONGEST_KEY - 11)]))
    for word in said:
        key += draw(st.sampled_from(SPELLINGS))(word) + draw(SIGNS)
    for word in draw(st.lists(AFTER, max_size=2)):
        key += word + draw(SIGNS)
    return key


@st.composite
def keyed(draw: st.DrawFn, keys: st.SearchStrategy[str]) -> str:
    """JSON with such keys, with white space, and now and then in strings of JSON that goes on above them."""
    contents: st.SearchStrategy[object] = st.recursive(
        st.sampled_from(["", "Ada", "17", 12345, -12345, True, None]),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=2) | st.dictionaries(keys, inner, min_size=1, max_size=2)
        ),
        max_leaves=3,
    )
    space, ascii_only = draw(st.sampled_from(["", " ", "\n\t", " \r\n"])), draw(st.booleans())
    content: object = {draw(keys): draw(contents)}
    for _ in range(draw(st.integers(0, 2))):
        within = draw(st.sampled_from(["", " ", "\n"])) + json.dumps(
            content, ensure_ascii=ascii_only, separators=(",", f"{space}:{space}")
        )
        content = {draw(keys | st.just("body")): within}
    document = json.dumps(content, ensure_ascii=draw(st.booleans()), separators=("," + space, f"{space}:"))
    return respelt(draw, document) if draw(st.booleans()) else document


@settings(max_examples=1500, deadline=None)
@given(keyed(odd_keys()))
@example('{"first\\\\name": "Ada"}')
@example('{"cvv\\"code": "123"}')
@example('{"cvv\\u0022code": "123"}')
@example('{"b": "{\\"cvv\\\\\\"code\\": \\"123\\"}"}')
@example('{"card": "{\\"pin\\": \\"1234\\"}"}')
@example('{"pr\u00e9\\nnom": "Ada"}')
@example(json.dumps({"q" * 52 + "_first_name" + "zzz": "Ada"}))
def test_what_is_clear_raw_has_no_key_that_says_anything_however_it_is_spelt(document: str) -> None:
    payload = document.encode(errors="replace")
    if detector().clear(payload, detector().entities, FLOOR):
        assert [leaf for leaf in JSON.read(payload) if Keys.entity(leaf.path)] == []


def read_at(payload: bytes) -> list[bytes]:
    return list(levels(payload, unescaped(payload)))


def test_keys_are_read_at_every_level_of_json_in_strings() -> None:
    assert read_at(b'{"a":"b\\nc"}') == [b'{"a":"b\nc"}']
    assert read_at(b'{"a\\"b":"c"}') == [b'{"a_b":"c"}', b'{"a"b":"c"}']
    outer, within, *deeper = read_at(json.dumps({"c": json.dumps({'a"b': 1})}).encode())
    assert b'"c"' in outer and b'"a"' not in outer and b'"a_b"' in within
    assert all(b'"a_b"' not in level for level in deeper)
    assert read_at(b'"\\u0022 \xff"') == [b'"\\u0022 \xff"'] * 8


@pytest.mark.parametrize("value", [value for values in FOUND.values() for value in values])
def test_a_planted_value_makes_a_payload_unclear_in_every_spelling(value: str) -> None:
    escaped = "".join(ESCAPES["u"](char) for char in value)
    once = json.dumps({"v": f"x\n{value}"})
    for payload in (
        value,
        once,
        json.dumps({"b": once}),
        f'{{"v":"{escaped}"}}',
        f'{{"b":"{{\\"v\\":\\"\\n{escaped}\\"}}"}}',
    ):
        assert not detector().clear(payload.encode(), detector().entities, FLOOR), payload


def test_ordinary_messages_are_clear() -> None:
    for payload in (
        '{"type":"message","text":"at nine\\n\\"bring\\" the slides","n":17,"url":"https:\\/\\/example.com"}',
        '{"id":"7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13","ts":1763859724123,"at":"2026-11-22T08:15:30.123Z"}',
        '{"text":"d\u00e9j\u00e0 pr\u00eat, \u4f60\u597d"}',
        '{"text":"d\\u00e9j\\u00e0 pr\\u00eat"}',
        "",
    ):
        assert detector().clear(payload.encode(), detector().entities, FLOOR), payload


def test_what_is_not_utf8_or_asks_for_guesses_is_not_clear() -> None:
    entities = detector().entities
    assert detector().clear(b"nothing", entities, FLOOR)
    assert not detector().clear(b"nothing \xff", entities, FLOOR)
    assert not detector().clear(b"nothing \\u0041 \xff", entities, FLOOR)
    assert not detector().clear(b"nothing", entities, FLOOR - 0.01)
    with pytest.raises(LookupError, match="SHOE_SIZE"):
        detector().clear(b"nothing", frozenset({"SHOE_SIZE"}), FLOOR)


def test_a_gate_for_some_entities_is_clear_of_the_others() -> None:
    some, fresh = frozenset({"IP_ADDRESS"}), Engine()
    assert fresh.clear(b"bob@example.com", some, FLOOR)
    assert not fresh.clear(b"192.0.2.1", some, FLOOR)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='\\\\\\nrtbfu"/x0041{}d83e@. \u00e9\u2013\n', max_size=24))
def test_a_payload_is_unescaped_as_the_text_codec_would(text: str) -> None:
    (whole,) = TEXT.read(text.encode())
    theirs = unescaped(text.encode()).decode()
    # What is no escape keeps its backslash there, and here may lose it; no trigger needs one.
    assert (
        theirs.replace("\\", "") == whole.text.encode(errors="replace").decode().replace("\\", "")
        or "\ud83e" in whole.text
    )
