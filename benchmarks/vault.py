"""What remembering costs: bytes per token, microseconds to make one and to restore one; in memory and in Redis.

    python -m benchmarks.vault                 # a million tokens: about a minute and 400 MB
    python -m benchmarks.vault --tokens 100000

The vault is bounded to `--tokens`, and a tenth more are put into it: what is held at the end must be the bound.
Redis is measured if there is a redis-server; it runs on a port of its own, keeps nothing on disk, and is ended.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from proxy.core.message import Direction, Leaf
from proxy.core.session import Session
from proxy.pseudonyms.redis_vault import RedisVault
from proxy.pseudonyms.tokens import Scope, Tokens, Vaults, restorers
from proxy.pseudonyms.vault import SHARE, Vault

UP, DOWN = Direction
SCOPE = Scope("bench", bytes(range(32)), bytes(64))
ENTITIES = ("EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON")
SOME = 20_000  # operations that are timed in one round; the best of ROUNDS counts
ROUNDS = 5
SMALL = b'{"type":"message","user_id":"u-1201","text":"the quick brown fox jumps over the lazy dog"}'


def rss() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def value(i: int) -> str:
    """About as long as an e-mail address is."""
    return f"person.{i:08d}@example.com"


def timed(work: Callable[[int], object], count: int = SOME) -> float:
    """Microseconds for one, in the best round. Each round goes on with other numbers."""
    best = float("inf")
    for turn in range(ROUNDS):
        start = time.perf_counter()
        for i in range(turn * count, (turn + 1) * count):
            work(i)
        best = min(best, time.perf_counter() - start)
    return best / count * 1e6


def collection() -> float:
    """Milliseconds that a full garbage collection takes, the second time: the first finds out what it may skip."""
    gc.collect()
    start = time.process_time()
    gc.collect()
    return (time.process_time() - start) * 1e3


def measured(name: str, scope: Scope | None, tokens: int, sessions: int) -> None:
    """Fill a vault beyond its size, and tell what that took."""
    vault = Vault(size=tokens)
    made = Tokens(Vaults.in_memory(vault), "rule", scope, (2, 1))
    crowd = [Session(i) for i in range(sessions)]
    idle = collection()
    before, start = rss(), time.perf_counter()
    for i in range(tokens * 11 // 10):
        made.rewrite(value(i), ENTITIES[i % 3], crowd[i % sessions], UP)
    took = (time.perf_counter() - start) / (tokens * 1.1) * 1e6
    grown = rss() - before
    pause = collection() - idle
    print(f"{name:28} {len(vault):>9,} held  {grown / tokens:6.0f} bytes each  {took:5.1f} us to make one  "
          f"{pause:+5.1f} ms for a full garbage collection")  # fmt: skip
    if len(vault) != tokens:
        sys.exit("the bound does not hold")


def speeds(vaults: Vaults, scope: Scope | None, count: int = SOME) -> Iterator[tuple[str, float]]:
    """One token at a time, in messages of one leaf."""
    made, session, empty = Tokens(vaults, "rule", scope, (2, 1)), Session(1), Session(2)
    back = restorers([(made, frozenset(Direction))])[DOWN]
    assert back is not None
    yield "make a new one", timed(lambda i: made.rewrite(value(i), "PERSON", session, UP), count)
    yield "make a known one", timed(lambda i: made.rewrite(value(i % 100), "PERSON", session, UP), count)
    known = [Leaf("", f"to {made.rewrite(value(i), 'PERSON', session, UP)}.", 0, 9, 1) for i in range(100)]
    yield "restore one", timed(lambda i: back.find(known[i % 100], session), count)
    strange = Leaf("", f"to [PERSON_{'a' * 16}]." if scope else "to [PERSON_99999999].", 0, 9, 1)
    yield "leave a strange one", timed(lambda _: back.find(strange, session), count)
    yield f"pass {len(SMALL)} bytes by, session with tokens", timed(lambda _: back.awaits(SMALL, session))
    yield f"pass {len(SMALL)} bytes by, session without", timed(lambda _: back.awaits(SMALL, empty))
    yield "an empty loop (in all of these)", timed(lambda _: None)


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis of our own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        until = time.monotonic() + 10
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def in_redis(tokens: int) -> None:
    """The same there: bytes in its memory, and one round trip for each."""
    with redis_server() as url:
        client = redis.Redis.from_url(url)
        made = Tokens(Vaults(Vault(), RedisVault(url)), "rule", SCOPE, (2, 1))
        before = client.info("memory")["used_memory"]
        for i in range(tokens):
            made.rewrite(value(i), ENTITIES[i % 3], Session(1), UP)
        grown = client.info("memory")["used_memory"] - before
        print(
            f"{'redis, one direction':28} {client.dbsize():>9,} held  {grown / tokens:6.0f} bytes each, in Redis"
        )
        for what, us in speeds(Vaults(Vault(), RedisVault(url)), SCOPE, count=1000):
            print(f"    {what:46} {us:7.2f} us")


def main() -> None:
    """Everything, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=1_000_000, help="the bound of the vault (1000000)")
    tokens = max(1000, parser.parse_args().tokens)
    measured("sessions with 100 tokens", None, tokens, max(SHARE, tokens // 100))
    measured("a few sessions with many", None, tokens, SHARE)
    measured("a named scope", SCOPE, tokens, 1)
    for name, scope in (("a session", None), ("a named scope in memory", SCOPE)):
        print(name)
        for what, us in speeds(Vaults.in_memory(), scope):
            print(f"    {what:46} {us:7.2f} us")
    if shutil.which("redis-server"):
        in_redis(min(tokens, 20_000))
    else:
        print("redis: n/a (apt-get install redis-server)")


if __name__ == "__main__":
    main()
