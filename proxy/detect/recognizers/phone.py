"""Telephone numbers, scored by how they are written: a plus sign, the groups of some country, a word beside them.

A run of digits and separators is cut into groups (phone_rows.py); a number is a row of whole groups. Which rows
are numbers is said in phone_forms.py, which exist behind a plus sign in numbering.py, which words count in
hotwords.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.recognizers.digits import ascii_digits
from proxy.detect.recognizers.hotwords import announced, phone_follows, words_to_phone
from proxy.detect.recognizers.phone_forms import (
    INTERNATIONAL,
    OWN,
    TOLD,
    WEAK,
    WRITTEN,
    Form,
    form_of,
    is_speakable,
    score,
)
from proxy.detect.recognizers.phone_rows import (
    EXTENSION,
    Run,
    gap_before,
    is_part_after,
    is_part_before,
    runs,
)
from proxy.detect.recognizers.phone_shapes import GAP, LONGEST, Start

_GAP = rf"{GAP}{{1,3}}+"
_END = rf"(?!{_GAP}\d)"
# Runs begin with a digit, a plus sign or a bracket. Dates, unix times, decimals and digits behind a letter are
# passed over right here, because most of JSON is made of them; group 1 is digits alone, group 2 any other run.
_run = re.compile(
    rf"""[\d+(\uff0b\uff08](?:
        (?<=\d)(?:
            (?:(?<=1)9|(?<=2)0)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)
            |(?<=1)\d{{9}}(?:\d{{3}})?(?!\d){_END}
            |(?<=[1-9])\d*+\.\d++{_END}
            |(?<=[A-Za-z]\d)\d*+(?:[.\-]\d++)*+{_END}
            |(\d*+){_END}
        )
        |((?:(?<=\d)|(?<=[+\uff0b])[(\uff08]?\d|(?<=[(\uff08])[+\uff0b]?\d)\d*+(?:{_GAP}\d++)*+)
    )""",
    re.VERBOSE,
)


_WIDEST = 120  # characters of a row with its extension, or more
# What stands between two groups, and perhaps between two digits; not the signs of lists and of JSON.
_SIGN = r"[^0-9a-z,;:!?'\"{}<>=\\\[\]_]{1,3}"
_MAYBE = _SIGN.replace("{1,3}", "{0,3}")
_EDGE = "(?:^|[^0-9])"


def _more(digits: int) -> str:
    return rf"\d(?:{_MAYBE}\d){{{digits - 1}}}"


def _triggers() -> tuple[str, ...]:
    """One for every form in phone_forms.py that scores more than WEAK, and digits with a word beside them."""
    own = [f"{_EDGE}{_SIGN.join(groups)}" for groups, _ in OWN]
    return (
        f"[+\uff0b][(\uff08]?{_more(7)}",
        rf"{_EDGE}00\d{{0,3}}{_SIGN}{_more(4)}",
        rf"{_EDGE}\d{{3}}{_SIGN}\d{{3}}{_SIGN}\d{{4}}",
        rf"{_EDGE}0[1-9](?:{_SIGN}{_more(6)}|\d{_SIGN}{_more(5)}|\d{{2,3}}{_SIGN}{_more(3)})",
        f"[(\uff08]\\d{{2,5}}[)\uff09]{_MAYBE}{_more(3)}",
        *own,
        *announced(_more(7)),
    )


class Phone:
    """Numbers of any country with their calling code; without it, those in groups or announced by a word."""

    name = "phone"
    entity = "PHONE_NUMBER"
    triggers: tuple[str, ...] = _triggers()
    before = 120
    after = _WIDEST

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every number in the window; where rows of one run overlap, the surest, then the longest."""
        for run in _run.finditer(text, start, min(len(text), end + _WIDEST)):
            first, last = run.span()
            if run.lastindex is None or last - first < 7:
                continue
            deadline.left()
            if run.lastindex == 1:
                places = _alone(text, first, last, threshold)
            else:
                places = _grouped(text, first, last, threshold, deadline)
            for place in places:
                if place[0] < end:  # what begins behind the window may end behind what was read
                    yield Finding(self.entity, *place, self.name)


def _alone(text: str, start: int, end: int, threshold: float) -> Iterator[tuple[int, int, float]]:
    """(start, end, score) if the digits `text[start:end]` could be a number; cheap, for most are ids and times."""
    if threshold > TOLD or end - start > LONGEST or gap_before(text, start):
        return
    digits, form = ascii_digits(text[start:end]), form_of((end - start,), "", "")
    if score(digits, form) and not is_part_before(text, start) and not is_part_after(text, end):
        sure = _told(text, digits, form, (start, end))
        if sure >= threshold:
            extension = EXTENSION.match(text, end)
            yield start, extension.end() if extension else end, sure


def _grouped(
    text: str, start: int, end: int, threshold: float, deadline: Deadline
) -> Iterator[tuple[int, int, float]]:
    """(start, end, score) of the numbers in a run of groups; no two begin with the same group."""
    for run in runs(text, start, end):
        found: list[tuple[float, int, int]] = []
        covered = 0  # groups that nothing can take away from the number at the run's beginning
        for one in run.starts():
            deadline.left()  # a run may be as long as its text
            if one.group >= covered and (best := _best(run, one, threshold)):
                found.append((*best, one.group))
                covered = best[1] if best[0] == INTERNATIONAL else covered
        free = bytearray(b"\x01") * len(run.shape.spans)
        for sure, j, i in sorted(found, key=lambda row: (-row[0], row[2] - row[1], row[2])):
            if free[i]:  # what a surer row leaves uncovered on its left is part of the number
                free[i:j] = bytes(j - i)
                yield *run.place(i, j), sure


def _best(run: Run, start: Start, threshold: float) -> tuple[float, int] | None:
    """(score, group behind the last) of the surest row that begins with a group, the longest of those."""
    i, best = start.group, (0.0 if start.weak else WEAK)
    found: tuple[int, Form] | None = None
    for count, form in start.rows:
        sure = score(run.row(i, i + count), form)
        if sure > best:
            best, found = sure, (i + count, form)
        if sure >= (INTERNATIONAL if form.international else WRITTEN):
            break
    if found is None:
        return None
    if best == WEAK and threshold <= TOLD:
        best = _told(run.text, run.row(i, found[0]), found[1], run.span(i, found[0]))
    return (best, found[0]) if best >= threshold else None


def _told(text: str, digits: str, form: Form, place: tuple[int, int]) -> float:
    """The score of a weak row, for what the words beside it say; bare digits need one that is near."""
    if form.gaps:
        told = 0 < words_to_phone(text, place[0]) <= 5 or phone_follows(text, place[1])
    else:
        told = 0 < words_to_phone(text, place[0]) <= 3 and is_speakable(digits)
    return TOLD if told else WEAK
