"""Which triggers share a database: nothing is left out that an ASCII text could match."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.detect import encoded
from proxy.detect.gate import Trigger, Wish
from proxy.detect.gate_vectorscan import open_all
from proxy.detect.herds import herds


@pytest.mark.parametrize(
    "trigger", [encoded.VEILS[0], r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]", r"\w{5}\d", "(?:x|[a-z]+)@"]
)
def test_what_any_word_may_begin_stands_apart(trigger: str) -> None:
    assert herds(["shoe", trigger]) == [[0], [1]]


@pytest.mark.parametrize(
    "trigger", ["[0-9a-f]{2}(?:-[0-9a-f]{2}){5}", "[a-z]{0,12}ssn", r"\d{4}", r"[\w.]@", "(?i:abcdef)"]
)
def test_what_waits_for_a_sign_or_a_name_stands_with_the_others(trigger: str) -> None:
    assert herds(["shoe", trigger]) == [[0, 1]]


def test_what_only_other_alphabets_match_is_left_out() -> None:
    assert herds(["\u00e9t\u00e9", "[\u0430-\u044f]+", "(?:\u4e16|\u754c)x", "a[\u4e16]"]) == []
    assert herds(["\u00e9?a", "(?:\u4e16|b)", "[\u00e9c]", "[^a]", "[\u4e16]*x"]) == [[0, 1, 2, 3, 4]]


def test_what_cannot_be_read_is_left_to_the_engine() -> None:
    assert herds([r"\bx", "(", "x"]) == [[0, 1, 2]]


OBLIGATORY = ["a", "[b-y]", "[a-z]{2,3}", "\u00e9", "[\u00e9z]", "-", r"\d", r"[^a-z]", "(?:ab|\u4e16)"]
PIECES = st.sampled_from([*OBLIGATORY, "[\u4e16]?", "(?:c\u00e9){0,2}"])
TRIGGER = st.builds("{}{}".format, st.lists(PIECES, max_size=4).map("".join), st.sampled_from(OBLIGATORY))


@settings(deadline=None)
@given(st.lists(TRIGGER, min_size=1, max_size=4), st.text("abcz-7\u00e9\u4e16", max_size=12).map(str.encode))
def test_in_herds_is_found_what_is_found_in_one_database(triggers: list[str], text: bytes) -> None:
    wishes = [triggers, *([one] for one in triggers)]
    gate, *alone = open_all([Wish(tuple(Trigger(0, one) for one in some), places=True) for some in wishes])
    hits = {end for one in alone for _, end in one.scan(text).hits}
    assert gate.clear(text) == (not hits)
    assert set(gate.ends(text) or ()) == hits
