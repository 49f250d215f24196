"""The shape of a run of digits and separators: its groups, what stands between them, which rows these could make.

Nearly all that is asked of a run is the same for all runs of one shape. For short ones it is worked out once,
because messages share a few shapes. Pure, and no digit is kept: numbers of one shape are one here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from proxy.detect.recognizers.phone_forms import Form, form_of, may_begin, may_score

LONGEST = 17  # digits, with two zeros in front
_BORDER = " (/X"  # kinds of gaps behind which a row may begin, and before which one may end
_END, _CUT = "$", "#"  # instead of a gap: a row may end there; it may not
GAP = r"[ \-./()\u00a0\u2002-\u200a\u2010-\u2015\u202f\u2212\u3000\uff08\uff09\uff0d]"
SPACE, DASH = r"[\s\u3000]", r"[\-\u2010-\u2015\u2212\uff0d]"
_G = rf"{GAP}{{1,3}}"
_digits = re.compile(r"\d+")
_LONG_DATES = frozenset(size for a in (1, 2) for b in (1, 2) for size in ((4, a, b), (a, b, 4)))
_DATES = _LONG_DATES | {(2, 2, 2)}
# Three groups that could be a date, and four that could be a card.
_may_be_other = re.compile(
    rf"(?<!\d)(?=(?:\d\d?{_G}\d\d?{_G}\d{{4}}|\d{{4}}{_G}(?:\d\d?{_G}\d\d?|(?:\d{{4}}{_G}){{2}}\d{{4}})"
    rf"|\d\d?{_G}\d\d?(?:{DASH}|\.|{SPACE}?/{SPACE}?)\d\d?)(?!\d))\d"
)


class Start(NamedTuple):
    """Rows that may begin with one group; with `zero`, only if its first digit is one.

    `weak`: weak forms count. `rows` are (groups, form), the longest first; those whose sizes and gaps say that
    they are nothing, or weak and not wanted, are left out.
    """

    group: int
    weak: bool
    zero: bool
    rows: tuple[tuple[int, Form], ...]


class Shape:
    """Groups of a run, but for their digits. Compared by identity.

    `spans` are the places of groups, `at` those of their digits among all digits, `gaps` has one character for
    what stands between two. `cards` are groups that are part of a card, `dates` begin three that may be a date.
    """

    __slots__ = ("at", "cards", "dates", "gaps", "lead", "sizes", "spans")

    def __init__(self, written: str) -> None:
        self.spans = [group.span() for group in _digits.finditer(written)]
        self.lead = written[: self.spans[0][0]].replace("\uff0b", "+")
        self.gaps = "".join([kind_of(written[left[1] : right[0]]) for left, right in pairwise(self.spans)])
        self.sizes = tuple([last - first for first, last in self.spans])
        self.at = tuple(accumulate(self.sizes, initial=0))
        self.cards: frozenset[int] = frozenset()
        self.dates: list[int] = []
        if len(self.spans) > 2:
            self._read_others(written)

    def _read_others(self, written: str) -> None:
        """Tell dates and cards: three or four groups set apart alike."""
        gaps, cards = self.gaps, set[int]()
        for place in _may_be_other.finditer(written):
            i = bisect_left(self.spans, place.span())
            if i + 2 > len(gaps):
                break
            if gaps[i] != gaps[i + 1] or gaps[i] not in "-./ ":
                continue
            if self.sizes[i : i + 4] == (4, 4, 4, 4) and gaps[i + 2] == gaps[i]:
                cards.update(range(i, i + 4))
            # years of two digits only where no group goes on with the same sign
            alone = gaps[i] != " " and gaps[i] not in (gaps[i + 2 : i + 3], gaps[i - 1 : i])
            if self.sizes[i : i + 3] in (_DATES if alone else _LONG_DATES):
                self.dates.append(i)
        self.cards = frozenset(cards)

    def starts(
        self, first: Iterable[int], before: str, begins: bool, ends: bool, others: frozenset[int]
    ) -> Iterator[Start]:
        """Rows that begin with one of the groups `first`; none with one of `others` in it.

        What is weak is a number as a whole or not at all, so it begins where the run does.
        """
        after = self.gaps + (_END if ends else _CUT)
        for i in first:
            gap = self.gaps[i - 1] if i else before
            whole = gap == "X" or (not gap and begins)
            if not whole and (not gap or gap not in _BORDER):
                continue
            stop = i + 7
            if others:
                stop = next((n for n in range(i, stop) if n in others), stop)
            rows = _rows(self.sizes[i:stop], after[i:stop], gap or self.lead, whole)
            if rows:
                yield Start(i, whole, not whole and not may_begin(gap, self.sizes[i : i + 3]), rows)


@lru_cache(1024)
def short(written: bytes) -> Shape:
    """The shape of a short run, written in UTF-8 with zeros for its digits."""
    return Shape(written.decode())


@lru_cache(1024)
def plan(shape: Shape, before: str, begins: bool, ends: bool, others: frozenset[int]) -> tuple[Start, ...]:
    """What rows of a whole run there are, for runs of a shape."""
    return tuple(shape.starts(range(len(shape.spans)), before, begins, ends, others))


@lru_cache(4096)
def _rows(sizes: tuple[int, ...], after: str, lead: str, weak: bool) -> tuple[tuple[int, Form], ...]:
    """(groups, form) of the rows of these groups that may score, the longest first. Whole texts share a few."""
    ends = (
        count
        for count in range(len(sizes), 0, -1)
        if 7 <= sum(sizes[:count]) <= LONGEST and (after[count - 1] in _BORDER or after[count - 1] == _END)
    )
    rows = ((count, form_of(sizes[:count], after[: count - 1], lead)) for count in ends)
    return tuple([(count, form) for count, form in rows if may_score(form, weak)])


@lru_cache(512)
def kind_of(gap: str) -> str:
    """One character for what stands between two groups; X for what does not stand inside a number."""
    plain = re.sub(r"[\s\u3000]", " ", gap).replace("\uff08", "(").replace("\uff09", ")")
    plain = re.sub(r"[\u2010-\u2015\u2212\uff0d]", "-", plain)
    for kind, written in _KINDS.items():
        if plain in written:
            return kind
    return "X"


_KINDS = {
    " ": (" ", "  "),
    "-": ("-",),
    ".": (".",),
    "/": ("/", " /", "/ ", " / "),
    "(": ("(", " (", "  (", "-("),
    ")": (")", ") ", ")  ", ")-", ").", ")/"),
}
