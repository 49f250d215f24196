"""Which recognizers there are, and what of Presidio is in them. engine.py runs them.

Presidio's recognizers are called directly. Its AnalyzerEngine would load a language model, and for
recognizers that need none it adds nothing but time; tests/detect holds the verdicts of both side by side.
"""

from __future__ import annotations

import logging
from functools import cache

from presidio_analyzer.predefined_recognizers import (
    CryptoRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    UsSsnRecognizer,
)
from presidio_analyzer.predefined_recognizers.generic.iban_patterns import regex_per_country

from proxy.detect.patterns import Addresses, Devices, Ibans, Patterns, Wallets
from proxy.detect.recognizer import Recognizer
from proxy.detect.recognizers import ours

# Some of Presidio's warnings quote the text they are about.
logging.getLogger("presidio-analyzer").disabled = True

_COUNTRIES = "|".join(sorted(regex_per_country))
_OCTETS = r"[0-9](?:\.[0-9]{1,3}){3}"
_HEX = "[0-9a-f]{1,4}"
_GROUPS = rf"(?:{_HEX}:){{7}}[0-9a-f]"  # an IPv6 address without "::", and what begins with one before "::"
_ELIDED = rf"(?:^|[^\w:])(?:{_HEX}(?::{_HEX}){{0,6}}::|::[0-9a-f])"
_PAIR = "[0-9a-f]{2}"


@cache
def recognizers() -> tuple[Recognizer, ...]:
    """Everything that can be looked for. They keep nothing between calls, so all engines share them."""
    return (
        *ours(),
        Ibans(
            IbanRecognizer(),
            (rf"(?:^|(?-i:[^A-Z0-9]))(?-i:(?:{_COUNTRIES})[0-9]{{2}}(?:[ -]?[A-Z0-9]{{4}}){{2}})",),
            before=1,
            after=32,  # four groups of four, one of three, five separators, and what follows
        ),
        # Of Presidio's five patterns the other four score 0.05, which is less than a policy can ask the gate for.
        Patterns(UsSsnRecognizer(), (r"[0-9]{3}(?:-[0-9]{2}-|\.[0-9]{2}\.| [0-9]{2} )[0-9]{4}",), 1, 2),
        Addresses(IpRecognizer(), (_OCTETS, _GROUPS, _ELIDED), before=64, after=64),
        Devices(
            MacAddressRecognizer(),
            (
                rf"{_PAIR}(?::{_PAIR}){{5}}",
                rf"{_PAIR}(?:-{_PAIR}){{5}}",
                r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}",
            ),
            before=3,
            after=4,
        ),
        Wallets(
            CryptoRecognizer(),
            (r"bc1[a-z0-9]{25}", r"[13][1-9a-z]{25,34}(?:$|[^a-z0-9])"),
            before=0,
            after=60,
        ),
    )
