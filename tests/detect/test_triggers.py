"""Triggers mean the same in every engine and in Python, or more, never less."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
import regex

from proxy.detect import gate_vectorscan
from proxy.detect.gate import Gate, Trigger, Wish
from proxy.detect.gate_re2 import Re2Gate
from proxy.detect.look import Look
from proxy.detect.triggers import spelt, width
from tests.detect.looking import detector


def vectorscan(triggers: list[Trigger]) -> Gate:
    (gate,) = gate_vectorscan.open_all([Wish(tuple(triggers), places=True)])
    return gate


ENGINES: list[Callable[[list[Trigger]], Gate]] = [vectorscan, Re2Gate]


@pytest.mark.parametrize("open_gate", ENGINES)
@pytest.mark.parametrize(
    "atom",
    [
        r"\d",
        r"\w",
        r"\s",
        r"\D",
        r"\W",
        r"\S",
        r"[^\w:]",
        r"[^\d\s]",
        r"[\W_x]",
        "[^a-z]",
        "[+\uff0b\u30fc-\u30ff]",
    ],
)
def test_a_trigger_hits_every_character_that_pythons_engines_would_take(
    atom: str, open_gate: Callable[[list[Trigger]], Gate]
) -> None:
    gate = open_gate([Trigger(0, f"<{atom}>")])
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    for engine in (re, regex):
        match = engine.compile(atom, engine.IGNORECASE | engine.DOTALL).fullmatch
        missed = [char for char in characters if match(char) and gate.clear(f"<{char}>".encode())]
        # caselessly means in ASCII: the Kelvin sign and the like are no letters to a trigger
        assert set(missed) <= (set("\u017f\u212a\u0130\u0131") if atom == "[a-z]" else set())


@pytest.mark.parametrize("open_gate", ENGINES)
@pytest.mark.parametrize(
    ("trigger", "hits", "misses"),
    [
        ("ab", ["AB", "xaBx"], ["a b"]),
        ("(?-i:AB)c", ["ABc", "ABC"], ["abc", "Abc"]),
        ("(?-i:[A-Z](?i:x))y", ["QXY", "Qxy"], ["qxy"]),
        ("[a-c]{2}", ["AB", "ca"], ["a"]),
        ("[^a-c]x", ["dx", "\u00e9x"], ["ax", "Ax"]),
        (r"[]\-^]x", ["]x", "-x", "^x"], ["ax"]),
        (r"(?:^|[^\w])x(?:$|[^\w])", ["x", "a x.", "a\nx\nb"], ["ax", "xa"]),
        (r"a.b", ["a\nb", "a\u00e9b"], ["ab"]),
        (r"\x41\u00e9?".replace(r"\u00e9", "\u00e9") + "!", ["A!", "A\u00e9!"], ["B!"]),
        ("a[{}]{2}b", ["a{}b"], ["a{b"]),
    ],
)
def test_triggers_mean_in_every_engine_what_they_mean(
    trigger: str, hits: list[str], misses: list[str], open_gate: Callable[[list[Trigger]], Gate]
) -> None:
    gate = open_gate([Trigger(0, trigger)])
    assert not gate.blind
    for suffix in ("", " \u4e16"):
        assert [text for text in hits if gate.clear((text + suffix).encode())] == []
        assert [text for text in misses if not gate.clear((text + suffix).encode())] == []


@pytest.mark.parametrize(
    "bad", [r"\bx", "(?=x)y", "(?<!a)b", r"(a)\1", r"\pLx", "(?P<n>x)", "(?m)x", "[a", r"[\b]"]
)
@pytest.mark.parametrize("open_gate", ENGINES)
def test_what_no_engine_takes_makes_its_recognizer_look_at_everything(
    bad: str, open_gate: Callable[[list[Trigger]], Gate]
) -> None:
    gate = open_gate([Trigger(0, "fine"), Trigger(1, bad), Trigger(1, "also fine")])
    assert gate.blind == {1}
    assert not gate.clear(b"nothing")
    assert 1 in gate.scan(b"nothing").whole


@pytest.mark.parametrize("regex_", ["a{1,9}b", "ab|abcd", r"\d{3}(?:-\d{2}){2}", ".", "x?"])
def test_the_width_of_a_trigger_is_that_of_its_longest_match(regex_: str) -> None:
    known = {"a{1,9}b": 10, "ab|abcd": 4, r"\d{3}(?:-\d{2}){2}": 9, ".": 1, "x?": 1}
    assert width(regex_) == known[regex_]


@pytest.mark.parametrize("unbounded", ["a+b", "a*", "a{2,}", "x.{2000}y", r"\x{30fc}", "("])
def test_a_trigger_without_a_bound_says_so(unbounded: str) -> None:
    assert width(unbounded) is None


def test_spelling_out_leaves_no_category_to_the_engine() -> None:
    for recognizer in detector().recognizers:
        for trigger in recognizer.triggers:
            for beyond in (True, False):
                assert not re.search(r"\\[dDwWsSbB]", spelt(trigger, beyond).replace("\\\\", ""))


def test_every_trigger_of_ours_compiles_and_tells_where() -> None:
    own = detector().recognizers
    assert Look(own, by_key=False).always == frozenset()
    assert {one.name for one in own for trigger in one.triggers if width(trigger) is None} <= {"url-password"}
