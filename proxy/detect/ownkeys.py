"""Keys that a user names: `staff_no` is an EMPLOYEE_ID, whatever stands there.

They are read as ours are (keywords.py): split into words, in any spelling, and meant wherever a key ends with
them. Unlike ours, they say it of every value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from proxy.detect.aliases import ENDINGS, NUMBERS
from proxy.detect.keytriggers import CONTAINER, GAP, REST, VALUE, last, spelt
from proxy.detect.keywords import OURS, SHORT, Vocabulary, Word, words

STAR = "*"
_FOREIGN = re.compile(r"[\^$\\?+()\[\]{}|]")
_JOINT = "[_.|]?"  # between two words of a name: see _row
_BEFORE, _INSIDE = "(?:^|[_.|])", "[^.]*"
_AFTER = rf"(?:[_.|](?:[0-9]+|{'|'.join(sorted(ENDINGS | NUMBERS))}))*\Z"

Pieces = tuple[tuple[str, ...], ...]
"""What stands between the stars of a name, as words. The first and the last may be empty."""


def wrong_key(name: str) -> str | None:
    """Why `name` is no name of keys, as a sentence; None: it is one."""
    if sign := _FOREIGN.search(name):
        return f"'{sign[0]}' is no sign of a key: a name of keys is words, and '*' stands for any letters"
    if not any(_pieces(name)):
        return "there is no letter and no digit in it"
    return None


class OwnKeys:
    """What the names in `keys` (by entity; of those that fit a key, the first one counts) say about paths.

    `staff_no` is also `StaffNo`, `STAFF-NO`, `staffno`, `user_staff_no`, `staffNos`, `staff_no_2`, and in JSON
    `{"staff": {"no": ...}}` and `{"staff_no": {"value": ...}}`. `*` stands for any part of one key. Raises
    ValueError for a name that is none.
    """

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        for name in chain(*keys.values()):
            if (why := wrong_key(name)) is not None:
                raise ValueError(why)
        named = {entity: [_pieces(name) for name in names] for entity, names in keys.items()}
        self._meant = [(entity, re.compile("|".join(map(_meant, some)))) for entity, some in named.items()]
        every = [*chain(*named.values())]
        self._vocabulary = _vocabulary(every)
        self.triggers = tuple(dict.fromkeys(chain(*map(_triggers, every))))
        """As those of keytriggers.py; names that no ASCII key can be are left to these."""

    def entity(self, above: str, key: str) -> str | None:
        """What `key`, which stands below `above` (empty: that does not count), says its values are."""
        steps = [words(one, self._vocabulary) for one in (above, key)]
        # with joined words apart, for where a name begins, and as they are, if they were taken apart wrongly
        rows = {".".join(_row(step, joint) for step in steps) for joint in ("|", "")}
        return next((entity for entity, meant in self._meant if any(map(meant.search, rows))), None)


def _pieces(name: str) -> Pieces:
    return tuple(tuple(word.text for word in words(piece)) for piece in name.split(STAR))


def _vocabulary(names: Iterable[Pieces]) -> Vocabulary:
    """Ours, and the words that `names` are made of."""
    pieces = [piece for name in names for piece in name if piece]
    joined = {"".join(piece) for piece in pieces}
    known = OURS.known.union(joined, *pieces)
    return Vocabulary(known, OURS.ends | {word for word in joined if len(word) > SHORT})


def _row(said: Sequence[Word], joint: str) -> str:
    """Words of a key: `_` is between two of them, `joint` if they were joined."""
    return "".join(("_" if word.apart else joint) * (n > 0) + word.text for n, word in enumerate(said))


def _meant(name: Pieces) -> str:
    """A regex for rows that end with `name`. Takes the square of their length at most."""
    *before, end = [_JOINT.join(map(re.escape, piece)) for piece in name]
    end = _plural(end) if end else ""
    if not before:
        return _BEFORE + end + _AFTER
    regex = _BEFORE + before[0] if before[0] else ""
    regex += "".join(f"(?>{_INSIDE}?{piece})" for piece in before[1:])
    return regex + _INSIDE + end + _AFTER


def _plural(word: str) -> str:
    return f"(?:{word}(?:e?s)?|{word[:-1]}ies)" if word.endswith("y") else f"{word}(?:e?s)?"


def _triggers(name: Pieces) -> Iterator[str]:
    if not "".join(chain(*name)).isascii():
        return  # a key, or the one above it, is not ASCII then: that is a trigger already
    name = name if name[0] else name[1:]
    whole = '[^"]*'.join([*map(spelt, name[:-1]), last(name[-1]) if name[-1] else ""])
    yield f"{whole}{GAP}{VALUE}"
    yield f"{whole}{REST}{VALUE}"
    for n, piece in enumerate(name):
        for size in range(1, len(piece)):  # the rest of it may stand in the key below
            yield '[^"]*'.join(map(spelt, (*name[:n], piece[:size]))) + GAP + CONTAINER
