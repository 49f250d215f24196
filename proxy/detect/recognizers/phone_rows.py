"""Digits and separators cut into groups, and the rows of whole groups that could be a telephone number. Pure.

What the characters around a run say is read here too: digits that go on as a word, a price or a decimal are no
telephone number.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, islice, pairwise

from proxy.detect.recognizers.hotwords import phone_follows
from proxy.detect.recognizers.phone_forms import Row, begins, may_begin, may_score

EXTENSION = re.compile(
    r"[ ,;]{0,2}(?:(?:extension|extn?|int|dw|durchwahl|poste|ramal|anexo)[ .:]{0,2}|[x#] ?)\d{1,6}(?!\w)",
    re.IGNORECASE,
)
_PLUS = re.compile(r"[+\uff0b]\Z")
_OPENED = re.compile(r"(?:[+\uff0b][(\uff08]?|[(\uff08][+\uff0b]?)\Z")
LONGEST = 17  # digits, with two zeros in front
_BORDER = " (/X"  # kinds of gaps behind which a row may begin, and before which one may end
_END, _CUT = "$", "#"  # instead of a gap: a row may end there; it may not
_digits, _digit = re.compile(r"\d+"), re.compile(r"(?![0-9])\d")
GAP = r"[ \-./()\u00a0\u2002-\u200a\u2010-\u2015\u202f\u2212\u3000\uff08\uff09\uff0d]"
_gap_left = re.compile(rf"\d({GAP}{{0,3}})\Z")
_goes_on = re.compile(r"[\-_.]?[a-z]|[\-_%\u00b0]\d?|[:,]\d", re.IGNORECASE)
_G = rf"{GAP}{{1,3}}"
# Where one character per group is too much to look at, these say where to look: three groups that could be a date
# or four that could be a card, and groups with which something better than a weak row may begin.
_SPACE, _DASH = r"[\s\u3000]", r"[\-\u2010-\u2015\u2212\uff0d]"
_may_be_other = re.compile(
    rf"(?<!\d)(?=(?:\d\d?{_G}\d\d?{_G}\d{{4}}|\d{{4}}{_G}(?:\d\d?{_G}\d\d?|(?:\d{{4}}{_G}){{2}}\d{{4}})"
    rf"|\d\d?{_G}\d\d?(?:{_DASH}|\.|{_SPACE}?/{_SPACE}?)\d\d?)(?!\d))\d"
)
_begin = re.compile(rf"(?<=[\s\u3000/(\uff08])(?={begins(GAP)})[0-9]")
_OPEN, _SHUT = r"[(\uff08]", r"[)\uff09]"
_PLAIN = (
    rf"(?:{_SPACE}{{1,2}}|{_DASH}|\.|{_SPACE}?/{_SPACE}?|(?:{_SPACE}{{0,2}}|{_DASH}){_OPEN}"
    rf"|{_SHUT}(?:{_SPACE}{{0,2}}|{_DASH}|[./]))"
)
_begin_weak = re.compile(rf"(?<=[0-9])(?!{_PLAIN}[0-9]){_G}(?=[0-9](?:{_PLAIN}?[0-9]){{6}}|00)")
_SHORT = 20  # characters of a run in which every group is tried: to ask which are likely would take 3 to 6 us more
# A row has up to seven groups; whether these are part of a date or a card is told by so many on either side.
_BEFORE, _AHEAD = 4, 11
_PIECE, _AHEAD_OF = 16 * 1024, 128  # characters, and more than `_begin` and `_begin_weak` look ahead


class Run:
    """Groups of the run `text[start:end]`: `spans`; `gaps` has one character for what stands between two of them.

    Rows may begin with the groups `first`. Where `spans` are not all groups of the run, those beside them are of
    no concern. The run may be the rest of a longer one, where a window begins or a date was passed over: `_before`
    is the gap then.
    """

    __slots__ = (
        "_after",
        "_at",
        "_before",
        "_begins",
        "_digits",
        "_other",
        "_sizes",
        "first",
        "gaps",
        "spans",
        "start",
        "text",
    )

    def __init__(
        self,
        text: str,
        start: int,
        end: int,
        spans: list[tuple[int, int]],
        first: list[int],
        whole: tuple[bool, bool],
    ) -> None:
        self.text, self.start, self.spans, self.first = text, start, spans, first
        self.gaps = "".join([_kind(text[left[1] : right[0]]) for left, right in pairwise(spans)])
        self._sizes = tuple([last - first for first, last in spans])
        self._digits = ascii_digits("".join([text[first:last] for first, last in spans]))
        self._at = tuple(accumulate(self._sizes, initial=0))
        self._before = gap_before(text, spans[0][0])
        self._begins = whole[0] and not is_part_before(text, start)
        self._after = self.gaps + (_END if whole[1] and not is_part_after(text, end) else _CUT)
        self._other = self._others() if len(spans) > 2 else frozenset()

    def starts(self) -> Iterator[tuple[int, bool]]:
        """(index, whether weak forms count) of the groups with which a row may begin.

        What is weak is a number as a whole or not at all, so it begins where the run does.
        """
        for i in self.first:
            gap = self.gaps[i - 1] if i else self._before
            if gap == "X" or (not gap and self._begins):
                yield i, True
            elif gap and gap in _BORDER and may_begin(self.text[self.spans[i][0]], gap, self._sizes[i : i + 3]):
                yield i, False

    def rows(self, i: int, weak: bool) -> Iterator[tuple[Row, int]]:
        """(row, index behind its last group) of the rows that begin with group `i`, the longest first; those
        whose sizes and gaps say that they are nothing, or weak and not wanted, are left out."""
        lead = (
            self.gaps[i - 1]
            if i
            else self._before or self.text[self.start : self.spans[0][0]].replace("\uff0b", "+")
        )
        stop = i + 7
        if self._other:
            stop = next((n for n in range(i, stop) if n in self._other), stop)
        sizes, after, at = self._sizes[i:stop], self._after[i:stop], self._at[i]
        for count in _counts(sizes, after, lead, weak):
            digits = self._digits[at : self._at[i + count]]
            yield Row(digits, sizes[:count], after[: count - 1], lead), i + count

    def place(self, i: int, j: int) -> tuple[int, int]:
        """(start, end) of groups `i` to `j`: with a plus sign or a bracket that is closed, and an extension."""
        start, end = self.spans[i][0], self.spans[j - 1][1]
        lead = (_OPENED if self.gaps[i : i + 1] == ")" and j > i + 1 else _PLUS).search(
            self.text, max(0, start - 2), start
        )
        start = lead.start() if lead else start
        extension = EXTENSION.match(self.text, end)
        return start, extension.end() if extension else end

    def _others(self) -> frozenset[int]:
        """Indices of the groups that are part of a date or of a card: three or four groups set apart alike."""
        gaps, found = self.gaps, set[int]()
        for place in _may_be_other.finditer(self.text, self.spans[0][0], self.spans[-1][1]):
            i = bisect_left(self.spans, place.span())
            if i + 2 > len(gaps):
                break
            if gaps[i] != gaps[i + 1] or gaps[i] not in "-./ ":
                continue
            if self._sizes[i : i + 4] == (4, 4, 4, 4) and gaps[i + 2] == gaps[i]:
                found.update(range(i, i + 4))
            alone = gaps[i] != " " and gaps[i] not in (gaps[i + 2 : i + 3], gaps[i - 1 : i])
            if max(self._sizes[i : i + 3]) <= 4 and _is_date(self.text, self.spans[i : i + 3], alone):
                found.update(range(i, i + 3))
        return frozenset(found)


@lru_cache(4096)
def _counts(sizes: tuple[int, ...], after: str, lead: str, weak: bool) -> tuple[int, ...]:
    """How many of these groups make a row that may score, the most first. Whole texts share a few answers."""
    return tuple(
        [
            count
            for count in range(len(sizes), 0, -1)
            if 7 <= sum(sizes[:count]) <= LONGEST
            and (after[count - 1] in _BORDER or after[count - 1] == _END)
            and may_score(sizes[:count], after[: count - 1], lead, weak)
        ]
    )


def runs(text: str, start: int, end: int) -> Iterator[Run]:
    """The parts of the run `text[start:end]` in which a row may begin that is a number."""
    if end - start <= _SHORT:
        spans = [group.span() for group in _digits.finditer(text, start, end)]
        yield Run(text, start, end, spans, list(range(len(spans))), (True, True))
        return
    plain = ascii_digits(text[start:end])
    begins = [start + at for at in _begins(plain)]
    groups = _digits.finditer(text, start, end)
    spans = [group.span() for group in (groups if begins else islice(groups, _AHEAD + 1))]
    first = sorted({0, *(bisect_left(spans, (at,)) for at in begins)})
    while first:
        reach = next((n for n, (i, j) in enumerate(pairwise(first), 1) if j - i > _BEFORE + _AHEAD), len(first))
        low, high = max(0, first[0] - _BEFORE), min(first[reach - 1] + _AHEAD, len(spans))
        near = [i - low for i in first[:reach]]
        yield Run(text, start, end, spans[low:high], near, (low == 0, spans[high - 1][1] == end))
        del first[:reach]


def _begins(plain: str) -> Iterator[int]:
    """Where groups begin with which a row may begin; in pieces, because a regex lets no other thread run."""
    for low in range(0, len(plain), _PIECE):
        high = low + _PIECE
        yield from (at for one in _begin.finditer(plain, low, high + _AHEAD_OF) if (at := one.start()) < high)
        yield from (one.end() for one in _begin_weak.finditer(plain, low, high + _AHEAD_OF) if one.start() < high)


def _is_date(text: str, spans: list[tuple[int, int]], alone: bool) -> bool:
    """Whether three groups are a year, a month and a day in some order; years of two digits only if `alone`."""
    parts = [text[first:last] for first, last in spans]
    if len(parts[2]) > 2:
        parts.reverse()
    if len(parts[0]) == 4 and len(parts[1]) <= 2 and len(parts[2]) <= 2:
        year, *rest = map(int, parts)
        return 1900 <= year <= 2100 and 1 <= min(rest) <= 12 and max(rest) <= 31
    numbers = sorted(map(int, parts))
    return alone and all(len(part) == 2 for part in parts) and 1 <= numbers[0] <= 12 and numbers[1] <= 31


def ascii_digits(text: str) -> str:
    """`text` with digits of any script as those of ASCII."""
    return text if text.isascii() else _digit.sub(_of_ascii, text)


def _of_ascii(digit: re.Match[str]) -> str:
    return str(int(digit[0]))


@lru_cache(512)
def _kind(gap: str) -> str:
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


def gap_before(text: str, first: int) -> str:
    """The kind of gap if digits stand left of those at `first`, in the same run; - if they are the same group."""
    gap = _gap_left.search(text, max(0, first - 4), first)
    return _kind(gap[1]) if gap and gap[1] else "-" if gap else ""


def is_part_before(text: str, start: int) -> bool:
    """Whether what stands before `start` makes the digits part of something else: a word, a price, a decimal."""
    last, other = text[max(0, start - 1) : start], text[max(0, start - 2) : max(0, start - 1)]
    if last.isascii() and (last.isalnum() or (last and last in "$@#\\^~")):
        return True
    if last == ",":
        return other.isdecimal()  # a word and a comma end a field of a list
    if last and last in "-_.":
        return other.isalnum()
    return last in ("\u20ac", "\u00a3", "\u00a5") or (last == ":" and other.isdecimal())


def is_part_after(text: str, end: int) -> bool:
    """Whether what stands at `end` makes the digits part of something else; an extension or `-Office` does not."""
    if _goes_on.match(text, end) is None or EXTENSION.match(text, end):
        return False
    return not phone_follows(text, end)
