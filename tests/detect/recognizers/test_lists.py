"""Whatever is on a list is found, wherever it stands and however long the list is; its gate passes over none."""

# ruff: noqa: RUF001

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.codecs import JSON, TEXT
from proxy.core.message import Leaf
from proxy.detect.deadline import Deadline
from proxy.detect.engine import Engine
from proxy.detect.recognizer import FLOOR, Recognizer, SelfGated
from proxy.detect.recognizers import wordlist
from proxy.detect.recognizers.wordlist import DOUBTS, PIECE, SCORE, word_list, wrong_value
from tests.detect.test_clear import ESCAPES, respelt
from tests.detect.test_near import read_and_whole


def listed(*values: str, ignore_case: bool = True, whole_word: bool = True) -> Recognizer:
    return word_list("CODENAME", values, ignore_case=ignore_case, whole_word=whole_word)


def found(one: Recognizer, text: str) -> list[str]:
    return [text[f.start : f.end] for f in one.find(text, 0, len(text), FLOOR, Deadline(5))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Blue Heron", "the BLUE HERON, again"),
        ("Blue Heron", "blue\n   heron"),
        ("AC-0012/77", "id=ac-0012/77."),
        ("4711123", "4711123"),
        ("C++", "in c++, not c"),
        ("#42", "issue#42!"),
        ("O'Neill", "Mr. O’NEILL"),
        ("O’Neill & Söhne", "o'neill & SÖHNE"),
        ("Straße", "STRASSE"),
        ("Strasse", "straße"),
        ("İstanbul", "ISTANBUL"),
        ("Işık", "IŞIK"),
        ("ΟΔΥΣΣΕΥΣ", "Οδυσσεύς".replace("ύ", "υ")),
        ("Иванов", "ИВАНОВ"),
        ("Jose\u0301", "José"),
        ("José", "JOSE\u0301"),
        ("王小明", "我是王小明。"),
        ("Acme", "我在Acme工作"),
        ("김철수", "김철수는"),
        ("สมชาย", "คุณสมชายครับ"),
        ("राम", "राम और"),
        ("ＡＣＭＥ", "acme"),
        ("new\u00a0york", "New York"),
        ('say "hi"', 'they say "HI"'),
        ("ACME\\bob", "acme\\Bob"),
        ("x" * 200, "X" * 200),
    ],
)
def test_a_value_is_found_as_people_and_programs_write_it(value: str, text: str) -> None:
    one = listed("another", value, "Blue")
    assert one.find is not None and isinstance(one, SelfGated)
    assert len(found(one, text)) == 1
    assert not one.clear(text.encode())
    assert one.ends(text.encode())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann", "planned, anna, _ann"),
        ("Blue Heron", "blueheron, heron"),
        ("4711", "47110"),
        ("C++", "c+"),
        ("राम", "रामा"),
        ("Jos", "Jose"),
    ],
)
def test_part_of_a_word_is_not_a_value_unless_that_is_asked_for(value: str, text: str) -> None:
    one = listed(value)
    assert isinstance(one, SelfGated)
    assert found(one, text) == [] and one.clear(text.encode()) and one.ends(text.encode()) == []
    parts = listed("nne", "lue", "711", "+", "राम", "os", whole_word=False)
    assert len(found(parts, text)) == 1


def test_case_counts_if_it_is_to() -> None:
    one = listed("IT", "Ärger", ignore_case=False)
    assert found(one, "it is IT, Ärger and ärger") == ["IT", "Ärger"]


def test_of_values_in_one_another_the_longest_is_found_and_of_overlapping_ones_both() -> None:
    one = listed("New York", "York", "New York Times", "Times Square")
    assert found(one, "new york times square, york") == ["new york times", "times square", "york"]


def test_a_window_is_as_good_as_the_text() -> None:
    one = listed("Ann Lee")
    text = "Ann Lee, Ann  Lee, Ann Lee"
    assert [(f.start, f.end) for f in one.find(text, 3, 20, FLOOR, Deadline(5))] == [(9, 17)]


def test_a_list_is_sure_and_has_a_name() -> None:
    (finding,) = listed("Ann").find("Ann", 0, 3, 1.0, Deadline(5))
    assert (finding.entity, finding.score, finding.recognizer) == ("CODENAME", SCORE, "codename list")


@pytest.mark.parametrize("value", ["", " ", "x", " x ", "x" * 201, "a\0b", "a\x1bb"])
def test_what_would_be_found_everywhere_or_nowhere_cannot_be_listed(value: str) -> None:
    assert wrong_value(value)
    assert wrong_value(f"a {'b' if len(value) > 9 else 'bc'}") is None


