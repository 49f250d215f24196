"""Named scopes in Redis, so that clients who reconnect, workers and other machines agree.

A key of Redis is a keyed hash of a token, and what it holds is encrypted (AES-SIV): who reads the database learns
neither values nor tokens. A token follows from its value alone, so writing one twice, from two machines at once,
writes the same; there is one key for each direction in which it is restored, so nothing has to be merged.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from itertools import islice
from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as LostError
from redis.retry import Retry

from proxy.core.message import Direction
from proxy.pseudonyms.cipher import Cipher
from proxy.pseudonyms.hashing import mac
from proxy.pseudonyms.tokens import Scope, UnavailableError
from proxy.pseudonyms.vault import TTL, Kept

log = logging.getLogger("hushwire")

PATIENCE = 0.25  # seconds for a connection, and for an answer
PAUSE = 1.0  # seconds without another try once it was away: messages must not queue up behind a dead server
QUIET = 60.0  # seconds between two lines of the log about it
AT_ONCE = 1000  # tokens asked for in one go


class RedisVault:
    """A `Shared`. Connects at first use, and again whenever that is needed. ValueError if `url` is none."""

    slow = True

    def __init__(self, url: str, ttl: float = TTL, clock: Callable[[], float] = time.monotonic) -> None:
        # One more try, because a server that was restarted shows only when a kept connection is used.
        again = Retry(NoBackoff(), 1, (LostError,))
        try:
            self._redis = Redis.from_url(
                url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=again
            )
        except ValueError:  # its text may quote a password
            raise ValueError("this is not the URL of a Redis; write redis://HOST:PORT/0") from None
        self._milliseconds = max(1, round(ttl * 1000))
        self._clock = clock
        self._ciphers: dict[Scope, Cipher] = {}
        self._away_until = float("-inf")
        self._quiet_until = float("-inf")

    def keep(self, scope: Scope, name: str, kept: Kept) -> None:
        """Remember a token. Raises UnavailableError."""
        keys = [_key(scope, name, way) for way in Direction if kept.ways >> way & 1]
        record = json.dumps([kept.value, kept.entity, kept.rule])

        def ask(pipeline: Pipeline) -> None:
            for key in keys:
                pipeline.set(key, self._cipher(scope).seal(record, key), px=self._milliseconds)

        if self._answers(ask) is None:
            raise UnavailableError

    def recall(self, scope: Scope, names: Collection[str], way: Direction) -> dict[str, Kept]:
        """What those tokens stand for that are known; of none while Redis is away: they are left as they are."""
        found: dict[str, Kept] = {}
        left = iter(names)
        while some := list(islice(left, AT_ONCE)):
            keys = [_key(scope, name, way) for name in some]
            answers = self._answers(partial(self._get, keys))
            if answers is None:
                break
            for name, key, sealed in zip(some, keys, answers, strict=True):
                record = self._cipher(scope).open(sealed, key) if sealed is not None else None
                if record is not None:
                    value, entity, rule = json.loads(record)
                    found[name] = Kept(value, entity, rule, 1 << way)
        return found

    def _cipher(self, scope: Scope) -> Cipher:
        cipher = self._ciphers.get(scope)
        if cipher is None:
            cipher = self._ciphers[scope] = Cipher(scope.seals)
        return cipher

    def _get(self, keys: Collection[str], pipeline: Pipeline) -> None:
        for key in keys:
            pipeline.getex(key, px=self._milliseconds)  # what is used stays

    def _answers(self, ask: Callable[[Pipeline], None]) -> list[Any] | None:
        """What Redis answers, in one round trip; None while it is away."""
        if self._clock() < self._away_until:
            return None
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                ask(pipeline)
                answers: list[Any] = pipeline.execute()
        except RedisError as error:
            self._away(error)
            return None
        return answers

    def _away(self, error: RedisError) -> None:
        now = self._clock()
        self._away_until = now + PAUSE
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            log.warning("the vault in Redis is away (%s): its tokens stay as they are", type(error).__name__)


def _key(scope: Scope, name: str, way: Direction) -> str:
    # No entity is empty, so this is the hash of no value: see `tail`.
    return f"hushwire:{scope.name}:{mac(scope.key, '', name, way.label).hex()}"
