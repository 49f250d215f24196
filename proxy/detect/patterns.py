"""Presidio's pattern recognizers, run by a loop of our own.

The patterns, scores and validators are Presidio's. Its loop is not used: it swallows a regex timeout and goes on
(what was not looked at would pass), waits 60 s before it does, and goes on behind a match that its validator
rejected (so `AB12 GB82 WEST 1234 ...` hides an IBAN). Which recognizers exist is said in proxy/detect/presidio.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from socket import AF_INET, AF_INET6, inet_pton
from types import MappingProxyType
from typing import Any

import regex
from presidio_analyzer import PatternRecognizer

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline

_EDGE = 2
"""A match that ends less than this before a window's end could be another one if it saw how the text goes on."""


class Patterns:
    """One Presidio PatternRecognizer, a `Recognizer`; `triggers`, `before` and `after` as they are meant there."""

    SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """By name of a pattern, what stands in all that it matches: a text without it is passed over in no time."""

    def __init__(self, recognizer: PatternRecognizer, triggers: tuple[str, ...], before: int, after: int) -> None:
        source: Any = recognizer  # presidio leaves its attributes untyped
        self.entity: str = source.supported_entities[0]
        self.name: str = source.name
        self.triggers, self.before, self.after = triggers, before, after
        self.source = source
        self.validates = type(source).validate_result is not PatternRecognizer.validate_result
        self.patterns = [(regex.compile(p.regex, source.global_regex_flags), p.score) for p in source.patterns]
        self.signs = [self.SIGNS.get(p.name, ()) for p in source.patterns]

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every match whose score, once validated, is at least `threshold`."""
        for (pattern, base), signs in zip(self.patterns, self.signs, strict=True):
            if base < threshold and not self.validates:
                continue  # only a validator lifts a score
            if any(text.find(sign, start, end) < 0 for sign in signs):
                continue
            for match in _matches(pattern, text, start, end, deadline):
                at = match.start()
                for stop in self.ends(match):
                    score = self.score(text[at:stop], base)
                    if score > 0:
                        if score >= threshold:
                            yield Finding(self.entity, at, stop, score, self.name)
                        break

    def ends(self, match: regex.Match[str]) -> tuple[int, ...]:
        """Where the value may end, to be tried in turn."""
        return (match.end(),)

    def score(self, text: str, base: float) -> float:
        """`base`, or 1.0 if the validator confirms `text`, or 0.0 if it objects."""
        try:
            verdict = self.source.validate_result(text)
            invalid = self.source.invalidate_result(text)
        except Exception:
            # such an error likes to quote the text it failed on
            raise RuntimeError(f"{self.name} could not validate a match") from None
        if verdict is False or invalid:
            return 0.0
        return 1.0 if verdict else base


def _matches(
    pattern: regex.Pattern[str], text: str, start: int, end: int, deadline: Deadline
) -> Iterator[regex.Match[str]]:
    """What `pattern` matches at every place from `start` on, as if nothing ended at `end` but the window."""
    while True:
        for match in pattern.finditer(text, start, end, overlapped=True, timeout=deadline.left()):
            if match.end() > end - _EDGE and end < len(text):
                # `\b` holds at the end of what is searched, though the text goes on: "10.0.0.1/3" of "10.0.0.1/37"
                start, end = match.start(), min(len(text), end + 2 * (end - match.start()))
                break
            yield match
        else:
            return


class Ibans(Patterns):
    """IBANs. Presidio's pattern takes in words that follow, so shorter ends are tried until one validates."""

    def ends(self, match: regex.Match[str]) -> tuple[int, ...]:
        """The ends of the pattern's groups, longest first."""
        return (match.end(3), match.end(2), match.end(1))


class Wallets(Patterns):
    """Bitcoin addresses. Presidio's pattern takes up to 62 letters and digits from every 1 and 3 of a long token;
    these take what its validators can confirm: base 58 to the end of the token, or bech32."""

    PATTERNS = (r"[13][1-9A-HJ-NP-Za-km-z]{25,34}+(?![0-9A-Za-z])", r"(?i:bc1[ac-hj-np-z02-9]{25,59}+)")

    def __init__(self, recognizer: PatternRecognizer, triggers: tuple[str, ...], before: int, after: int) -> None:
        super().__init__(recognizer, triggers, before, after)
        self.patterns = [(regex.compile(pattern), self.patterns[0][1]) for pattern in self.PATTERNS]
        self.signs = [() for _ in self.patterns]


class Addresses(Patterns):
    """IP addresses, judged by C: Presidio's validator takes 10 us, and 20 for what is none."""

    SIGNS = MappingProxyType(
        {
            "IPv4_mapped": ("::", "."),
            "IPv4_embedded": (":", "."),
            "IPv4": (".",),
            "IPv6": (":",),
            "IPv6_unspecified": ("::",),
        }
    )

    def score(self, text: str, base: float) -> float:
        """As in Patterns. How long a network's prefix and a zone may be is in the patterns."""
        version_6, (host, _, _) = ":" in text, text.partition("/")
        try:
            inet_pton(AF_INET6 if version_6 else AF_INET, host)
        except (OSError, ValueError):
            return super().score(text, base) if version_6 else 0.0  # a zone, or none
        return base if text.isascii() else super().score(text, base)  # the prefix may be in digits of any script


class Devices(Patterns):
    """MAC addresses but those of nobody and of everybody; the rest of Presidio's validator is in the pattern.

    Six pairs out of a longer row, such as a fingerprint, are none.
    """

    def __init__(self, recognizer: PatternRecognizer, triggers: tuple[str, ...], before: int, after: int) -> None:
        super().__init__(recognizer, triggers, before, after)
        alone = r"(?<![0-9A-Fa-f]{{2}}[:-])(?:{})(?![:-][0-9A-Fa-f]{{2}})"
        self.patterns = [(regex.compile(alone.format(p.pattern), p.flags), score) for p, score in self.patterns]

    def score(self, text: str, base: float) -> float:
        """As in Patterns."""
        digits = set(text.lower()).difference(":-.")
        return 0.0 if digits in ({"0"}, {"f"}) else base