def test_an_empty_list_is_none() -> None:
    with pytest.raises(ValueError, match="nothing on the list"):
        listed()


# -- against the obvious way --------------------------------------------------------------------------------

LETTERS = "aabB -_0.\n"
SOME = st.text(LETTERS, min_size=2, max_size=12).filter(lambda text: wrong_value(text) is None)


def obvious(values: list[str], text: str, ignore_case: bool, whole_word: bool) -> list[tuple[int, int]]:
    """Each value looked for at each place; those within others left out."""
    every = set()
    for value in values:
        words = value.split()
        before = r"(?<!\w)" if whole_word and re.match(r"\w", words[0]) else ""
        after = r"(?!\w)" if whole_word and re.search(r"\w\Z", words[-1]) else ""
        regex = before + r"(?=(" + r"\s+".join(map(re.escape, words)) + ")" + after + ")"
        every.update(match.span(1) for match in re.finditer(regex, text, re.IGNORECASE if ignore_case else 0))
    return sorted(one for one in every if not any(a <= one[0] and one[1] <= b and (a, b) != one for a, b in every))


@settings(max_examples=1000, deadline=None)
@given(st.lists(SOME, min_size=1, max_size=6), st.text(LETTERS, max_size=60), st.booleans(), st.booleans())
@example(["bb "], "bb", True, True)
def test_what_is_found_is_what_the_obvious_way_finds(
    values: list[str], text: str, ignore_case: bool, whole_word: bool
) -> None:
    one = listed(*values, ignore_case=ignore_case, whole_word=whole_word)
    spans = [(f.start, f.end) for f in one.find(text, 0, len(text), FLOOR, Deadline(5))]
    assert spans == obvious(values, text, ignore_case, whole_word)
    assert isinstance(one, SelfGated)
    assert one.clear(text.encode()) == (not spans)
    assert {end for _, end in spans} <= set(one.ends(text.encode()) or ())


# -- behind the gate ----------------------------------------------------------------------------------------

NAMES = [
    "Blue Heron",
    "Ann",
    "4711123",
    "Иванов",
    "王小明",
    "O'Neill",
    'The "Rock"',
    "a/b",
    "AC-12",
    "Müller & Co",
]


@cache
def engine(*more: str) -> Engine:
    return Engine([word_list("CODENAME", [*NAMES, *more], ignore_case=True, whole_word=True)], budget=5.0)


ONLY = frozenset({"CODENAME"})
HIDDEN = ["BLUE  heron", "Blue\nHeron", "ИВАНОВ", "Ｂlue Heron", "O’NEILL", "\u0412lue Heron", "47\u200b11123"]
HIDDEN += ["Blue%20Heron", "VGhlIG5hbWUgb2YgaXQgaXMgQmx1ZSBIZXJvbiBhZ2Fpbg=="]
VALUES = [*NAMES, *HIDDEN, "Jo", "Blue", "Heron", "planned", "4711123 "]


@st.composite
def documents(draw: st.DrawFn, values: list[str] = VALUES) -> str:
    value = st.sampled_from(values)
    around = st.sampled_from(["{}", "x {}", "{}.", "x{}", "\n{}\t", '"{}"', "\\{}", "é{}", "{}{}", "\ud83d{}"])
    text = st.builds(lambda one, other: one.replace("{}", other), around, value)
    content: object = draw(
        st.recursive(
            text | st.sampled_from([4711123, -4711123, 14711123, 4711123.5, True]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(value | st.just("n"), inner, max_size=3),
            max_leaves=5,
        )
    )
    document = json.dumps(content, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2])))
    for _ in range(draw(st.integers(0, 2))):
        document = respelt(draw, document)
        document = json.dumps({"body": document}, ensure_ascii=draw(st.booleans()))
    return respelt(draw, document)


def check(document: str, engine: Engine) -> None:
    payload = document.encode(errors="replace")
    if engine.clear(payload, ONLY, FLOOR):
        for codec in (JSON, TEXT):
            leaves = codec.read(payload)
            assert not any(engine.search([one.text for one in leaves], ONLY, FLOOR))
            assert not any(engine.find(leaves, ONLY, FLOOR))
    read_and_whole(document, engine)


@settings(max_examples=500, deadline=None)
@given(documents())
def test_what_is_clear_has_no_value_and_what_is_not_is_read_near_them(document: str) -> None:
    check(document, engine())


