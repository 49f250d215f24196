"""The memory of what was found."""

from __future__ import annotations

from proxy.detect.ner.cache import Cache


def test_the_oldest_is_forgotten_first() -> None:
    cache: Cache[int] = Cache(2)
    keys = [cache.key(text, 0.5) for text in "abc"]
    cache.put(keys[0], 0)
    cache.put(keys[1], 1)
    assert cache.get(keys[0]) == 0  # now the newest
    cache.put(keys[2], 2)
    assert [cache.get(key) for key in keys] == [0, None, 2]
    assert len(cache) == 2


def test_a_key_says_nothing_about_the_text_and_differs_by_threshold_and_process() -> None:
    one, other = Cache[int](1), Cache[int](1)
    text = "my name is Anna Kovács \ud800"
    assert one.key(text, 0.5) == one.key(text, 0.5)
    assert len({one.key(text, 0.5), one.key(text, 0.6), other.key(text, 0.5)}) == 3
    assert len(one.key(text * 100, 0.5)) == 16
