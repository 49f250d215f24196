"""Payment cards: the issuer's range, its length, the check digit, and the groups in which cards are printed.

A run of digits and single separators is cut into its groups; a card is a row of whole groups, so no part of a
longer number and no decimal is one. Digits without separators must lie in a range whose cards have just that
length, because JSON is full of long ids; printed groups (4-4-4-4, 4-6-5 ...) say a little more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.recognizers.digits import ascii_digits, only_digits, shape_of

SURE = 1.0
UNCHECKED = 0.6  # UnionPay also issues numbers without a check digit; only the printed groups speak for those

# First digits (ISO/IEC 7812) and lengths, as the schemes publish them. Lengths that a scheme reserves but hardly
# issues are left out where other ids have them, 17 and 18 digits above all (message ids of chat services).
_ISSUERS = """
    4                                                   13 16 19    Visa
    51-55 2221-2720                                     16          Mastercard
    34 37                                               15          American Express
    30 36 38 39                                         14 16       Diners Club
    6011 622126-622925 644-649 65                       16 19       Discover, RuPay, Elo, Troy
    35                                                  16          JCB
    1800 2131                                           15          JCB
    62 81                                               16 19       UnionPay
    0604 5018 5020 5038 6304 6390 6759 6761-6763        12 13 14 15 16 17 18 19  Maestro
    56-58                                               12 16 19    Maestro
    2200-2204                                           16 19       Mir
    60 508                                              16          RuPay
    5061 5067 5090 5094 6277 6362 6363 6516 6550        16 19       Elo, Verve
    5019                                                16          Dankort
    636-639                                             16          InstaPayment, InterPayment
    9792                                                16          Troy
    8600 9860 5614                                      16          Uzcard, Humo
"""
_UNION_PAY = "62"

_PRINTED = frozenset(
    {
        *((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (4, 4, 4, 3), (4, 4, 4, 1), (4, 4, 4)),
        *((4, 6, 5), (4, 6, 4), (4, 5, 6), (4, 4, 5), (6, 13)),
    }
)
_FOURS = (4, 4, 4, 4)
_UATP = (4, 5, 6)  # airline cards begin with 1, as times and ids do: only in print

_SEPARATOR = r"[ \-._\u00a0\u2002-\u200b\u2010-\u2015\u202f\u2212\u3000]{1,2}"
_run = re.compile(rf"\d+(?:{_SEPARATOR}\d+)*")
_digits = re.compile(r"\d+")

_S = _SEPARATOR
# Where a card may begin, and the groups from there on as long as one sign sets them apart.
_begin = re.compile(
    rf"(?<!\d)(?=\d{{12,19}}(?!\d)|\d{{4}}({_S})\d{{4,6}}\1\d{{1,6}}(?!\d)|\d{{6}}{_S}\d{{13}}(?!\d))\d"
)
_groups = re.compile(rf"(\d++)(?:({_S})(\d++)(?:\2(\d++)(?:\2(\d++)(?:\2(\d++))?)?)?)?")
# Rows of groups of one size, as long as they are; which of 1, 2, 3 and 5 is told by which of the signs is there.
_even = re.compile(
    r"(?<!\d)(?:"
    + "|".join(
        rf"\d{{{size}}}(?!\d)(?:(?P<s{size}>{_S})\d{{{size}}}(?!\d)(?:(?P=s{size})\d{{{size}}}(?!\d))*+)?+"
        for size in (1, 2, 3, 5)
    )
    + ")"
)
_next = re.compile(rf"({_S})(\d{{1,4}})(?!\d)")
_SHORTEST, _LONGEST = 13 + 2, 19 + 2 * 18  # characters of a row with its signs
_uuid = re.compile(r"(?<![0-9a-z])[0-9a-f]{4}-\Z", re.IGNORECASE)
_doubled = bytes.maketrans(b"0123456789", b"0246813579")


# Any one or two signs of any kind between two digits, but those of lists and of JSON.
_GAP = r"[^0-9a-z,;:!?'\"(){}<>=/\\\[\]]{1,2}"


Place = tuple[int, int, tuple[int, ...]]
"""Start and end in a run, and the sizes of the groups between them."""


def _table() -> dict[int, list[tuple[int, frozenset[str]]]]:
    """For each length of a card, the first digits it may have, by how many they are."""
    table: dict[int, dict[int, set[str]]] = {}
    for line in _ISSUERS.split("\n"):
        words = line.split()
        lengths = [int(word) for word in words if word.isdigit() and 12 <= int(word) <= 19]
        for word in words[: words.index(str(lengths[0]))] if words else ():
            low, _, high = word.partition("-")
            prefixes = {str(prefix).zfill(len(low)) for prefix in range(int(low), int(high or low) + 1)}
            for length in lengths:
                table.setdefault(length, {}).setdefault(len(low), set()).update(prefixes)
    return {
        length: sorted((width, frozenset(prefixes)) for width, prefixes in by_width.items())
        for length, by_width in table.items()
    }


_by_length = _table()
_heads = {
    length: {f"{prefix}{digit}"[:2] for _, prefixes in by_width for prefix in prefixes for digit in range(10)}
    for length, by_width in _by_length.items()
}


def _triggers() -> tuple[str, ...]:
    """Digits alone that begin as cards of their length do, and every row of groups of `_candidates` below."""
    alone = []
    for length, by_width in _by_length.items():
        begins = {
            prefix[:2] if len(prefix) > 1 else f"{prefix}." for _, prefixes in by_width for prefix in prefixes
        }
        alone.append(rf"(?:{'|'.join(sorted(begins))})\d{{{length - 2}}}".replace(".", r"\d"))
    # the first for rows of 4 4 4, 4 6 4, 4 5 6 and 5 5 3: one is faster than four
    printed = ("4 4,6 3", "6 13", " ".join("1" * 13), "2 2 2 2 2 2 1", "3 3 3 3 1")
    rows = (_GAP.join(rf"\d{{{size}}}" for size in row.split(" ")) for row in printed)
    # also behind a letter, where no card is: so the engine waits for the same signs as with the telephone's rows
    return (rf"(?:^|[^0-9])(?:{'|'.join(alone)})(?:$|[^0-9a-z])", *rows)


class Card:
    """Cards of all schemes: 1.0, or 0.6 for UnionPay's without a check digit."""

    name = "card"
    entity = "CREDIT_CARD"
    triggers: tuple[str, ...] = _triggers()
    before = 100
    after = 100

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every card in the window. Findings overlap where a row of groups can be read as two."""
        for run in _run.finditer(text, start, end):
            if run.end() - run.start() >= 12:
                for first, last, score in _rows(text, run.start(), run.end(), deadline):
                    if score >= threshold:
                        yield Finding(self.entity, first, last, score, self.name)


def _rows(text: str, start: int, end: int, deadline: Deadline) -> Iterator[tuple[int, int, float]]:
    """(start, end, score) of the rows of groups in the run `text[start:end]` that are cards."""
    begins, ends = not _glued(text, start - 1), not _glued(text, end)
    plain = ascii_digits(text[start:end])
    size = end - start
    for first, last, sizes in _short(shape_of(plain)) if size <= _LONGEST else _candidates(plain):
        deadline.left()  # a run may be as long as its text
        if (not first and not begins) or (last == size and not ends):
            continue
        number = only_digits(plain[first:last])
        score = _printed(sizes, number) if len(sizes) > 1 else _alone(text, start + first, start + last, number)
        if score:
            yield start + first, start + last, score


@lru_cache(1024)
def _short(shape: bytes) -> tuple[Place, ...]:
    """The candidates in a short run; messages share a few shapes."""
    return tuple(_candidates(shape.decode()))


def _candidates(run: str) -> Iterator[Place]:
    """Groups that have the form of a card, set apart by the same sign throughout, whatever their digits are."""
    for first, last in chain(_printed_rows(run), _even_rows(run)):
        yield first, last, tuple([len(group) for group in _digits.findall(run, first, last)])


def _printed_rows(run: str) -> Iterator[tuple[int, int]]:
    """(start, end) of digits alone, and of groups as they are printed on cards."""
    for place in _begin.finditer(run):
        first = place.start()
        groups = _groups.match(run, first)
        assert groups is not None  # it begins with a digit
        sizes = [len(group) for group in groups.group(1, 3, 4, 5, 6) if group]
        if 12 <= sizes[0] <= 19:
            yield groups.span(1)
        for count in range(2, len(sizes) + 1):
            if tuple(sizes[:count]) in _PRINTED:
                yield first, groups.end(count + 1)


def _even_rows(run: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the rows of groups of one size, none of the printed ones, and perhaps a smaller last one."""
    for row in _even.finditer(run):
        first, last = row.span()
        if not _SHORTEST - 6 <= last - first <= _LONGEST:
            continue
        sign = row[row.lastgroup or 0]
        size = run[first:last].find(sign)
        more = _next.match(run, last)
        if more and more[1] == sign and len(more[2]) < size:
            last = more.end()
        signs = run.count(sign, first, last)
        if 12 < last - first - signs * len(sign) <= 19 and signs > 1:  # not the twelve digits of an IP address
            yield first, last


