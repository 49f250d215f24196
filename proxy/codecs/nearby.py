"""Those strings and numbers of a JSON document that given places touch; the others are passed over at C speed.

Which spans there are, and what their paths are, is said in scan.py; `touched` gives some of them, never others.
Valid is what `json` takes: it checks a KiB in 4 us, where `scan` walks it in 75. No text is found here and none
is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

from proxy.codecs.scan import ELIDED, KEY_MARK, MAX_PATH, MIN_DIGITS, Span, step

LARGEST = 256 * 1024
"""Characters. `json` lets no other thread run before it is through: 4 ms for the worst of that size."""

_OPEN_OBJECT, _OPEN_ARRAY, _COMMA, _COLON = b"{[,:"
_SIGNS = b'{}[],:"'
_NOISE = bytes(char for char in range(128) if char not in _SIGNS)
_TOKEN = re.compile(r"[{}\[\],:]|-?[0-9][-+.0-9eE]*+").finditer
_BEHIND_KEY = re.compile(r'"[ \t\n\r]*+:[ \t\n\r]*+.').match


def touched(text: str, places: Iterable[int]) -> list[Span] | None:
    """The spans of `scan(text)` that one of `places` touches, in order; None if only `scan` can tell.

    A place touches the span that it stands in, at the beginning or end of, or one character behind; and
    everything in the container whose bracket it stands behind. What is spelt with backslashes is always touched,
    and so is the value of a key that is.
    """
    if len(text) > LARGEST:
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None  # not JSON, or a mark before it, deep nesting, endless digits
    plain = text
    if "\\" in text:
        plain = text.replace("\\\\", "--").replace('\\"', "--")  # every quote that is left ends a string
        places = [*places, *_escaped(text, plain)]
    return _Walk(text, plain).spans(sorted(places))


def _escaped(text: str, plain: str) -> Iterable[int]:
    """Places that touch every string with a backslash in it, and the value that follows if it is a key."""
    at = text.find("\\")
    while at >= 0:
        yield at
        end = plain.find('"', at)
        value = _BEHIND_KEY(text, end)
        if value:
            yield value.end()
        at = text.find("\\", end)


class _Walk:
    """One way through a valid document, from gap to gap: the text between two strings is a gap.

    Gap number n stands before string number n. `plain` is `text` with no quotes but those round strings.
    """

    def __init__(self, text: str, plain: str) -> None:
        self.text = text
        pieces = plain.split('"')  # gap, string, gap, string ... gap
        self.sizes = list(accumulate(map(len, pieces), initial=0))
        self.gaps = '"'.join(pieces[::2]).encode().translate(None, _NOISE).split(b'"')
        self.plain = plain
        self.found: list[Span] = []
        self.outer: list[tuple[str, int, int]] = []  # the containers around this one, as `here`, `index`, `grows`
        self.here = "$"
        self.index = 0  # of an array's element
        self.grows = 0  # 1 in an array, 0 in an object: what a comma adds to `index`
        self.key = 0  # number of the string that is the last key
        self.all = 0  # if not 0, everything is touched while so many containers are around

    def spans(self, places: Sequence[int]) -> list[Span] | None:
        strings, numbers = self._numbered(places)
        gaps = self.gaps
        if not gaps[0]:
            return None  # a lone string or number
        for n, gap in enumerate(gaps):
            if n in numbers or self.all:
                self._closely(n, numbers.get(n, ()))
            elif gap == b",":
                self.index += self.grows
            elif gap == b":":
                self.key = n - 1
            elif gap != b":,":  # a member that is no string
                self._signs(n, gap)
            if n in strings or (self.all and n < len(gaps) - 1):
                self._string(n)
        return self.found

    def _numbered(self, places: Sequence[int]) -> tuple[set[int], dict[int, set[int]]]:
        """Strings that are touched, and gaps with the places in them."""
        strings: set[int] = set()
        gaps: dict[int, set[int]] = {}
        number = at = 0
        for place in places:
            number += self.plain.count('"', at, place)
            at = place
            if number % 2 or self.plain[place - 1 : place] == '"':
                strings.add((number - 1) // 2)
            else:
                gaps.setdefault(number // 2, set()).add(place)
        return strings, gaps

    def _signs(self, n: int, gap: bytes) -> None:
        """Follow the brackets, commas and colons of gap `n`."""
        for sign in gap:
            if sign == _COMMA:
                self.index += self.grows
            elif sign == _COLON:
                self.key = n - 1
            elif sign in (_OPEN_OBJECT, _OPEN_ARRAY):
                self._open(sign == _OPEN_ARRAY)
            else:
                self.here, self.index, self.grows = self.outer.pop()

    def _closely(self, n: int, places: Iterable[int]) -> None:
        """The same for a gap with touched numbers or brackets."""
        start, end = self._place(2 * n), self._place(2 * n + 1) - 1
        for token in _TOKEN(self.text, start, end):
            sign, behind = token[0], token.end()
            if sign in "{}[],:":
                self._signs(n, sign.encode())
                if behind in places and sign in "{[":
                    self.all = self.all or len(self.outer)
                elif len(self.outer) < self.all:
                    self.all = 0
            elif len(sign) >= MIN_DIGITS and (
                self.all or any(token.start() <= place <= behind + 1 for place in places)
            ):
                self.found.append((self._path(), *token.span()))

    def _open(self, is_array: bool) -> None:
        path = self._path() if self.outer else "$"
        self.outer.append((self.here, self.index, self.grows))
        self.here = path if len(path) < MAX_PATH else ELIDED
        self.index, self.grows = 0, int(is_array)

    def _path(self) -> str:
        """Of the value that follows."""
        if self.grows:
            return f"{self.here}[{self.index}]"
        return self.here + self._step(self.key)

    def _string(self, n: int) -> None:
        start, end = self._place(2 * n + 1), self._place(2 * n + 2) - 1
        is_key = self.gaps[n + 1].startswith(b":")
        path = self.here + self._step(n) + KEY_MARK if is_key else self._path()
        self.found.append((path, start, end))

    def _step(self, n: int) -> str:
        return step(self.text, self._place(2 * n + 1), self._place(2 * n + 2) - 1)

    def _place(self, piece: int) -> int:
        return self.sizes[piece] + piece
