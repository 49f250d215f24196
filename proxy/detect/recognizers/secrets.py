"""Keys, tokens and passwords that can be told by their own form; one entity, the recognizer's name says which.

Each kind is a row of proxy/detect/recognizers/forms.py: the letters it begins with, a pattern for the rest, and,
where that says little, a check. Patterns are rows of character classes, so they cannot backtrack far, and they are
tried only where the beginning stands at the edge of a word, so no run is read twice. What is secret only by the
name of its JSON key is not found here. UUIDs, hashes, etags, session ids and images in base64 are no secrets.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64Error
from collections import Counter
from collections.abc import Callable, Iterator
from math import log2

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline

Check = Callable[[str], bool]

LONGEST = 16_384  # characters; RSA keys of 16,384 bits and tokens with many claims are shorter
_LOOKBACK = 96


class Secret:
    """Begins with one of `begins` (a list of words; case counts) and goes on with `rest`.

    Group 1 of `rest`, if there is one, is the secret, else all of it. `glue` are characters that, like letters
    and digits, must not stand before it. `near` are words, one of which must stand in the 96 characters before.
    `check` has the last word.
    """

    entity = "SECRET"
    before = _LOOKBACK + 64

    def __init__(
        self,
        name: str,
        begins: str,
        rest: str,
        check: Check | None = None,
        *,
        score: float = 1.0,
        glue: str = "",
        near: tuple[str, ...] = (),
        trigger: str = "",
        longest: int = 400,
    ) -> None:
        self.name = name
        self.begins = tuple(begins.split(" "))
        self.triggers: tuple[str, ...] = tuple(f"(?-i:{re.escape(begin)}){trigger}" for begin in self.begins)
        self.rest = re.compile(rest, re.ASCII)
        self.check = check
        self.score = score
        self.glue = glue
        self.near = near
        self.longest = longest
        self.after = longest + 64

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every secret of this kind that begins in the window."""
        if self.score < threshold:
            return
        for begin in self.begins:
            at = text.find(begin, start, end)
            while at >= 0:
                deadline.left()
                match = None if self._inside_word(text, at) else self._match(text, at, len(begin))
                if match is not None:
                    first = match.start(1) if match.lastindex else at
                    last = match.end(match.lastindex or 0)
                    if self._holds(text, first, last):
                        yield Finding(self.entity, first, last, self.score, self.name)
                at = text.find(begin, at + 1, end)

    def _inside_word(self, text: str, at: int) -> bool:
        left = text[at - 1] if at else " "
        return (left.isascii() and left.isalnum()) or left in self.glue

    def _match(self, text: str, at: int, width: int) -> re.Match[str] | None:
        return self.rest.match(text, at + width, at + self.longest)

    def _holds(self, text: str, first: int, last: int) -> bool:
        if self.near:
            around = text[max(0, first - _LOOKBACK) : first].lower()
            if not any(word in around for word in self.near):
                return False
        return self.check is None or self.check(text[first:last])


class Formed(Secret):
    """A secret without a fixed beginning: `pattern` finds it, `trigger` is a superset of it for the gate."""

    def __init__(
        self, name: str, trigger: str, pattern: str, check: Check | None = None, *, score: float = 1.0
    ) -> None:
        super().__init__(name, "", "", check, score=score)
        self.triggers = (trigger,)
        self.pattern = re.compile(pattern, re.ASCII | re.IGNORECASE)

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """Every secret of this form that begins in the window."""
        if self.score < threshold:
            return
        stop = min(len(text), end + self.after)
        match = self.pattern.search(text, start, stop)
        while match is not None and match.start() < end:
            deadline.left()
            first, last = match.span(1)
            if self._holds(text, first, last):
                yield Finding(self.entity, first, last, self.score, self.name)
            match = self.pattern.search(text, match.start() + 1, stop)


class PrivateKey(Secret):
    """PEM blocks (RFC 7468), OpenSSH's and PGP's; a block whose end is missing as far as its text goes."""

    def __init__(self) -> None:
        super().__init__(
            "private-key",
            "-----BEGIN",
            r" [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
            longest=LONGEST,
            trigger=" [a-z0-9 ]{0,40}private key",
        )
        self.body = re.compile(r"(?:[\w+/=\s\\:,.]|-(?!-))*", re.ASCII)

    def _match(self, text: str, at: int, width: int) -> re.Match[str] | None:
        head = super()._match(text, at, width)
        if head is None:
            return None
        limit = at + self.longest
        foot = text.find("-----END ", head.end(), limit)
        inner = text.find(self.begins[0], head.end(), foot) if foot >= 0 else -1
        if foot < 0 or inner >= 0:
            return self.body.match(text, head.end(), limit)
        return _foot.match(text, foot, limit) or self.body.match(text, head.end(), limit)


_foot = re.compile(r"-----END [A-Z0-9 ]{0,60}(?:-----)?", re.ASCII)


def entropy(value: str) -> float:
    """Shannon's, in bits per character: 0 for `aaaa`, about 4 for hex, 3.5 to 5.5 for random keys."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values())


def random(bits: float) -> Check:
    """A check for values that nobody made up: a digit, a letter, and at least `bits` per character."""

    def check(value: str) -> bool:
        return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and entropy(value) >= bits

    return check


def is_mixed(value: str) -> bool:
    """Whether letters alone are too mixed for a word."""
    return entropy(value) >= 3.5


def is_assigned(value: str) -> bool:
    """Whether what stands behind `password=` is one: neither a word, nor a path, nor a variable."""
    return value[0] not in "/.~$%*" and not value.startswith("http") and random(2.7)(value)


def is_token(value: str) -> bool:
    """Whether the first part is a JOSE header (RFC 7515 section 4): JSON that names an algorithm or a type."""
    head = decoded(value.partition(".")[0])
    return head.lstrip().startswith(b"{") and (b'"alg"' in head or b'"typ"' in head or b'"enc"' in head)


def is_basic(value: str) -> bool:
    """Whether it holds `user:password` (RFC 7617 section 2), with no control characters."""
    pair = decoded(value)
    return b":" in pair[:-1] and min(pair) >= 32


def is_numeric_start(value: str) -> bool:
    """Whether the first part holds an account number, as Discord's tokens do."""
    return decoded(value.partition(".")[0]).isdigit()


def decoded(value: str) -> bytes:
    """`value` from base64 of either alphabet, padded or not; b"" if it is none."""
    plain = value.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (NotBase64Error, ValueError):
        return b""