def _glued(text: str, at: int) -> bool:
    """Whether the character at `at` makes a number part of a longer one or of a word; letters of other scripts do
    not."""
    if not 0 <= at < len(text):
        return False
    char = text[at]
    return char.isalnum() if char.isascii() else char.isdecimal()


def _alone(text: str, start: int, end: int, number: str) -> float:
    """The score of digits without separators, which may be an id, a decimal or the end of a UUID."""
    if not is_issued(number) or not luhn(number):
        return 0.0
    decimal = (text[max(0, start - 2) : start - 1].isdecimal() and text[start - 1] in ".,") or (
        text[end : end + 1] == "." and text[end + 1 : end + 2].isdecimal()
    )
    return 0.0 if decimal or _uuid.search(text[max(0, start - 6) : start]) else SURE


def _printed(sizes: tuple[int, ...], number: str) -> float:
    """The score of digits in groups; four times four may be of any issuer of debit cards."""
    any_issuer = (sizes == _FOURS and number[0] in "56") or (sizes == _UATP and number[0] == "1")
    if (any_issuer or is_issued(number)) and luhn(number):
        return SURE
    return UNCHECKED if number.startswith(_UNION_PAY) and len(number) >= 16 and sizes[0] == 4 else 0.0


def is_issued(number: str) -> bool:
    """Whether a scheme has cards of this length that begin like this."""
    length = len(number)
    if number[:2] in _heads.get(length, ()):
        for width, prefixes in _by_length[length]:
            if number[:width] in prefixes:
                return True
    return False


def luhn(number: str) -> bool:
    """Whether the last of these ASCII digits is the check digit of ISO/IEC 7812-1 annex B."""
    digits = number.encode()  # a sum of bytes takes a tenth of a sum of `int`
    return (sum(digits[::-2]) + sum(digits[-2::-2].translate(_doubled)) - ord("0") * len(digits)) % 10 == 0
