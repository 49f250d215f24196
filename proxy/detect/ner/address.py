"""Addresses grow together: numbers, units, postcodes and countries beside a place belong to it. Pure.

A model marks the words it is sure of; an address on the wire is only gone when its numbers are gone as well. And a
number alone, with no place beside it, is no address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from proxy.detect.ner.countries import COUNTRY
from proxy.detect.ner.model import LOCATION, Span
from proxy.detect.ner.window import union

# Bounded, as everything here that is matched against the whole text: no run of spaces may take time.
_SEP = r"(?:[ \t]{0,8}[,;./|>-]?[ \t]{0,8}(?:\r?\n[ \t>|?]{0,8})?(?:,[ \t]{0,8})?)"
_UNIT = (
    r"(?:(?:apt|apartment|suite|ste|unit|floor|fl|flat|room|rm|bldg|building|door|postbox"
    r"|(?:p\.?[ ]?o\.?[ ]?)?box|no|nr|psc|cmr)\b\.?[ ]?#?[0-9]{1,5}[a-z]?|\#[ ]?[0-9]{1,5})\b"
)
_NUMBER = r"(?<![\w.,-])[0-9]{1,6}[a-z]?(?:[/-][0-9]{1,4}[a-z]?)?(?![\w]|[.,:][0-9])"
_STATE = r"(?-i:\b[A-Z]{2,3}\b)"
_PROPER = r"(?-i:[A-ZÀ-ÖØ-ÞĀ-Ž][^\W\d_]+)"
_TITLE = rf"{_PROPER}(?:[ -](?:d[eo] |la |du )?{_PROPER}){{0,2}}"
_PART = rf"(?:{_UNIT}|{COUNTRY}|{_NUMBER}|{_STATE})"
_REST = re.compile(rf"(?:{_SEP}{_PART}){{1,6}}", re.IGNORECASE)
_COUNTRY_AFTER = re.compile(rf"{_SEP}{COUNTRY}(?:[ ]{_NUMBER})?", re.IGNORECASE)
_LEAD = re.compile(rf"(?:{_PART}{_SEP}){{1,4}}\Z", re.IGNORECASE)
_BETWEEN = re.compile(rf"{_SEP}(?:{_PART}{_SEP}){{0,4}}", re.IGNORECASE)
_LOOK_BACK = 48

_LINE = r"[ \t]{0,8}(?:,|,?[ \t]{0,8}\r?\n[ \t>|?]{0,8})[ \t]{0,8},?[ \t]{0,8}"
# A line of its own between a street and what ends an address: the town that the model does not know.
_TOWN = re.compile(rf"{_LINE}(?:{_PART}{_SEP}){{0,2}}{_TITLE}(?:{_SEP}{_PART}){{0,2}}{_SEP}", re.IGNORECASE)
_CORNER = re.compile(r"(?:\b(?:the|at)[ ])?\bcorner of[ ]\Z", re.IGNORECASE)
_CROSSING = re.compile(rf"[ ](?:and|&)[ ](?:(?:[0-9]{{1,5}}|[^\W\d_]{{2,4}}\.)[ ])?{_TITLE}")
_AND = re.compile(r"\.?[ ](?:and|&)[ ]", re.IGNORECASE)

# Formats of a post office, which are addresses whatever a model says: USPS Publication 28, sections 225 and 28.
_POST = re.compile(
    r"\b(?:(?:PSC|CMR|Unit)[ ][0-9]{1,5},?[ ]Box[ ][0-9]{1,5}"
    r"(?:[,\s]{1,4}(?:APO|FPO|DPO)[, ]+(?:AA|AE|AP)[ ][0-9]{5})?|P\.?[ ]?O\.?[ ]?Box[ ]#?[0-9]{1,6})\b",
    re.IGNORECASE,
)


# A country alone says nothing about anybody, unless somebody lives there, comes from there or goes there.
_RESIDENCE = re.compile(
    r"\b(?:live[sd]?|living|resid\w{1,12}|moved?|moving|born|travel\w{0,8}|fly|flying|flew|going|coming?|comes|came"
    r"|originally|based|grew up|raised|relocat\w{1,8}|emigrat\w{1,8}|immigrat\w{1,8}|holidays?|vacation|native)"
    rf"[ ](?:\w{{2,5}}[ ]){{0,2}}(?:in|to|from|of)[ ](?:the[ ])?(?P<place>{COUNTRY})",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"\b(?:zip|zip[ -]?code|postcode|postal code|post code|plz|postleitzahl|code postal|irányítószám)"
    r"(?:[ ]?(?:is|:|=|#))?[ ](?P<place>(?=[\w -]{0,4}[0-9])[0-9A-Z]{2,5}(?:[ -][0-9A-Z]{2,4})?)\b",
    re.IGNORECASE,
)


def addresses(text: str, found: Iterable[Span]) -> list[Span]:
    """`found` with its LOCATION spans joined and grown to whole addresses, and those without a word left out."""
    found = list(found)
    places = [span for span in found if span.entity == LOCATION]
    places += [Span(LOCATION, *match.span(), 0.85) for match in _POST.finditer(text)]
    places += [Span(LOCATION, *match.span("place"), 0.6) for match in _RESIDENCE.finditer(text)]
    rest = [span for span in found if span.entity != LOCATION]
    whole = [_grown(text, span) for span in _joined(text, union(places))]
    said = [Span(LOCATION, *match.span("place"), 0.6) for match in _POSTCODE.finditer(text)]
    kept = [span for span in union(whole) if _has_word(text, span)]
    return sorted(rest + union(kept + said), key=lambda span: span.start)


def _joined(text: str, places: list[Span]) -> list[Span]:
    joined = places[:1]
    for span in places[1:]:
        last = joined[-1]
        if span.start <= last.end or _belong(text, last, span):
            score = max(last.score, span.score)
            joined[-1] = Span(LOCATION, last.start, max(last.end, span.end), score)
        else:
            joined.append(span)
    return joined


def _belong(text: str, last: Span, span: Span) -> bool:
    """Whether what stands between two places lets them be one address."""
    if span.start - last.end > _LOOK_BACK:
        return False
    if _BETWEEN.fullmatch(text, last.end, span.start):
        return True
    if _street(text, last) and _TOWN.fullmatch(text, last.end, span.start):
        return True
    crossing = _AND.fullmatch(text, last.end, span.start) is not None
    return crossing and _CORNER.search(text[max(0, last.start - 16) : last.start]) is not None


def _street(text: str, span: Span) -> bool:
    value = text[span.start : span.end]
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value)


def _grown(text: str, span: Span) -> Span:
    """`span` with the parts of an address that stand directly beside it; a lone city takes only its country."""
    corner = _CORNER.search(text[max(0, span.start - 16) : span.start])
    if corner:
        crossing = _CROSSING.match(text, span.end)
        start = span.start - len(corner[0])
        return Span(LOCATION, start, crossing.end() if crossing else span.end, span.score)
    street = _street(text, span)
    after = (_REST if street else _COUNTRY_AFTER).match(text, span.end)
    low = max(0, span.start - _LOOK_BACK)
    before = _LEAD.search(text[low : span.start]) if street else None
    start = low + before.start() if before else span.start
    return Span(LOCATION, start, after.end() if after else span.end, span.score)


def _has_word(text: str, span: Span) -> bool:
    return any(char.isalpha() for char in text[span.start : span.end])
