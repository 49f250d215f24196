"""Digits and separators cut into groups, and the rows of whole groups that could be a telephone number. Pure.

What runs of one shape have in common is in phone_shapes.py. What the characters around a run say is read here too:
digits that go on as a word, a price or a decimal are no telephone number.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from proxy.detect.recognizers.digits import ascii_digits, only_digits, shape_of
from proxy.detect.recognizers.hotwords import phone_follows
from proxy.detect.recognizers.phone_forms import begins
from proxy.detect.recognizers.phone_shapes import DASH, GAP, SPACE, Shape, Start, kind_of, plan, short

EXTENSION = re.compile(
    r"[ ,;]{0,2}(?:(?:extension|extn?|int|dw|durchwahl|poste|ramal|anexo)[ .:]{0,2}|[x#] ?)\d{1,6}(?!\w)",
    re.IGNORECASE,
)
_PLUS = ("+", "\uff0b")
_OPENED = re.compile(r"(?:[+\uff0b][(\uff08]?|[(\uff08][+\uff0b]?)\Z")
_digits = re.compile(r"\d+")
_gap_left = re.compile(rf"\d({GAP}{{0,3}})\Z")
_goes_on = re.compile(r"[\-_.]?[a-z]|[\-_%\u00b0]\d?|[:,]\d", re.IGNORECASE)
# Where one character per group is too much to look at, these say where to look: at groups with which something
# better than a weak row may begin.
_begin = re.compile(rf"(?<=[\s\u3000/(\uff08])(?={begins(GAP)})[0-9]")
_OPEN, _SHUT = r"[(\uff08]", r"[)\uff09]"
_PLAIN = (
    rf"(?:{SPACE}{{1,2}}|{DASH}|\.|{SPACE}?/{SPACE}?|(?:{SPACE}{{0,2}}|{DASH}){_OPEN}"
    rf"|{_SHUT}(?:{SPACE}{{0,2}}|{DASH}|[./]))"
)
_begin_weak = re.compile(rf"(?<=[0-9])(?!{_PLAIN}[0-9]){GAP}{{1,3}}(?=[0-9](?:{_PLAIN}?[0-9]){{6}}|00)")
_SHORT = 20  # characters of a run in which every group is tried: to ask which are likely would take 3 to 6 us more
# A row has up to seven groups; whether these are part of a date or a card is told by so many on either side.
_BEFORE, _AHEAD = 4, 11
_PIECE, _AHEAD_OF = 16 * 1024, 128  # characters, and more than `_begin` and `_begin_weak` look ahead


class Run:
    """The run `text[start:end]`, or `part` of it: whole groups, with what leads the run or without.

    Rows may begin with the groups `first`, by default with all; groups beyond the part are of no concern. The run
    may be the rest of a longer one, where a window begins or a date was passed over: `_before` is the gap then.
    `digits` are those of all groups, in ASCII.
    """

    __slots__ = ("_at", "_before", "_begins", "_ends", "_first", "_others", "digits", "shape", "text")

    def __init__(
        self,
        text: str,
        start: int,
        end: int,
        part: tuple[int, int] | None = None,
        first: Iterable[int] | None = None,
    ) -> None:
        self.text, self._first = text, first
        self._at, to = part or (start, end)
        written = ascii_digits(text[self._at : to])
        self.shape = short(shape_of(written)) if first is None else Shape(written)
        self.digits = only_digits(written)
        self._before = gap_before(text, self._at + self.shape.spans[0][0])
        self._begins = self._at == start and not is_part_before(text, start)
        self._ends = to == end and not is_part_after(text, end)
        self._others = self.shape.cards
        if self.shape.dates:
            dates = [i for i in self.shape.dates if _is_date([self.row(n, n + 1) for n in range(i, i + 3)])]
            self._others = self._others.union(*[range(i, i + 3) for i in dates])

    def starts(self) -> Iterator[Start]:
        """Where rows may begin, and which."""
        shape, digits = self.shape, self.digits
        told = self._before, self._begins, self._ends, self._others
        for start in plan(shape, *told) if self._first is None else shape.starts(self._first, *told):
            if not start.zero or digits[shape.at[start.group]] == "0":
                yield start

    def row(self, i: int, j: int) -> str:
        """The digits of groups `i` to `j`, in ASCII."""
        return self.digits[self.shape.at[i] : self.shape.at[j]]

    def span(self, i: int, j: int) -> tuple[int, int]:
        """(start, end) of groups `i` to `j`, from digit to digit."""
        return self._at + self.shape.spans[i][0], self._at + self.shape.spans[j - 1][1]

    def place(self, i: int, j: int) -> tuple[int, int]:
        """(start, end) of groups `i` to `j`: with a plus sign or a bracket that is closed, and an extension."""
        start, end = self.span(i, j)
        if self.shape.gaps[i : i + 1] == ")" and j > i + 1:
            lead = _OPENED.search(self.text, max(0, start - 2), start)
            start = lead.start() if lead else start
        elif self.text[start - 1 : start] in _PLUS:
            start -= 1
        extension = EXTENSION.match(self.text, end)
        return start, extension.end() if extension else end


def runs(text: str, start: int, end: int) -> Iterator[Run]:
    """The parts of the run `text[start:end]` in which a row may begin that is a number."""
    if end - start <= _SHORT:
        yield Run(text, start, end)
        return
    plain = ascii_digits(text[start:end])
    begins = [start + at for at in _begins(plain)]
    groups = _digits.finditer(text, start, end)
    spans = [group.span() for group in (groups if begins else islice(groups, _AHEAD + 1))]
    first = sorted({0, *(bisect_left(spans, (at,)) for at in begins)})
    while first:
        reach = next((n for n, (i, j) in enumerate(pairwise(first), 1) if j - i > _BEFORE + _AHEAD), len(first))
        low, high = max(0, first[0] - _BEFORE), min(first[reach - 1] + _AHEAD, len(spans))
        part = spans[low][0] if low else start, spans[high - 1][1]
        yield Run(text, start, end, part, [i - low for i in first[:reach]])
        del first[:reach]


def _begins(plain: str) -> Iterator[int]:
    """Where groups begin with which a row may begin; in pieces, because a regex lets no other thread run."""
    for low in range(0, len(plain), _PIECE):
        high = low + _PIECE
        yield from (at for one in _begin.finditer(plain, low, high + _AHEAD_OF) if (at := one.start()) < high)
        yield from (one.end() for one in _begin_weak.finditer(plain, low, high + _AHEAD_OF) if one.start() < high)


def _is_date(parts: list[str]) -> bool:
    """Whether three groups of a date's sizes are a year, a month and a day in some order."""
    if len(parts[2]) > 2:
        parts.reverse()
    if len(parts[0]) == 4 and len(parts[1]) <= 2 and len(parts[2]) <= 2:
        year, *rest = map(int, parts)
        return 1900 <= year <= 2100 and 1 <= min(rest) <= 12 and max(rest) <= 31
    numbers = sorted(map(int, parts))
    return all(len(part) == 2 for part in parts) and 1 <= numbers[0] <= 12 and numbers[1] <= 31


def gap_before(text: str, first: int) -> str:
    """The kind of gap if digits stand left of those at `first`, in the same run; - if they are the same group."""
    gap = _gap_left.search(text, max(0, first - 4), first)
    return kind_of(gap[1]) if gap and gap[1] else "-" if gap else ""


def is_part_before(text: str, start: int) -> bool:
    """Whether what stands before `start` makes the digits part of something else: a word, a price, a decimal."""
    last = text[start - 1] if start else " "
    if not last.isascii():
        return last in "\u20ac\u00a3\u00a5"
    if last.isalnum() or last in "$@#\\^~":
        return True
    if last not in ",:-_.":
        return False
    other = text[start - 2 : start - 1] if start > 1 else ""
    # a word and a comma end a field of a list
    return other.isdecimal() if last in ",:" else other.isalnum()


def is_part_after(text: str, end: int) -> bool:
    """Whether what stands at `end` makes the digits part of something else; an extension or `-Office` does not."""
    if _goes_on.match(text, end) is None or EXTENSION.match(text, end):
        return False
    return not phone_follows(text, end)
