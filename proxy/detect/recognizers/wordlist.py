"""Lists of values: whatever is on the list is found, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.recognizer import Recognizer

SCORE = 1.0
SOME = 500  # words that one regex looks for


class WordList:
    """A `Recognizer` of the values on a list."""

    triggers: tuple[str, ...] = ()
    before = 0
    after = 0

    def __init__(self, entity: str, regexes: Iterable[re.Pattern[str]]) -> None:
        self.name = f"{entity.lower()} list"
        self.entity = entity
        self._regexes = tuple(regexes)

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """The longest value at each place."""
        for regex in self._regexes:
            deadline.left()
            at = start if threshold <= SCORE else end
            while match := regex.search(text, at, end):
                deadline.left()
                yield Finding(self.entity, *match.span(), SCORE, self.name)
                at = match.start() + 1


def word_list(entity: str, words: Iterable[str], *, ignore_case: bool, whole_word: bool) -> Recognizer:
    """Finds any of `words`; with `whole_word` only where no letter, digit or underscore stands beside it."""
    listed = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    edges = (r"(?<!\w)", r"(?!\w)") if whole_word else ("", "")
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    parts = ["|".join(map(re.escape, listed[at : at + SOME])) for at in range(0, len(listed), SOME)]
    return WordList(entity, [re.compile(f"{edges[0]}(?:{part}){edges[1]}", flags) for part in parts])
