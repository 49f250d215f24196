"""Lists of values: whatever is on the list is found, wherever it stands, however many there are.

A list is its own gate: an automaton (Aho-Corasick) of how its values begin, and a set of all of them. The whole of
100,000 values in an automaton would take ten times the memory, and half a second in which no other thread runs; as
regexes for Vectorscan they would take minutes.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import accumulate, islice
from threading import Lock
from weakref import WeakValueDictionary

from ahocorasick_rs import BytesAhoCorasick

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.normal import normalise
from proxy.detect.recognizer import Recognizer

SCORE = 1.0
SHORTEST, LONGEST = 2, 200  # characters that a value has
BEGINNING = 8  # bytes of a value that are looked for at every place; its rest only where these stand
PIECE = 16 * 1024  # bytes that are looked at without a look at the clock
DOUBTS = 1024  # beginnings of values in one payload from which on it counts as unclear, values or not

_GAP = b"  "
# Scripts in which no space, or not always one, is between two words.
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_no_spaces = re.compile(rf"[{_SPACELESS}\U00020000-\U0003ffff]").match
_words_of = re.compile(rb"[^ \t\n\r\x0b\x0c]+").finditer

Place = tuple[int, int]


def wrong_value(value: str) -> str | None:
    """Why `value` cannot be on a list, as a sentence; None: it can."""
    size = len(" ".join(value.split()))
    if size < SHORTEST:
        return f"a value has {SHORTEST} characters at least: a shorter one would be found everywhere"
    if size > LONGEST:
        return f"a value has {LONGEST} characters at most"
    if not value.isprintable() and any(
        unicodedata.category(char) in ("Cc", "Cs") for char in "".join(value.split())
    ):
        return "a value has no control characters"
    return None


class Values:
    """The values of a list, as they are compared. Never changes, so all engines of a process share it."""

    def __init__(self, values: Iterable[str], *, ignore_case: bool, whole_word: bool) -> None:
        self._ignore_case, self._whole_word = ignore_case, whole_word
        self._values = frozenset(spelt.encode() for value in values for spelt in _spellings(value, ignore_case))
        beginnings: dict[bytes, tuple[int, ...]] = {_GAP: ()}  # and how long the values are that begin so
        for value in self._values:
            sizes = beginnings.get(value[:BEGINNING], ())
            if len(value) not in sizes:
                beginnings[value[:BEGINNING]] = (*sizes, len(value))
        self._sizes = [*beginnings.values()]
        self._find = BytesAhoCorasick([*beginnings]).find_matches_as_indexes
        self.backslashes = any(b"\\" in value for value in self._values)

    def nowhere(self, data: bytes) -> bool:
        """Whether no value begins in `data`; False when in doubt. Raises UnicodeDecodeError. A KiB takes 4 us."""
        if not data.isascii():
            data = _folded(data.decode(), self._ignore_case).encode()
        elif self._ignore_case:
            data = data.lower()
        if b"\n" in data or b"\t" in data or b"\r" in data:
            data = b" ".join(data.split())
        hits = self._find(data, True)
        if hits and not any(which for which, _, _ in hits):  # gaps: asking for them first costs 0.9 us
            hits = self._find(b" ".join(data.split()), True)
        return not hits

    def places(self, text: str, deadline: Deadline | None = None) -> Iterator[Place | None]:
        """Where values stand in `text`, in order of their beginnings; None: only the beginning of one."""
        whole = _folded(text, self._ignore_case).encode(errors="replace")  # half characters: they are in no value
        data = b" ".join(whole.split())  # one space counts as many, and as a line end
        way = _Way(whole, changed=len(data) != len(whole))
        for at in range(0, len(data), PIECE):
            if deadline is not None:
                deadline.left()
            hits = self._find(data[at : at + PIECE + BEGINNING - 1], True)
            for which, start, _ in sorted(hits, key=_second):
                if start < PIECE and which:
                    for place in self._at(data, at + start, self._sizes[which]):
                        yield way.back(place) if place is not None else None

    def _at(self, data: bytes, start: int, sizes: tuple[int, ...]) -> Iterator[Place | None]:
        found = False
        for size in sizes:
            end = start + size
            if end > len(data) or data[start:end] not in self._values:
                continue
            if not self._whole_word or _stands_alone(data, start, end):
                found = True
                yield start, end
        if not found:
            yield None


class WordList:
    """Finds the `values` of a list; a `SelfGated` recognizer."""

    triggers: tuple[str, ...] = ()
    before = after = 0

    def __init__(self, entity: str, values: Values) -> None:
        self.name = f"{entity.lower()} list"
        self.entity = entity
        self.backslashes = values.backslashes
        self._values = values

    def clear(self, data: bytes) -> bool:
        """As in SelfGated."""
        try:
            if len(data) <= PIECE and self._values.nowhere(data):
                return True
            places = self._values.places(data.decode())
        except UnicodeDecodeError:
            return False
        return all(place is None for place in islice(places, DOUBTS)) and next(places, places) is places  # no more

    def ends(self, data: bytes) -> Sequence[int] | None:
        """As in SelfGated."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return None
        places = self._values.places(text)
        ends = {place[1] for place in islice(places, DOUBTS) if place is not None}
        if next(places, places) is not places:  # there are more
            return None
        return sorted(ends) if len(text) == len(data) else _in_bytes(text, sorted(ends))

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """As in Recognizer: values that stand in no other one."""
        reach = start
        if threshold > SCORE:
            return
        for first, last in _longest_first(self._values.places(text, deadline)):
            if start <= first and reach < last <= end:
                reach = last
                yield Finding(self.entity, first, last, SCORE, self.name)


