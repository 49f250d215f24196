"""Actions as written -> rules' rewrites, with their parameters, keys and vaults bound."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from proxy.core import operators
from proxy.core.message import Direction
from proxy.core.plugs import Rewrite
from proxy.pseudonyms.cipher import KEY_SIZE, Cipher, encrypted
from proxy.pseudonyms.fakes import faked, faked_number
from proxy.pseudonyms.hashing import hashed, hashed_number
from proxy.pseudonyms.keys import ENCRYPT, FAKE, HASH, SEALS, TOKENS, KeyRing
from proxy.pseudonyms.tokens import Scope, Tokens, Vaults
from proxy.rulebook import actions
from proxy.rulebook.actions import Action, Tokenize

SESSION = "session"


class Verb(NamedTuple):
    """How an action rewrites, how it rewrites bare numbers (see `Rule`), and its tokens if it makes any."""

    rewrite: Rewrite | None
    number: Rewrite = operators.zero
    tokens: Tokens | None = None


class Bench(NamedTuple):
    """What verbs are made with: keys, the folder in which files of keys are named, and where values are kept."""

    ring: KeyRing
    folder: Path
    vaults: Vaults


def verb(action: Action, rule: str, bench: Bench) -> Verb:
    """The verb of an action of the rule with the id `rule`. ValueError if its key is not there."""
    match action.params:
        case actions.Replace() as params:
            return Verb(operators.replace(params.with_))
        case actions.Redact():
            return Verb(operators.redact())
        case actions.Mask() as params:
            rewrite = operators.mask(params.char, params.keep_first, params.keep_last, params.keep_separators)
            return Verb(rewrite, operators.mask_number(params.keep_first, params.keep_last))
        case actions.Keep() | actions.Drop() | actions.Close():
            return Verb(None)
    return _keyed(action, rule, bench)


def _keyed(action: Action, rule: str, bench: Bench) -> Verb:
    ring, folder = bench.ring, bench.folder
    match action.params:
        case actions.Hash() as params:
            key = ring.key(params.key, folder, HASH)
            return Verb(hashed(key, params.length), hashed_number(key))
        case actions.Encrypt() as params:
            return Verb(encrypted(Cipher(ring.key(params.key, folder, ENCRYPT, KEY_SIZE))))
        case actions.Fake() as params:
            key = ring.key(params.key, folder, FAKE)
            return Verb(faked(key), faked_number(key))
        case actions.Tokenize() as params:
            tokens = Tokens(
                bench.vaults, rule, _scope(params, bench), _restores(params), params.if_unavailable == "replace"
            )
            return Verb(tokens.rewrite, tokens.number, tokens)
    raise AssertionError(action.operator)  # the schema knows no other


def _scope(params: Tokenize, bench: Bench) -> Scope | None:
    if params.scope == SESSION:
        return None
    key = bench.ring.key(params.key, bench.folder, f"{TOKENS}/{params.scope}")
    seals = bench.ring.key(params.key, bench.folder, f"{SEALS}/{params.scope}", KEY_SIZE)
    return Scope(params.scope, key, seals)


def _restores(params: Tokenize) -> tuple[int, int]:
    """By the direction in which a value comes, the bits 1 << d of those in which its token is restored."""
    match params.restore:
        case None:
            up, down = (1 << way.other for way in Direction)
            return up, down
        case "both" | "never" as word:
            every = sum(1 << way for way in Direction) if word == "both" else 0
            return every, every
        case label:
            (way,) = (1 << way for way in Direction if way.label == label)
            return way, way
