"""The law of windows: what is found in windows round a recognizer's triggers is found in the whole text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.detect.recognizers import ours
from proxy.detect.triggers import spelt
from tests.detect.recognizers.looking import Gated, look, look_everywhere
from tests.detect.recognizers.samples import CARDS, E_MAILS, NOTHING, SECRETS_BY_KIND, TOLD

OURS = ours()
SECRETS = [value for several in SECRETS_BY_KIND.values() for value in several]
PIECES = st.one_of(
    st.sampled_from(CARDS),
    st.sampled_from(E_MAILS),
    st.sampled_from(SECRETS),
    st.sampled_from([place.format(value) for place, value in TOLD.items()]),
    st.sampled_from(NOTHING),
    st.sampled_from(
        [
            "(212) 555-0142",
            "+44 20 7946 0958",
            "060 123 45 67",
            "12 34 56 78",
            "phone",
            "tel",
            "order",
            "fax",
            "2026-11-22",
        ]
    ),
    st.sampled_from(
        ["x" * 300, "4111 " * 40, "a." * 200, "1 " * 60, "eyJ" * 30, "://u:" + "p" * 200, "/" * 70, "secret key "]
    ),
    st.text(alphabet="0123456789aA:.-/ ,@+()x%\"'=_", max_size=30),
    st.text(max_size=6),
    st.from_regex(r"[3-6][0-9]{3}[- .]?[0-9]{4}[- .]?[0-9]{4}[- .]?[0-9]{3,5}", fullmatch=True),
)
TEXTS = st.lists(PIECES, max_size=6).flatmap(
    lambda pieces: st.sampled_from(["", " ", ", ", "\n", '","', "\u00e9", "-", "."]).map(
        lambda glue: glue.join(pieces)
    )
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.booleans())
def test_windows_and_the_whole_text_give_the_same_findings(text: str, ends_only: bool) -> None:
    for recognizer in OURS:
        assert look(recognizer, text, FLOOR, ends_only) == look_everywhere(recognizer, text), recognizer.name


@pytest.fixture(scope="module")
def gated() -> Gated:
    """All of ours behind the gate that will run."""
    return Gated(OURS)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_the_gate_changes_no_verdict(gated: Gated, text: str) -> None:
    assert gated.look(text) == {finding for one in OURS for finding in look_everywhere(one, text)}


@pytest.mark.parametrize("recognizer", OURS, ids=lambda recognizer: recognizer.name)
def test_every_trigger_can_be_spelt_for_ascii_and_beyond(recognizer: Recognizer) -> None:
    assert recognizer.triggers
    for trigger in recognizer.triggers:
        assert spelt(trigger, False) and spelt(trigger, True)


def test_no_trigger_is_too_much_for_the_gate(gated: Gated) -> None:
    assert gated.gate.blind == frozenset()
    assert gated.gate.clear(b'{"type":"ack","id":"7b9f3c52","ts":1763859724123,"price":"91342.10"}')


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_findings_lie_inside_the_text_and_reach_the_threshold(text: str) -> None:
    for recognizer in OURS:
        for threshold in (0.3, 0.7, 1.0):
            found = look_everywhere(recognizer, text, threshold)
            assert all(0 <= f.start < f.end <= len(text) and threshold <= f.score <= 1 for f in found)
            assert found == {f for f in look_everywhere(recognizer, text, 0.0) if f.score >= threshold}


@pytest.mark.parametrize("recognizer", OURS, ids=lambda recognizer: recognizer.name)
def test_a_value_at_the_edge_of_long_filler_is_seen_through_a_window(recognizer: Recognizer) -> None:
    for filler in ("x " * 3000, "1 " * 2000, ". " * 3000, "a@" * 500, "-" * 5000):
        for value in (*CARDS[:3], *E_MAILS[:3], *SECRETS[:6], "postgres://bob:hunter2@db.example.com/app"):
            text = f"{filler} {value} {filler}"
            assert look(recognizer, text, 0.5, ends_only=True) == look_everywhere(recognizer, text)