def word_list(entity: str, values: Sequence[str], *, ignore_case: bool, whole_word: bool) -> Recognizer:
    """Finds any of `values`; with `whole_word` only where no letter, digit or underscore stands beside it (where
    the script has spaces between words). White space counts as one space. Raises ValueError if there are none.
    """
    if not values:
        raise ValueError("there is nothing on the list")
    return WordList(entity, _shared_values(values, ignore_case=ignore_case, whole_word=whole_word))


_shared: WeakValueDictionary[bytes, Values] = WeakValueDictionary()
_sharing = Lock()


def _shared_values(values: Sequence[str], *, ignore_case: bool, whole_word: bool) -> Values:
    """What somebody has made of the same list already, as a reload does: 20 ms instead of 300."""
    written = "\n".join((str(ignore_case), str(whole_word), *values))
    digest = sha256(written.encode("utf-8", "surrogatepass")).digest()
    with _sharing:
        found = _shared.get(digest)
        if found is None:
            found = _shared[digest] = Values(values, ignore_case=ignore_case, whole_word=whole_word)
        return found


def _second(hit: tuple[int, int, int]) -> int:
    return hit[1]


def _longest_first(places: Iterable[Place | None]) -> Iterator[Place]:
    """Places in order of their beginnings -> the longest at each."""
    best: Place | None = None
    for place in places:
        if place is None:
            continue
        if best is not None and place[0] == best[0]:
            best = max(best, place)
            continue
        if best is not None:
            yield best
        best = place
    if best is not None:
        yield best


def _spellings(value: str, ignore_case: bool) -> Iterator[str]:
    """How `value` is compared: in all spellings that no reading (proxy/detect/readings.py) makes the same."""
    value = " ".join(value.split())
    if value.isascii():
        folded = _folded(value, ignore_case)
        yield folded
        if ignore_case and "ss" in folded:
            yield folded.replace("ss", "\u00df")
        return
    reading = normalise(value)
    forms = [unicodedata.normalize(form, value) for form in ("NFC", "NFD")]
    for spelt in {value, *forms, *([reading.text] if reading is not None else ())}:
        folded = _folded(spelt, ignore_case)
        yield folded
        if ignore_case:
            yield folded.replace("ss", "\u00df")
            yield folded.replace("\u00df", "ss")


def _folded(text: str, ignore_case: bool) -> str:
    """`text` for comparing, as long as it was."""
    if text.isascii():
        return text.lower() if ignore_case else text
    text = text.replace("\u2019", "'")
    if not ignore_case:
        return text
    # Turkish letters i are two characters in lower case, or another one; a sigma at the end of words is as well.
    return text.replace("\u0130", "i").replace("\u0131", "i").lower().replace("\u03c2", "\u03c3")


def _in_bytes(text: str, places: Iterable[int]) -> list[int]:
    at = size = 0
    found: list[int] = []
    for place in places:
        size += len(text[at:place].encode())
        at = place
        found.append(size)
    return found


class _Way:
    """The way from bytes with one space for any white space to characters of the text that has `whole` as bytes.

    Places come in order of their beginnings.
    """

    def __init__(self, whole: bytes, *, changed: bool) -> None:
        self._whole, self._changed, self._ascii = whole, changed, whole.isascii()
        self._at = self._characters = 0

    @cached_property
    def _words(self) -> tuple[list[int], list[int]]:
        """Where words begin in those bytes, and in the whole. Made when something was found."""
        words = [*_words_of(self._whole)]
        return [*accumulate((len(word[0]) + 1 for word in words), initial=0)], [word.start() for word in words]

    def back(self, place: Place) -> Place:
        """Of what neither begins nor ends with a space."""
        start, end = place
        if self._changed:
            begins, here = self._words
            first, last = (bisect_right(begins, at) - 1 for at in (start, end - 1))
            start, end = here[first] + start - begins[first], here[last] + end - begins[last]
        if self._ascii:
            return start, end
        self._characters += len(self._whole[self._at : start].decode())
        self._at = start
        return self._characters, self._characters + len(self._whole[start:end].decode())


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    return _is_edge(_char_at(data, start), _char_before(data, start)) and _is_edge(
        _char_before(data, end), _char_at(data, end)
    )


def _is_edge(char: str, beside: str) -> bool:
    """Whether a value that begins or ends with `char` is not cut out of a word by it."""
    if not _in_word(char) or not _in_word(beside):
        return True
    return _no_spaces(char) is not None or _no_spaces(beside) is not None


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_" or (not char.isascii() and unicodedata.category(char) in ("Mn", "Mc"))


def _char_at(data: bytes, at: int) -> str:
    return data[at : at + 4].decode(errors="ignore")[:1]


def _char_before(data: bytes, at: int) -> str:
    return data[max(0, at - 4) : at].decode(errors="ignore")[-1:]
