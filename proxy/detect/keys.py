"""What the key above a value says about it: `$.user.first_name` holds a name, whatever stands there.

Keys are the strongest context there is, and without a language model the only one for names and addresses. What
keys are called is in aliases.py, how they are read in keywords.py, what a value must look like in plausible/.
Values that tell themselves (e-mail, cards ...) are found without keys too, by the recognizers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from unicodedata import normalize

from proxy.core.finding import Finding
from proxy.core.message import Leaf
from proxy.detect.aliases import ABOVE, ENDINGS, HOLDERS, HOT, NUMBERS, ROLES
from proxy.detect.keywords import LONGEST_KEY, NAMES, NOTHING, PEOPLE, Name, Word, named, singulars, words
from proxy.detect.ownkeys import OwnKeys
from proxy.detect.plausible import dates, network, numbers, people, places, secrets

SCORE = 0.9
REMEMBERED = 4096
"""Paths. They may hold keys that are personal themselves: they stay in memory, and not for long."""


class Hint(NamedTuple):
    """What a key says its values are, whether a value can be that, and how many characters it may have."""

    entity: str
    check: Callable[[str], bool]
    longest: int = 400


_HINTS = {
    "given name": Hint("PERSON", people.name),
    "family name": Hint("PERSON", people.name),
    "full name": Hint("PERSON", people.name),
    "somebody": Hint("PERSON", people.full_name),
    "street": Hint("LOCATION", places.street),
    "road": Hint("LOCATION", places.road),
    "address": Hint("LOCATION", places.address),
    "city": Hint("LOCATION", places.city),
    "postcode": Hint("LOCATION", places.postcode),
    "place": Hint("LOCATION", places.place),
    "birth date": Hint("DATE_OF_BIRTH", dates.birth_date),
    "ssn": Hint("US_SSN", numbers.ssn),
    "itin": Hint("US_ITIN", numbers.ssn),
    "tax id": Hint("TAX_ID", numbers.identifier),
    "national id": Hint("NATIONAL_ID", numbers.identifier),
    "passport": Hint("PASSPORT", numbers.document),
    "driver license": Hint("DRIVER_LICENSE", numbers.identifier),
    "plate": Hint("LICENSE_PLATE", numbers.plate),
    "iban": Hint("IBAN_CODE", numbers.iban),
    "bank account": Hint("BANK_ACCOUNT", numbers.account),
    "card": Hint("CREDIT_CARD", numbers.card),
    "cvv": Hint("CARD_CODE", numbers.cvv),
    "phone": Hint("PHONE_NUMBER", numbers.phone),
    "email": Hint("EMAIL_ADDRESS", network.email),
    "ip": Hint("IP_ADDRESS", network.ip),
    "mac": Hint("MAC_ADDRESS", network.mac),
    "imei": Hint("IMEI", numbers.imei),
    "medical id": Hint("MEDICAL_ID", numbers.identifier),
    "password": Hint("SECRET", secrets.password),
    "passphrase": Hint("SECRET", secrets.passphrase),
    "code": Hint("SECRET", secrets.code),
    "some token": Hint("SECRET", secrets.unknown_token, 16_384),
    "token": Hint("SECRET", secrets.token, 16_384),
    "cookie": Hint("SECRET", secrets.cookie, 16_384),
}
_NAME = "name"  # the one kind that depends on what stands before or above it
_SAYS_WHO = Hint("PERSON", people.spoken_name)
_MAY_SAY_WHO = Hint("PERSON", people.full_name)

NO_KEYS: Mapping[str, Sequence[str]] = MappingProxyType({})
ENTITIES = frozenset(hint.entity for hint in _HINTS.values())
"""Everything that a key can say."""

_STEPS = re.compile(r'\.([^.\["]+)|(\["(?:[^"\\]|\\.)*"\])').findall
_CUT = "\N{HORIZONTAL ELLIPSIS}"  # what the path of a longer key ends with: how the key ends is not known
_INDEX = re.compile(r"\[[0-9]+\]")
_HOT: dict[str, set[str]] = {}
for _entity, _words in HOT.items():
    for _word in _words.split():
        _HOT.setdefault(_word, set()).add(_entity)


class Keys:
    """What paths say (their syntax: proxy/codecs/scan.py). The same for everybody, so there are only functions."""

    @staticmethod
    @lru_cache(REMEMBERED)
    def entity(path: str) -> Hint | None:
        """What the last key of `path` says, in the light of the one above it; None: nothing."""
        return None if path.endswith("~") else _pattern_says(_INDEX.sub("", path))

    @staticmethod
    @lru_cache(REMEMBERED)
    def hot(path: str) -> frozenset[str]:
        """Entities whose weak patterns become believable in a value at `path`."""
        said = [word.text for key in _last_keys(path) for word in key]
        found = [_HOT[one] for word in said for one in singulars(word) if one in _HOT]
        return frozenset[str]().union(*found)


@lru_cache(REMEMBERED)
def _pattern_says(path: str) -> Hint | None:
    *above, key = _last_keys(path) or [[]]
    parent = above[0] if above else []
    while key or parent:
        if not key:  # it was `value`, `number` or the like
            key, parent = parent, []
        found = named([*parent, *key])
        if found is not None and found[1] > len(key) and not _reaches_above(found[0], key):
            found = named(key)
        if found is not None:
            name, size = found
            return _whose(key[:-size], parent) if name.kind == _NAME else _HINTS.get(name.kind)
        last = key[-1].text
        if last not in ENDINGS and last not in NUMBERS and not last.isdecimal():
            return None
        key = key[:-1]
    return None


def _reaches_above(name: Name, key: Sequence[Word]) -> bool:
    """Whether a name may begin in the key above `key`. `user_name` is a handle, the name of a user is not."""
    beginning = "".join(name.words)[: -len("".join(word.text for word in key))]
    return name.kind == NOTHING or beginning in ABOVE


def _last_keys(path: str) -> list[list[Word]]:
    """The words of the last key of `path`, and before it those of the key above; none of a key that was cut."""
    return [words(key) for key in _last_steps(path)]


def _last_steps(path: str) -> list[str]:
    """The last key of `path`, and before it the one above; empty for a key that was cut."""
    last = [plain or json.loads(quoted)[0] for plain, quoted in _STEPS(path)[-2:]]
    return ["" if len(key) >= LONGEST_KEY and key.endswith(_CUT) else key for key in last]


def _whose(before: Sequence[Word], parent: Sequence[Word]) -> Hint | None:
    """What a `name` is, by the word before it in its key, or by the key above it."""
    whose = [word.text for word in before or parent]
    while whose and whose[-1] in HOLDERS:
        whose.pop()
    for owner in singulars(whose[-1]) if whose else ():
        if owner in PEOPLE:
            return _SAYS_WHO
        if owner in ROLES:
            return _MAY_SAY_WHO
    return None


class KeyFinder:
    """Finds whole values by their keys: by `own` names of keys, given by entity, and else by ours.

    Raises ValueError for a name that is none (ownkeys.py).
    """

    name = "keys"

    def __init__(self, own: Mapping[str, Sequence[str]] = NO_KEYS) -> None:
        names = OwnKeys(own) if own else None
        self.entities = ENTITIES.union(own)
        self.triggers = names.triggers if names is not None else ()
        """Of the own names, those that TRIGGERS of keytriggers.py lack."""

        @lru_cache(REMEMBERED)
        def by_own(path: str) -> str | None:
            above, key = ["", "", *_last_steps(path)][-2:]
            return names.entity(above, key) if names is not None and key and not path.endswith("~") else None

        self._by_own = by_own if own else None

    def says(self, path: str) -> str | None:
        """The entity that the key at the end of `path` says, of values that can be of it; None: nothing."""
        own = self._by_own(path) if self._by_own is not None else None
        hint = Keys.entity(path) if own is None else None
        return hint.entity if hint is not None else own

    def find(self, leaf: Leaf) -> list[Finding]:
        """One finding over all of the leaf's text but white space at its ends, or none."""
        text = leaf.text.strip()
        entity = self._by_own(leaf.path) if self._by_own is not None else None
        if entity is None:
            hint = Keys.entity(leaf.path)
            if hint is None:
                return []
            if not 0 < len(text) <= hint.longest or not _fits(hint, text) or _is_label(text):
                return []
            entity = hint.entity
        if not text:
            return []
        start = leaf.text.index(text)
        return [Finding(entity, start, start + len(text), SCORE, self.name)]


def _fits(hint: Hint, text: str) -> bool:
    """Whether a value is of the kind that its key says, as it stands or in the usual characters: a full-width
    digit is a digit."""
    if hint.check(text):
        return True
    usual = text if text.isascii() else normalize("NFKC", text)
    return usual != text and len(usual) <= hint.longest and hint.check(usual)


def _is_label(text: str) -> bool:
    """Whether a value is itself what keys are called, as in forms and translations: `"email": "E-Mail"`."""
    return len(text) < LONGEST_KEY and "".join(word.text for word in words(text)) in NAMES
