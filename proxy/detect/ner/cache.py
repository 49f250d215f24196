"""What was found lately, by a keyed hash of the text: the text itself is never kept."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """The last `size` answers. The key is drawn when the process starts, so hashes mean nothing elsewhere."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._secret = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, T] = OrderedDict()
        self._lock = Lock()

    def key(self, text: str, threshold: float) -> bytes:
        """What stands for `text` looked at with `threshold`: 16 bytes."""
        data = text.encode(errors="surrogatepass")
        return blake2b(data, key=self._secret, digest_size=16, salt=b"%.6f" % threshold).digest()

    def get(self, key: bytes) -> T | None:
        """The answer kept under `key`, which becomes the newest."""
        with self._lock:
            answer = self._kept.get(key)
            if answer is not None:
                self._kept.move_to_end(key)
            return answer

    def put(self, key: bytes, answer: T) -> None:
        """Keep `answer`, and forget the oldest if there are too many."""
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)
