"""The forms in which telephone numbers are written, and those of other things made of groups of digits. Pure.

Without a calling code nearly every row of digits is a number somewhere, so numbering plans help little. What helps
is that people write the numbers of their country in few ways, and that most of these are used for nothing else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from proxy.detect.recognizers.numbering import is_possible, judged

INTERNATIONAL = 0.85  # with its calling code, and in use there
WRITTEN = 0.7  # grouped as numbers are, or with a calling code and as long as numbers there are
TOLD = 0.6  # weak, but a word beside it says so
WEAK = 0.4  # digits that could be a number

# Groups without a trunk digit that are used for nothing else: Spain, Brazil, Mexico, Russia, China, Australia.
OWN = (
    ((r"[89]\d", r"\d{3}", r"\d{2}", r"\d{2}"), (2, 3, 2, 2)),
    ((r"[6-9]\d{2}", r"\d{2}", r"\d{2}", r"\d{2}"), (3, 2, 2, 2)),
    ((r"[1-9][1-9]", r"9\d{4}", r"\d{4}"), (2, 5, 4)),
    ((r"[78]", r"[3489]\d{2}", r"\d{3}", r"\d{2}", r"\d{2}"), (1, 3, 3, 2, 2)),
    ((r"1[3-9]\d", r"\d{4}", r"\d{4}"), (3, 4, 4)),
    ((r"1[38]00", r"\d{3}", r"\d{3}"), (4, 3, 3)),
)
_own: dict[tuple[int, ...], re.Pattern[str]] = {sizes: re.compile("".join(groups)) for groups, sizes in OWN}
_US_SSN, _US_ZIP = (3, 2, 4), (5, 4)
_seconds = re.compile(r"1\d{9}|1\d{12}")  # since 1970, until 2033
_day = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?")


# The first three groups of forms that may begin behind other digits.
_FIRST = frozenset({(3, 3, 4), (1, 3, 3), *(sizes[:3] for sizes in _own)})


class Form(NamedTuple):
    """Whole groups of a run, but for their digits: sizes, the kinds of gaps between them, what stands in front.

    The rest says what these leave possible; the digits decide.
    """

    sizes: tuple[int, ...]
    gaps: str
    lead: str
    international: bool
    abroad: bool = False
    american: bool = False
    spaced: bool = False
    trunk: bool = False
    area: bool = False
    own: re.Pattern[str] | None = None
    weak: bool = False


@lru_cache(4096)
def form_of(sizes: tuple[int, ...], gaps: str, lead: str) -> Form:
    """The form of a row. Whole texts share a few."""
    bare = Form(sizes, gaps, lead, "+" in lead)
    if bare.international or len(sizes) == 1:
        return bare._replace(weak=True)
    length = sum(sizes)
    bare = bare._replace(abroad="." not in gaps and 2 <= sizes[0] <= 5 and 9 <= length <= 17)
    if not 7 <= length <= 15 or not _is_even(gaps):
        return bare
    return bare._replace(
        american=sizes in ((3, 3, 4), (1, 3, 3, 4)),
        spaced=set(gaps) == {" "},
        trunk=_has_trunk(sizes, gaps, length),
        area=lead.endswith(("(", "\uff08")) and _has_area(sizes, gaps, length),
        own=_own.get(sizes) if "." not in gaps and (sizes != (2, 5, 4) or gaps[-1] == "-") else None,
        weak=_is_weak(sizes, gaps),
    )


def score(digits: str, form: Form) -> float:
    """How sure a row of these ASCII digits is by its form alone; 0.0 if it can be no number."""
    if form.international:
        return _international(digits, form)
    if len(form.sizes) == 1:
        return (
            WEAK
            if 7 <= len(digits) <= 15 and not _seconds.fullmatch(digits) and not _day.fullmatch(digits)
            else 0.0
        )
    if form.abroad and digits.startswith("00") and is_possible(digits[2:]):
        return WRITTEN
    if (
        (form.american and _is_american(digits, len(form.sizes), form.spaced))
        or (form.trunk and digits[0] == "0" and digits[1] != "0")
        or (form.area and not (form.sizes[0] == 4 and digits[:2] in ("19", "20")))
        or (form.own and form.own.match(digits))
    ):
        return WRITTEN
    return WEAK if form.weak else 0.0


def _international(digits: str, form: Form) -> float:
    sizes, gaps = form.sizes, form.gaps
    if "()" in gaps:  # +44 (0)20: the bracket says what to leave out
        inner = gaps.index("()") + 1
        cut = sum(sizes[:inner])
        digits = digits[:cut] + digits[cut + sizes[inner] :] if digits[cut] == "0" else digits
    if not 7 <= len(digits) <= 15:
        return 0.0
    possible, valid = judged(digits)
    if valid:
        return INTERNATIONAL
    if gaps == "." or not possible:
        return WEAK if len(sizes) > 1 and gaps != "." else 0.0
    return WRITTEN if len(sizes) > 1 or len(digits) >= 10 else WEAK


def _is_even(gaps: str) -> bool:
    """Whether the gaps go together: one kind, or a first one of its own; spaces and hyphens mix, one slash may."""
    if "X" in gaps or gaps.count("/") > 1 or ("(" in gaps and gaps[:2] != "()"):
        return False
    rest = set(gaps[2 if gaps[:1] == "(" else 1 :]) - {"/"}
    return rest <= {"."} if gaps[:1] == "." else rest <= {" ", "-"} or (gaps[0] == ")" and rest <= {"."})


def _is_american(digits: str, groups: int, spaced: bool) -> bool:
    """Ten digits as 3-3-4, with or without 1 in front; set apart by spaces alone, area and exchange must exist."""
    if groups == 4 and digits[0] != "1":
        return False
    area, exchange = digits[-10], digits[-7]
    return (area > "1" and exchange > "1") if spaced else area != "0"


def _has_trunk(sizes: tuple[int, ...], gaps: str, length: int) -> bool:
    """Behind a zero the area, as in most of Europe, Asia and Africa: `030/1234567`, `08-74 01 24`."""
    return (
        9 - (gaps[:1] in "-/)" and set(gaps[1:]) == {" "}) <= length <= 13
        and 2 <= sizes[0] <= 5
        and 2 <= len(sizes) <= 6
        and (min(sizes[1:]) > 1 or (sizes[0] == 2 and sizes[1] == 1 and min(sizes[2:], default=0) > 1))
        and sizes not in (_US_SSN, _US_ZIP)
        and (gaps != "." or sizes[0] > 2)
    )


def _has_area(sizes: tuple[int, ...], gaps: str, length: int) -> bool:
    """An area in brackets: `(37) 788-063`, `(11) 91234-5678`; a year is none."""
    return gaps[0] == ")" and 2 <= sizes[0] <= 5 and 8 <= length <= 13 and min(sizes[1:]) > 1


def _is_weak(sizes: tuple[int, ...], gaps: str) -> bool:
    """Whether nothing speaks against it: neither a decimal, a thousand, a network address, an id."""
    if min(sizes[1:]) < 2 or len(sizes) > 6 or sizes == _US_SSN:
        return False
    if "." not in gaps:
        return True
    if len(sizes) == 2 or sizes[0] == 1 or (sizes[0] < 3 and set(sizes[1:]) == {3}):
        return False
    return len(sizes) != 4 or (max(sizes) > 3 and sizes[0] > 2)


def may_score(form: Form, weak: bool) -> bool:
    """Whether a row may score, whatever its digits are: more than WEAK, or if `weak` that too."""
    if form.international or (weak and form.weak):
        return True
    return form.abroad or form.american or form.trunk or form.area or form.own is not None


def may_begin(lead: str, sizes: tuple[int, ...]) -> bool:
    """Whether groups of `sizes` may score more than WEAK although their first digit is no zero. Cheap."""
    return lead == "(" or sizes[:3] in _FIRST


def begins(gap: str) -> str:
    """A regex that matches at every group, of ASCII digits, with which a row begins that scores more than WEAK and
    has no plus sign. `gap` matches one character of what stands between groups."""
    gaps, maybe = f"{gap}{{1,3}}", f"{gap}{{0,3}}"
    own = (gaps.join(groups).replace(r"\d", "[0-9]") for groups, _ in OWN)
    forms = (
        rf"(?:1{gaps})?[1-9][0-9]{{2}}{gaps}[0-9]{{3}}{gaps}[0-9]{{4}}(?![0-9])",  # _is_american
        # from abroad: what follows the zeros is a calling code, or 01 and the like, which `judged` takes for one
        rf"00{maybe}(?:[1-9]|0{maybe}(?:[1-9]|0{maybe}[17]))(?:{maybe}[0-9]){{4}}",
        rf"0[1-9][0-9]{{0,3}}{gaps}[0-9](?:[0-9]|{gaps}[0-9]{{2}})(?:{maybe}[0-9]){{2}}",  # _has_trunk
        r"(?<=[(\uff08])[0-9]{2,5}[)\uff09]",  # _has_area
        rf"(?:{'|'.join(own)})(?![0-9])",  # OWN
    )
    return "|".join(forms)


def is_speakable(digits: str) -> bool:
    """Whether bare digits are as many as people dial; more must begin with a calling code."""
    return len(digits) <= 12 or judged(digits.removeprefix("00"))[1]
