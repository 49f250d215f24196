"""Choices that only the key and the value decide: the same ones, every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from struct import iter_unpack
from typing import TypeVar

from proxy.pseudonyms.hashing import mac

T = TypeVar("T")


class Draw:
    """A stream of numbers made of a keyed hash (counter mode), for one surrogate."""

    __slots__ = ("_words",)

    def __init__(self, key: bytes, *parts: str) -> None:
        self._words = _stream(mac(key, *parts))

    def below(self, limit: int) -> int:
        """0 to `limit` - 1. The bias is at most `limit` / 2**64."""
        return next(self._words) % limit

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`."""
        return choices[self.below(len(choices))]

    def digits(self, size: int) -> str:
        """`size` decimal digits."""
        return "".join(str(self.below(10)) for _ in range(size))


def _stream(seed: bytes) -> Iterator[int]:
    block = 0
    while True:
        for (word,) in iter_unpack(">Q", sha256(seed + block.to_bytes(8)).digest()):
            yield word
        block += 1
