"""The operator `tokenize`, and what turns its tokens into values again.

A session's tokens are numbered: `[EMAIL_ADDRESS_1]`. Those of a named scope, which several clients share, end with
80 bits of a keyed hash instead: who was not given one cannot guess it. A bare JSON number becomes a whole number
that only its own session knows, whatever the scope: no number could hold a suffix that is too long to be guessed.

Text that happens to spell a token of its own session turns into that value: nothing tells the two apart. It is a
value of the very session, so nobody learns anything.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from proxy.core.message import Direction, Leaf
from proxy.core.plugs import Restore, Restored
from proxy.core.session import Session
from proxy.pseudonyms.hashing import mac
from proxy.pseudonyms.spelling import CLOSE, OPEN, label, respelt
from proxy.pseudonyms.vault import Kept, Vault

TAIL = 16  # characters of base32: 80 bits
_TOKEN = re.compile(
    rf"{OPEN}(?P<label>[A-Z][A-Z0-9_]{{0,63}})_(?:(?P<count>[0-9]{{1,10}})|(?P<tail>[A-Z2-7]{{{TAIL}}})){CLOSE}",
    re.IGNORECASE | re.ASCII,
)
# The end of a token (no encoder is known to escape an underscore), a numeral, an escape that could spell either.
# Each begins with one character, which `re` skips to: as one pattern they take 3 times as long.
_MAY_END = re.compile(rb"_[0-9A-Za-z]{1,16}(?:\]|%5[dD]|&)").search
_MAY_COUNT = re.compile(rb"9[0-9]{15}").search
_MAY_ESCAPE = re.compile(rb"\\(?:u00|u\{|U00|x)").search


class UnavailableError(Exception):
    """The vault of a named scope cannot be reached."""


class Scope(NamedTuple):
    """A named scope under one key. `seals` is for who keeps its values elsewhere."""

    name: str
    key: bytes
    seals: bytes

    def __repr__(self) -> str:
        """Without its keys."""
        return f"Scope({self.name!r})"


class Shared(Protocol):
    """Where the values of named scopes are kept."""

    slow: bool
    """Whether asking may wait for another machine."""

    def keep(self, scope: Scope, name: str, kept: Kept) -> None:
        """Remember a token. Raises UnavailableError."""

    def recall(self, scope: Scope, names: Collection[str], way: Direction) -> dict[str, Kept]:
        """What those tokens stand for that are known, and restored in `way`."""


class InMemory:
    """Named scopes in the vault of this process: other workers and other machines do not know their values."""

    slow = False

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def keep(self, scope: Scope, name: str, kept: Kept) -> None:
        """Remember a token."""
        self._vault.keep(scope.name, name, kept)

    def recall(self, scope: Scope, names: Collection[str], way: Direction) -> dict[str, Kept]:
        """What tokens stand for."""
        return self._vault.recall_shared(scope.name, names, way)


@dataclass(frozen=True, slots=True)
class Vaults:
    """All that this process remembers."""

    sessions: Vault
    shared: Shared

    @classmethod
    def in_memory(cls, vault: Vault | None = None) -> Vaults:
        """Everything in one vault of this process."""
        vault = Vault() if vault is None else vault  # an empty one is false
        return cls(vault, InMemory(vault))


@dataclass(frozen=True, slots=True)
class Tokens:
    """`tokenize` as one rule says it. `scope` None is the session's.

    `restores` has, by the direction in which a value came, the bits 1 << d of those that restore its token.
    """

    vaults: Vaults
    rule: str
    scope: Scope | None
    restores: tuple[int, int]
    replaces: bool = False
    """Whether values become `<ENTITY>` while a named scope's vault is away; else their messages are refused."""

    @property
    def slow(self) -> bool:
        """Whether making a token may wait for another machine."""
        return self.scope is not None and self.vaults.shared.slow

    def rewrite(self, text: str, entity: str, session: Session, way: Direction) -> str:
        """The token for a text (a `Rewrite`)."""
        kept = Kept(text, entity, self.rule, self.restores[way])
        if self.scope is None:
            return f"[{self.vaults.sessions.token(session, label(entity), kept)}]"
        name = f"{label(entity)}_{tail(self.scope, entity, text)}"
        if kept.ways:
            try:
                self.vaults.shared.keep(self.scope, name, kept)
            except UnavailableError:
                if self.replaces:
                    return f"<{entity}>"
                raise
        return f"[{name}]"

    def number(self, text: str, entity: str, session: Session, way: Direction) -> str:
        """The token for a bare number (a `Rewrite`)."""
        return self.vaults.sessions.numeral(session, Kept(text, entity, self.rule, self.restores[way]))


def tail(scope: Scope, entity: str, value: str) -> str:
    """What makes the token of a value in a named scope its own."""
    return b32encode(mac(scope.key, entity, value)[: TAIL * 5 // 8]).decode().lower()


class Restorer:
    """Tokens back to values, in one direction (a `Restore`)."""

    def __init__(self, way: Direction, vaults: Vaults, scopes: Iterable[Scope]) -> None:
        self._way = way
        self._sessions = vaults.sessions
        self._shared = vaults.shared
        self._scopes = tuple(scopes)
        self.slow = bool(self._scopes) and vaults.shared.slow

    def awaits(self, payload: bytes, session: Session) -> bool:
        """Whether `payload` might hold a token."""
        if not self._scopes and not self._sessions.holds(session):
            return False
        return bool(_MAY_END(payload) or _MAY_ESCAPE(payload) or _MAY_COUNT(payload))

    def find(self, leaf: Leaf, session: Session) -> Sequence[Restored]:
        """The tokens in `leaf` that are known here."""
        if leaf.number:
            return self._number(leaf.text, session)
        spelt = list(_TOKEN.finditer(leaf.text))
        if not spelt:
            return ()
        known = self._sessions.recall(session, {_name(one) for one in spelt if one["count"]}, self._way)
        tails = {_name(one) for one in spelt if one["tail"]}
        for scope in self._scopes if tails else ():
            known |= self._shared.recall(scope, tails, self._way)
        return [
            Restored(*one.span(), respelt(kept.value, one), kept.entity, kept.rule)
            for one in spelt
            if (kept := known.get(_name(one))) is not None
        ]

    def _number(self, text: str, session: Session) -> Sequence[Restored]:
        known = self._sessions.recall(session, (text,), self._way)
        return [Restored(0, len(text), kept.value, kept.entity, kept.rule) for kept in known.values()]


def _name(token: re.Match[str]) -> str:
    return f"{token['label'].upper()}_{token['count'] or token['tail'].lower()}"


def restorers(rules: Sequence[tuple[Tokens, frozenset[Direction]]]) -> tuple[Restore | None, Restore | None]:
    """By direction, what restores the tokens that `rules` make of values flowing in their directions."""
    return _restorer(Direction.CLIENT_TO_UPSTREAM, rules), _restorer(Direction.UPSTREAM_TO_CLIENT, rules)


def _restorer(way: Direction, rules: Sequence[tuple[Tokens, frozenset[Direction]]]) -> Restorer | None:
    made = [tokens for tokens, ways in rules if any(tokens.restores[came] >> way & 1 for came in ways)]
    if not made:
        return None
    scopes = dict.fromkeys(tokens.scope for tokens in made if tokens.scope is not None)
    return Restorer(way, made[0].vaults, scopes)
