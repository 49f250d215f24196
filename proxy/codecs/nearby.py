"""Those strings and numbers of a JSON document that given places touch; the others are passed over at C speed.

Which spans there are, and what their paths are, is said in scan.py; `touched` gives some of them, never others.
Valid is what `json` takes: it checks a KiB in 4 us, where `scan` walks it in 75. No text is found here and none
is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import accumulate

from proxy.codecs.scan import ELIDED, KEY_MARK, MAX_PATH, MIN_DIGITS, Span, step

LARGEST = 256 * 1024
"""Characters. `json` lets no other thread run before it is through: 4 ms for the worst of that size."""

_NOISE = bytes(set(range(128)) - set(b'{}[],"'))
_TOKEN = re.compile(r"[{}\[\],]|-?[0-9][-+.0-9eE]*+").finditer
_BEHIND_KEY = re.compile(r'"[ \t\n\r]*+:[ \t\n\r]*+.').match
_COMMA, _OPENING = ord(","), b"{["
_IN_OBJECT = -1


def touched(text: str, places: Iterable[int]) -> list[Span] | None:
    """The spans of `scan(text)` that one of `places` touches, in order; None if only `scan` can tell.

    A place touches the span that it stands in, at the beginning or end of, or one character behind; and
    everything in the container whose bracket it stands behind. What is spelt with backslashes is always touched,
    and so is the value of a key that is.
    """
    if len(text) > LARGEST:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None  # not JSON, or a mark before it, deep nesting, endless digits
    if not isinstance(document, dict | list):
        return None
    plain = text
    if "\\" in text:
        plain = text.replace("\\\\", "--").replace('\\"', "--")  # every quote that is left ends a string
        places = [*places, *_escaped(text, plain)]
    strings, gaps = _numbered(plain, sorted(places))
    return _Walk(text, plain).spans(strings, gaps, sorted({*strings, *gaps}))


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


def _numbered(plain: str, places: Sequence[int]) -> tuple[dict[int, tuple[int, int]], dict[int, set[int]]]:
    """By number: where the strings that are touched begin and end, and gaps with the places in them."""
    strings: dict[int, tuple[int, int]] = {}
    gaps: dict[int, set[int]] = {}
    quotes = at = reach = 0
    for place in places:
        if place < reach:
            continue  # in the same string as the last one
        quotes += plain.count('"', at, place)
        at = place
        if quotes % 2:
            end = plain.index('"', place)
            strings[quotes // 2] = plain.rfind('"', 0, place) + 1, end
            reach = end + 2
        elif plain[place - 1 : place] == '"':
            strings[quotes // 2 - 1] = plain.rfind('"', 0, place - 1) + 1, place - 1
        else:
            gaps.setdefault(quotes // 2, set()).add(place)
    return strings, gaps


class _Walk:
    """One way through a valid document, from gap to gap: a gap is what stands between two strings.

    Gap number n stands before string number n. `plain` is `text` with no quotes but those round strings.
    """

    def __init__(self, text: str, plain: str) -> None:
        self.text = text
        self.literal = "\\" not in text
        self.pieces = plain.split('"')  # gap, string, gap, string ... gap
        self.sizes: list[int] = []  # of all pieces before one; made when asked for
        self.gaps = '"'.join(self.pieces[::2]).encode().translate(None, _NOISE).split(b'"')
        self.found: list[Span] = []
        # For every container: which element of the array around it it is, or ~n as the value of the key that is
        # string number n. The document is in an array that nobody sees.
        self.inside: list[int] = []
        self.index = 0  # of the element that comes, or _IN_OBJECT
        self.paths = ["", "$"]  # of the containers that are open, as far as they were asked for
        self.whole = 0  # if not 0, everything is touched while so many containers are open

    def spans(
        self, strings: Mapping[int, tuple[int, int]], numbers: dict[int, set[int]], stops: Iterable[int]
    ) -> list[Span]:
        """What is touched: `strings` and the places in gaps; `stops` are the numbers of both, in order."""
        n, last = 0, len(self.gaps) - 1
        for stop in stops:
            if stop in strings and stop not in numbers and n <= stop:
                self._pass(n, stop + 1)
                self._string(stop, strings[stop])
                n = stop + 1
            elif n <= stop:
                self._pass(n, stop)
                n = stop
            while n == stop or (self.whole and n <= last):
                self._closely(n, numbers.get(n, ()))
                if n in strings or (self.whole and n < last):
                    self._string(n, strings.get(n))
                n += 1
        return self.found

    def _pass(self, first: int, behind: int) -> None:
        """Go through some gaps, in 0.06 us each if they are the common ones."""
        inside, index, paths = self.inside, self.index, self.paths
        for n, gap in enumerate(self.gaps[first:behind], first):
            if not gap:
                continue
            if gap == b",":
                if index >= 0:
                    index += 1
            elif gap == b"},{":
                inside[-1] += 1
                del paths[len(inside) :]
            else:
                self.index = index
                for sign in gap:
                    self._sign(n, sign)
                index = self.index
        self.index = index

    def _sign(self, n: int, sign: int) -> None:
        """Follow one sign of gap `n`."""
        if sign == _COMMA:
            self.index += self.index != _IN_OBJECT
        elif sign in _OPENING:
            self.inside.append(~(n - 1) if self.index == _IN_OBJECT else self.index)
            self.index = _IN_OBJECT if sign == _OPENING[0] else 0
        else:
            del self.paths[len(self.inside) :]
            self.index = max(self.inside.pop(), _IN_OBJECT)

    def _closely(self, n: int, places: Container[int]) -> None:
        """Go through one gap with a look at its numbers, and at whether a container is touched."""
        for token in _TOKEN(self.text, self._place(2 * n), self._place(2 * n + 1) - 1):
            start, end = token.span()
            if self.text[start] in "{}[],":
                self._sign(n, ord(self.text[start]))
                if end in places and self.text[start] in "{[":
                    self.whole = self.whole or len(self.inside)
                elif len(self.inside) < self.whole:
                    self.whole = 0
            elif end - start >= MIN_DIGITS and (
                self.whole or any(place in places for place in range(start, end + 2))
            ):
                self.found.append((self._path(n), start, end))

    def _string(self, n: int, place: tuple[int, int] | None) -> None:
        # behind a colon, a gap is empty here
        is_key = self.index == _IN_OBJECT and self.gaps[n]
        path = self._here() + self._step(n) + KEY_MARK if is_key else self._path(n)
        self.found.append((path, *(place or self._places(n))))

    def _path(self, n: int) -> str:
        """Of the value that stands in gap `n` or behind it."""
        return self._here() + (self._step(n - 1) if self.index == _IN_OBJECT else f"[{self.index}]")

    def _here(self) -> str:
        """The path of this container. Made when asked for, once."""
        paths = self.paths
        while len(paths) <= len(self.inside):
            at = self.inside[len(paths) - 1]
            path = paths[-1] + (f"[{at}]" if at >= 0 else self._step(~at))
            paths.append(path if len(path) < MAX_PATH else ELIDED)
        return paths[-1]

    def _step(self, n: int) -> str:
        if self.literal:
            key = self.pieces[2 * n + 1]
            return step(key, 0, len(key))
        return step(self.text, *self._places(n))

    def _places(self, n: int) -> tuple[int, int]:
        """Where string number `n` begins and ends."""
        return self._place(2 * n + 1), self._place(2 * n + 2) - 1

    def _place(self, piece: int) -> int:
        self.sizes = self.sizes or list(accumulate(map(len, self.pieces), initial=0))
        return self.sizes[piece] + piece
