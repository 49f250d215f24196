"""What runs of digits of one shape have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.detect.recognizers.digits import only_digits, shape_of
from proxy.detect.recognizers.phone_shapes import Shape, plan, short

SIGNS = [" ", "-", ".", "/", "  ", ") ", " (", "(", ")", "\u00a0", "\u2010", " - "]


def test_a_shape_is_groups_and_what_stands_between_them():
    shape = Shape("+12 (345) 67-8")
    assert (shape.lead, shape.gaps, shape.sizes) == ("+", "()-", (2, 3, 2, 1))
    assert shape.spans == [(1, 3), (5, 8), (10, 12), (13, 14)]
    assert shape.at == (0, 2, 5, 7, 8)


@pytest.mark.parametrize(
    ("written", "cards", "dates"),
    [
        ("0000 0000 0000 0000", {0, 1, 2, 3}, []),
        ("00 0000-0000-0000-0000", {1, 2, 3, 4}, []),
        ("0000-00-00 000", set(), [0]),
        ("00/0/0000", set(), [0]),
        ("00-00-00", set(), [0]),
        ("00-00-00-00", set(), []),
        ("00 00 00", set(), []),
        ("000-000-0000", set(), []),
    ],
)
def test_a_shape_tells_cards_and_what_may_be_a_date(written: str, cards: set[int], dates: list[int]):
    shape = Shape(written)
    assert (shape.cards, shape.dates) == (cards, dates)


def test_in_a_card_no_row_may_begin():
    shape = short(b"0000 0000 0000 0000")
    assert plan(shape, "", True, True, shape.cards) == ()
    assert plan(shape, "", True, True, frozenset()) != ()


def test_where_only_a_zero_makes_a_row_strong_the_plan_says_so():
    starts = plan(short(b"00 0000 0000000"), "", True, True, frozenset())
    assert [(one.group, one.weak, one.zero) for one in starts] == [(0, True, False), (1, False, True)]


def test_a_row_ends_where_the_run_does_only_if_nothing_goes_on_there():
    shape = short(b"000-000-0000")
    (start,) = plan(shape, "", True, True, frozenset())
    assert [count for count, _ in start.rows] == [3]
    assert plan(shape, "", True, False, frozenset()) == ()


@given(st.lists(st.tuples(st.from_regex(r"[0-9]{1,5}", fullmatch=True), st.sampled_from(SIGNS)), min_size=1))
def test_a_shape_is_the_same_whatever_the_digits_are(groups: list[tuple[str, str]]):
    run = "".join(digits + sign for digits, sign in groups) + "1"
    one, other = Shape(run), Shape(shape_of(run).decode())
    assert all(getattr(one, name) == getattr(other, name) for name in Shape.__slots__)
    assert only_digits(run) == "".join(digits for digits, _ in groups) + "1"
