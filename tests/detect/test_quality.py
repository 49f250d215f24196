"""The goals of detection, held on messages made from a seed: quiet on clean ones, thorough on the others.

All of it goes the way of a real message, codec to detector to policy to codec, under the default rules. The same
figures beside other detectors', and with the data of others: `python -m benchmarks.detect_quality`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from benchmarks.corpus import clean
from benchmarks.corpus.hiding import TRICKS
from benchmarks.corpus.personal import Personal, hidden, plain
from benchmarks.corpus.values import CHECKED
from benchmarks.detect_quality import is_json, told
from benchmarks.finders import Ours
from benchmarks.scoring import Board, Span

TOUCHED = 0.002  # of the clean messages, at most
GOAL = 0.98  # recall and precision of each type with a form or a check digit
PLACES = ("JSON in JSON", "object key", "duplicate keys")
FRAMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "clean_frames.jsonl"


@cache
def ours() -> Ours:
    return Ours()


@cache
def messages() -> list[Personal]:
    return plain()


@cache
def looked(text: str) -> tuple[list[Span], str]:
    """What is found in `text`, and what becomes of it."""
    return ours().find(text), ours().redact(text)


@cache
def scored() -> tuple[Board, list[str]]:
    """Every plain message, and what was missed or wrong there."""
    board, faults = Board(), []
    for one in messages():
        missed, wrong = board.add(one.spans, looked(one.text)[0])
        faults += [f"missed {told(one.text, span)}" for span in missed]
        faults += [f"wrong {told(one.text, span)}" for span in wrong]
    return board, faults


def touched(texts: list[str]) -> list[str]:
    return [told(text, span) for text in texts for span in looked(text)[0][:1]]


def test_clean_messages_are_left_alone() -> None:
    texts = [one.text for one in clean.frames()]
    found = touched(texts)
    assert len(texts) >= 500 and len(clean.KINDS) >= 11
    assert len(found) <= TOUCHED * len(texts), "\n".join(found)


def test_a_clean_message_leaves_as_the_object_that_came() -> None:
    for one in clean.frames(90):
        assert looked(one.text)[0] or ours().leaves_alone(one.text)


if FRAMES.exists():  # not part of the repository, so not a skip that CI would have to refuse

    def test_no_clean_frame_of_the_field_is_touched() -> None:
        texts = [json.loads(line)["text"] for line in FRAMES.read_text("utf-8").splitlines()]
        assert len(texts) == 30
        assert touched(texts) == []


@pytest.mark.parametrize("entity", CHECKED)
def test_what_has_a_form_or_a_check_digit_is_found_and_nothing_else_is_taken_for_it(entity: str) -> None:
    board, faults = scored()
    score = board.by[entity]
    about = "\n".join(fault for fault in faults if f" {entity} " in fault)
    assert score.gold >= 25
    assert score.recall is not None and score.recall >= GOAL, about
    assert score.precision is not None and score.precision >= GOAL, about


@pytest.mark.parametrize("trick", [*TRICKS, *PLACES])
def test_no_trick_within_one_message_hides_anything(trick: str) -> None:
    chosen = [one for one in hidden() if one.label == trick]
    board = Board()
    missed = [told(one.text, span) for one in chosen for span in board.add(one.spans, looked(one.text)[0])[0]]
    assert chosen
    assert missed == []


def test_json_is_json_afterwards_too() -> None:
    texts = [one.text for one in (*clean.frames(), *messages(), *hidden()) if is_json(one.text)]
    redacted = [(text, looked(text)[1]) for text in texts]
    assert len(texts) > 1000
    assert [text for text, after in redacted if not is_json(after)] == []
    assert sum(text != after for text, after in redacted) > 500, "hardly anything was rewritten"


def test_what_is_found_is_what_is_rewritten() -> None:
    for one in messages()[::7]:
        spans = sorted(looked(one.text)[0], key=lambda span: span.start)
        kept = [
            one.text[a:b]
            for a, b in zip([0, *(s.end for s in spans)], [*(s.start for s in spans), None], strict=True)
        ]
        after, place = looked(one.text)[1], 0
        for part in kept:
            place = after.index(part, place) + len(part)
        assert after.endswith(kept[-1])
