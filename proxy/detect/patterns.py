"""Presidio's pattern recognizers, run by a loop of our own.

The patterns, scores and validators are Presidio's. Its loop is not used, for three reasons: it swallows a
regex timeout and goes on (what was not looked at would pass), it waits 60 s before it does, and it builds
explanations that nobody reads. Which recognizers exist is said in proxy/detect/presidio.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import regex
import tldextract
from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import EmailRecognizer

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline


class Recognizer(Protocol):
    """Finds one entity in one text. Used by several threads at once, so it keeps nothing between calls."""

    entity: str
    needs: regex.Pattern[str]

    def find(self, text: str, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """What scores at least `threshold`, in no order, possibly overlapping. Raises TimeoutError."""


class Patterns:
    """One Presidio PatternRecognizer. `needs` is a regex that hits every text in which it finds anything."""

    def __init__(self, recognizer: PatternRecognizer, needs: str) -> None:
        source: Any = recognizer  # presidio leaves its attributes untyped
        self.entity: str = source.supported_entities[0]
        self.name: str = source.name
        self.needs = regex.compile(needs, source.global_regex_flags)
        self.source = source
        self.validates = type(source).validate_result is not PatternRecognizer.validate_result
        self.patterns = [(regex.compile(p.regex, source.global_regex_flags), p.score) for p in source.patterns]

    def find(self, text: str, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every match whose score, once validated, is at least `threshold`."""
        for pattern, base in self.patterns:
            if base < threshold and not self.validates:
                continue  # only a validator lifts a score
            for match in pattern.finditer(text, timeout=deadline.left()):
                start = match.start()
                for end in self.ends(match):
                    score = self.score(text[start:end], base)
                    if score > 0:
                        if score >= threshold:
                            yield Finding(self.entity, start, end, score, self.name)
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


class Ibans(Patterns):
    """IBANs. Presidio's pattern takes in words that follow, so shorter ends are tried until one validates."""

    def ends(self, match: regex.Match[str]) -> tuple[int, ...]:
        """The ends of the pattern's groups, longest first."""
        return (match.end(3), match.end(2), match.end(1))


# Not from the network: a filter must not ask anybody about the addresses it sees. The list that comes with
# the package is read instead.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

# What follows an @ without being a place for mail: versions (`lodash@4.17.21`), pixel densities (`@2x.png`).
_not_a_host = regex.compile(r"\dx\.\w+|.*\.(?:\d\w*|\w)", regex.IGNORECASE | regex.DOTALL)


class AnyEmailRecognizer(EmailRecognizer):
    """E-mail addresses of any domain: Presidio's pass `bob@corp.internal`, whose suffix is not public.

    1.0 under a public suffix, else 0.85.
    """

    def __init__(self) -> None:
        dotted = Pattern("dotted domain", EmailRecognizer.PATTERNS[0].regex, 0.85)
        local = Pattern("localhost", r"(?<![\w.+-])[\w.+-]++@localhost\b", 0.85)
        super().__init__(patterns=[dotted, local], name="EmailRecognizer")

    def validate_result(self, pattern_text: str) -> Any:
        """True: a public suffix; None: it may well be; False: it is no host."""
        host = pattern_text.rpartition("@")[2]
        if _suffixes(host).fqdn:
            return True
        return False if _not_a_host.fullmatch(host) else None
