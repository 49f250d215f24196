"""Telephone numbers, scored by how they are written. Parsing and numbering plans are libphonenumber's.

Presidio gives every number 0.4, which leaves a choice between missing all of them and hitting every order
id and unix time. The form tells them apart: a plus sign, or the groups in which a country writes its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
import regex
from phonenumbers import Leniency, PhoneNumberMatch, PhoneNumberMatcher, ValidationResult
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline

INTERNATIONAL = 0.85  # a plus sign, and valid in its country's numbering plan
SEPARATED = 0.7  # national digits grouped as their country groups them; or a plus sign and a possible number
BARE = 0.4  # nothing but digits: Presidio's own score

_plus = regex.compile(r"[+\uff0b]")
# What libphonenumber allows between two digits of a number, or a little more; at most four of them in a row.
_between = r"[\W\u30fcxX]"
_gap = regex.compile(rf"\d{_between}{{1,4}}\d")
_decimal = regex.compile(r"\D*\d+[.,]\d+\D*")  # a price that happens to be somebody's number


class _Matcher(PhoneNumberMatcher):
    """libphonenumber's matcher under a deadline. Left alone it gives up after 65,535 tries, in silence."""

    def __init__(self, text: str, region: str, leniency: int, deadline: Deadline) -> None:
        super().__init__(text, region, leniency=leniency, max_tries=2**62)
        self.deadline = deadline

    def _parse_and_verify(self, candidate: str, offset: int) -> PhoneNumberMatch | None:
        self.deadline.left()
        return super()._parse_and_verify(candidate, offset)


class Phones:
    """Numbers of any country with a plus sign, and of Presidio's eight regions without."""

    entity = "PHONE_NUMBER"
    name = "PhoneRecognizer"
    # What scores more than BARE has a plus sign, or a gap between two digits.
    triggers: tuple[str, ...] = ("[+\uff0b]", "\\d[\\W\u30fcxX]{1,4}\\d")
    before = after = 1 << 30  # libphonenumber's matcher is only right about whole texts

    def __init__(self) -> None:
        self.regions: tuple[str, ...] = PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS
        self._prove_deadline()

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Numbers written so that they score at least `threshold`."""
        if threshold > BARE and not _plus.search(text) and not _separated(text):
            return  # ids and prices: whatever is a number in there, scores BARE
        places: dict[tuple[int, int], float] = {}
        if _plus.search(text):
            for match in _Matcher(text, "ZZ", Leniency.POSSIBLE, deadline):
                places[match.start, match.end] = _international(match)
        for region in self.regions:
            for match in _Matcher(text, region, Leniency.EXACT_GROUPING, deadline):
                places.setdefault((match.start, match.end), _national(match))
        for (first, last), score in places.items():
            if score > 0 and score >= threshold and start <= first and last <= end:
                yield Finding(self.entity, first, last, score, self.name)

    def _prove_deadline(self) -> None:
        """The matcher's hook is not a public one: make sure that it is still called."""
        expired = Deadline(0)
        try:
            next(iter(_Matcher("+1 212 555 0142", "ZZ", Leniency.POSSIBLE, expired)), None)
        except TimeoutError:
            return
        raise RuntimeError("phonenumbers has changed: its matcher no longer honours the deadline")


def _international(match: PhoneNumberMatch) -> float:
    if phonenumbers.is_valid_number(match.number):
        return INTERNATIONAL
    if phonenumbers.is_possible_number_with_reason(match.number) != ValidationResult.IS_POSSIBLE:
        return 0.0  # for example a local number without its area
    return SEPARATED if _separated(match.raw_string) else BARE


def _national(match: PhoneNumberMatch) -> float:
    if _plus.search(match.raw_string):
        return _international(match)
    return SEPARATED if _separated(match.raw_string) else BARE


def _separated(text: str) -> bool:
    return _gap.search(text) is not None and not _decimal.fullmatch(text)
