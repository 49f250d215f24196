"""Regexes for a gate: which payloads hold keys that say something about their values.

Made from the same names that keywords.py reads keys by, for JSON as it is written, escapes undone (`levels` in
escapes.py): a key in double quotes, a colon, and a value that is a string, a number or a container. A match ends
with the first character of that value. Other formats have to be read first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from proxy.detect.aliases import ABOVE, ENDINGS, NUMBERS
from proxy.detect.keywords import NAMES, NOTHING

GAP = r"[^0-9A-Za-z\"]*"  # what may stand between two words of a key
VALUE = r"\"\s*:\s*[\"\[{0-9-]"
CONTAINER = '"\\s*:\\s*(?:"[\\s\ufeff]*)?[\\[{]'  # also in a string, where the paths go on
_PLURAL = "(?:'?s|es)?"
# Words that may follow a name in its key without changing it.
REST = rf"(?:{GAP}(?:[0-9]+|{'|'.join(sorted(ENDINGS | NUMBERS))}){_PLURAL})+{GAP}"


def spelt(words: Iterable[str]) -> str:
    """Words of a key, in a row."""
    # an apostrophe is no letter, and no gap: `driver's license`
    return GAP.join(re.escape(word[:-1]) + "'?s" if word.endswith("s") else re.escape(word) for word in words)


def last(words: tuple[str, ...]) -> str:
    """The end of a name, or all of it, in the singular or the plural."""
    plain = spelt(words)
    if words[-1].endswith("y"):
        return f"(?:{plain}|{spelt((*words[:-1], words[-1][:-1]))}ie){_PLURAL}"
    return plain + _PLURAL


def _fewest(names: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Without those that end with another one, as nothing is asked of what stands before a name."""
    joined = {"".join(words) for words in names}
    return sorted(words for words in names if not any(end in joined for end in _ends(words)))


def _ends(words: tuple[str, ...]) -> Iterator[str]:
    """How `words` end, also without the words that REST takes."""
    whole = "".join(words)
    yield from (whole[at:] for at in range(1, len(whole)))
    while len(words) > 1 and (words[-1] in ENDINGS or words[-1] in NUMBERS or words[-1].isdecimal()):
        words = words[:-1]
        whole = "".join(words)
        yield from (whole[at:] for at in range(len(whole)))


def _alternatives(regexes: list[str], size: int = 24) -> Iterator[str]:
    """Some at a time, because engines limit how long a regex may be."""
    for at in range(0, len(regexes), size):
        yield f"(?:{'|'.join(regexes[at : at + size])})"


def _triggers() -> Iterator[str]:
    names = [name.words for name in NAMES.values() if name.kind != NOTHING and "".join(name.words).isascii()]
    for some in _alternatives([last(words) for words in _fewest(set(names))]):
        # apart, as most keys end with a name: one regex for both makes databases half as large again
        yield f"{some}{GAP}{VALUE}"
        yield f"{some}{REST}{VALUE}"
    # A name may be spread over a key and the one above it: `"card": {"number": ...}`.
    above = {words[:size] for words in names for size in range(1, len(words))}
    above = {words for words in above if "".join(words) in ABOVE}
    for some in _alternatives([spelt(words) for words in _fewest(above)]):
        yield f"{some}{GAP}{CONTAINER}"
    # Accents, other scripts, and letters that look like ours.
    yield rf"[^\x00-\x7f][^\"]*{VALUE}"


TRIGGERS: tuple[str, ...] = tuple(_triggers())
"""In the syntax of recognizer.py, matched caselessly. One hits every JSON payload in which `Keys.entity` says
something about the path of a value."""
