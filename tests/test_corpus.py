"""What is measured with is right: the corpora hold what they say, and the scorer counts as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from phonenumbers import is_valid_number, parse
from presidio_analyzer.predefined_recognizers import CryptoRecognizer, IbanRecognizer

from benchmarks.corpus import clean, values
from benchmarks.corpus.ids import Ids, luhn
from benchmarks.corpus.personal import hidden, plain
from benchmarks.scoring import Board, Score, Span, merged, only


def every(make: Any) -> list[values.Value]:
    return [value for seed in range(5) for value in make(Ids(seed))]


def test_the_same_seed_makes_the_same_messages_and_another_makes_others() -> None:
    for make in (clean.frames, plain, hidden):
        count = 1 if make is not clean.frames else 100
        assert make(count, 7) == make(count, 7)
        assert make(count, 7) != make(count, 8)


def test_clean_messages_come_from_many_protocols_and_are_not_all_alike() -> None:
    made = clean.frames()
    assert len(made) >= 500
    assert len({one.kind for one in made}) == len(clean.KINDS) >= 11
    assert len({one.text for one in made}) >= 0.9 * len(made)


def test_no_clean_message_holds_a_card_number() -> None:
    for one in clean.frames():
        for run in re.findall(r"(?<![\w.])\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}(?![\w.])", one.text):
            number = re.sub(r"\D", "", run)
            assert number[0] in "01789" or not luhn(number), (one.kind, run)


def test_no_clean_message_names_a_mailbox_or_a_host_by_its_address() -> None:
    for one in clean.frames():
        assert not re.search(r"\w@\w[\w-]*\.(?:com|org|net|io)\b(?!:)", one.text.replace("git@", "git")), one.text
        assert not re.search(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])", one.text), one.text


def strings(value: Any) -> Iterator[str]:
    """Every text of a JSON value, JSON in texts included."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from strings(member)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    else:
        yield str(value)
        if isinstance(value, str) and value[:1] in {"{", "["}:
            yield from strings(json.loads(value))


def test_a_span_holds_the_whole_value_and_nothing_else() -> None:
    seen = 0
    for one in (*plain(), *hidden()):
        (span,) = one.spans
        assert 0 <= span.start < span.end <= len(one.text)
        try:
            document = json.loads(one.text)
        except ValueError:
            continue
        spelt = one.text[span.start : span.end]
        marked = json.loads(one.text[: span.start] + "1" * 9 + one.text[span.end :])
        changed = [a for a, b in zip(strings(document), strings(marked), strict=True) if a != b]
        assert changed or one.label == "duplicate keys", spelt
        seen += 1
    assert seen > 1000


def test_values_hold_by_the_judgement_of_others() -> None:
    for value in every(values.phones):
        if value.need is values.Need.NOTHING:
            assert is_valid_number(parse("+" + value.text[2:] if value.text.startswith("00") else value.text))
    for value in every(values.cards):
        assert luhn(re.sub(r"\D", "", value.text))
    for value in every(values.ibans):
        assert IbanRecognizer().analyze(value.text, ["IBAN_CODE"]), value.form
    for value in every(values.wallets):
        assert value.form == "ethereum" or CryptoRecognizer().analyze(value.text, ["CRYPTO"]), value.form


def test_every_type_has_values_in_all_its_forms() -> None:
    made = [value for make in values.MAKERS for value in make(Ids(1))]
    assert set(values.CHECKED) < {value.entity for value in made}
    assert len(values.PHONES) >= 22 and len(values.IBANS) >= 20 and len(values.CARDS) >= 10
    assert all(value.entity in values.KEYS for value in made)


@pytest.mark.parametrize(("end", "found"), [(9, 1), (10, 1), (8, 0), (0, 0)])
def test_nine_tenths_of_a_span_must_be_covered(end: int, found: int) -> None:
    board = Board()
    missed, wrong = board.add([Span(0, 10, "IBAN_CODE")], [Span(0, end, "PHONE_NUMBER")] if end else [])
    assert (board.total.found, len(missed), len(wrong)) == (found, 1 - found, 0)
    assert board.by["IBAN_CODE"].found == found


def test_parts_add_up_and_overlaps_count_once() -> None:
    board = Board()
    board.add([Span(0, 10, "PERSON")], [Span(0, 6, "PERSON"), Span(4, 10, "PERSON"), Span(20, 22, "PERSON")])
    assert (board.total.found, board.total.predicted, board.total.right) == (1, 2, 1)
    assert merged([Span(4, 10, None), Span(0, 6, None), Span(10, 11, None)]) == [(0, 10), (10, 11)]


def test_a_span_without_a_type_counts_neither_way() -> None:
    board = Board()
    missed, wrong = board.add([Span(0, 10, None)], [Span(0, 10, "PERSON")])
    assert (missed, wrong) == ([], [])
    assert board.total == Score() and board.total.recall is None and board.total.f2 is None
    assert only([Span(0, 1, "PERSON"), Span(2, 3, "URL")], {"PERSON"})[1].entity is None


def test_f2_weighs_recall_double() -> None:
    score = Score(gold=10, found=5, predicted=4, right=4)
    assert score.recall == 0.5 and score.precision == 1.0
    assert score.f2 == pytest.approx(5 * 0.5 / 4.5)
    assert Score(gold=1, predicted=1).f2 == 0.0