@settings(max_examples=300, deadline=None)
@given(documents([*VALUES, "ACME\\bob", "\\\\srv\\x", "a\\"]))
@example(json.dumps({"a": "ACME\\bob"}))
@example("ACME\\bob")
def test_the_same_goes_for_values_with_backslashes(document: str) -> None:
    check(document, engine("ACME\\bob", "\\\\srv\\x", "a\\"))


@pytest.mark.parametrize("value", [*NAMES, *HIDDEN])
def test_a_value_is_found_however_it_is_hidden(value: str) -> None:
    escaped = "".join(map(ESCAPES["u"], value))
    for payload in (
        f"so {value} it",
        json.dumps([value]),
        f'{{"a":"{escaped}"}}',
        json.dumps([json.dumps([value])]),
    ):
        assert not engine().clear(payload.encode(), ONLY, FLOOR)
        assert any(engine().find(JSON.read(payload.encode()), ONLY, FLOOR)), payload


def numbers(payload: bytes) -> list[str]:
    leaves = JSON.read(payload)
    some = engine().find(leaves, ONLY, FLOOR)
    return [leaf.text[f.start : f.end] for leaf, ones in zip(leaves, some, strict=True) for f in ones]


def test_a_bare_number_may_be_a_value() -> None:
    assert numbers(b'{"a": 4711123, "b": [14711123, -4711123], "phone": 4711123}') == ["4711123"] * 3
    assert not engine().clear(b"[4711123]", ONLY, FLOOR)
    assert engine().clear(b"[47111234]", ONLY, FLOOR)


def test_a_text_without_values_is_clear_and_nothing_in_it_is_near() -> None:
    payload = json.dumps({"text": "so it is planned, in blue and white", "n": 4711}).encode()
    assert engine().clear(payload, ONLY, FLOOR)
    assert engine().near(payload, ONLY, FLOOR) == []
    assert not engine().clear(payload + b"\xff", ONLY, FLOOR)
    assert engine().near(payload + b"\xff", ONLY, FLOOR) is None


def test_a_list_beside_a_recognizer_without_a_gate_lets_that_look_at_everything() -> None:
    class Shoes:
        name, entity, triggers, before, after = "shoes", "SHOE", (), 0, 0

        def find(self, *_: object) -> Iterator[object]:
            return iter(())

    both = Engine([listed("Ann"), Shoes()])  # type: ignore[list-item] - it finds none
    assert not both.clear(b"nothing", frozenset({"SHOE", "CODENAME"}), FLOOR)
    assert both.near(b"nothing", frozenset({"SHOE", "CODENAME"}), FLOOR) is None
    assert both.find([Leaf("", "Ann", 0, 3, 0)], frozenset({"SHOE", "CODENAME"}), FLOOR)[0]


# -- long lists and long texts ------------------------------------------------------------------------------


def test_a_long_list_finds_each_of_its_values_and_only_these() -> None:
    values = [f"Customer {number * 7919 % 1_000_003} Ltd" for number in range(20_000)]
    one = listed(*values)
    text = " and ".join(values)
    assert found(one, text) == values
    assert found(one, text.replace("Ltd", "Inc")) == []


def test_values_are_found_where_a_long_text_is_looked_at_in_pieces() -> None:
    one = listed("Blue Heron Project")
    for place in (*range(PIECE - 30, PIECE + 3), 2 * PIECE - 5):
        text = "." * place + "blue heron project" + "." * PIECE
        assert [(f.start, f.end) for f in one.find(text, 0, len(text), FLOOR, Deadline(5))] == [
            (place, place + 18)
        ]


def test_too_many_beginnings_count_as_not_clear_and_the_deadline_ends_the_search() -> None:
    one = listed("anna")
    assert isinstance(one, SelfGated)
    for times, clear in ((DOUBTS, True), (DOUBTS + 1, False)):
        data = b"annab" * times
        assert one.clear(data) is clear
        assert (one.ends(data) is not None) is clear
    with pytest.raises(TimeoutError):
        list(one.find("anna " * PIECE, 0, 5 * PIECE, FLOOR, Deadline(-1)))


def test_the_same_list_is_there_once_and_not_for_ever() -> None:
    wordlist._shared.clear()
    first, second, other = listed("Ann", "Bob"), listed("Ann", "Bob"), listed("Ann", "Bob", ignore_case=False)
    assert first is not second and len(wordlist._shared) == 2
    del first, second, other
    gc.collect()
    assert len(wordlist._shared) == 0
