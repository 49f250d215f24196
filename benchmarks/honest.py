"""Honest messages full of digits: what a budget must never refuse, however strict it is.

Each is a function of the size wanted, in bytes, and the same at every call. Prices, measurements, matrices, logs,
timetables, addresses of machines; and a directory, in which everything is personal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random

Maker = Callable[[int], str]


def _lines(size: int, line: Callable[[Random, int], str]) -> str:
    return "\n".join(_until(size, line))[:size]


def _array(size: int, item: Callable[[Random, int], object]) -> str:
    return f"[{','.join(_until(size - 2, lambda random, n: json.dumps(item(random, n), separators=(',', ':'))))}]"


def _until(size: int, make: Callable[[Random, int], str]) -> Iterator[str]:
    random, n = Random(7), 0
    while size > 0:
        piece = make(random, n)
        size -= len(piece) + 1
        n += 1
        yield piece


def price(random: Random, n: int) -> dict[str, object]:
    """A line of an order book."""
    return {
        "s": f"{random.choice(['BTC', 'ETH', 'SOL'])}-USD",
        "p": f"{random.randrange(10**7) / 100:.2f}",
        "q": random.randrange(10**6) / 1e4,
        "t": 1_763_859_724_123 + n,
    }


def reading(random: Random, n: int) -> dict[str, object]:
    """What a sensor sends."""
    return {
        "device": f"th-{random.randrange(1000):03}",
        "at": f"2026-11-22T08:{n // 60 % 60:02}:{n % 60:02}.{random.randrange(1000):03}Z",
        "values": [round(random.uniform(-40, 90), 3) for _ in range(6)],
        "rssi": -random.randrange(30, 90),
    }


def matrix_row(random: Random, _: int) -> str:
    """Numbers set apart by spaces, as programs print them."""
    return " ".join(f"{random.uniform(-1, 1):.6f}" for _ in range(16))


def counts_row(random: Random, _: int) -> str:
    """Whole numbers set apart by spaces."""
    return " ".join(str(random.randrange(1000)) for _ in range(20))


def log_line(random: Random, n: int) -> str:
    """An access log: addresses, times, sizes."""
    address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    at = f"22/Nov/2026:08:{n // 60 % 60:02}:{n % 60:02} +0000"
    return f'{address} - - [{at}] "GET /v1/items/{random.randrange(10**6)} HTTP/1.1" 200 {random.randrange(10**5)}'


def departure(random: Random, n: int) -> str:
    """A timetable: times, platforms, dates."""
    times = " ".join(f"{n % 24:02}:{random.randrange(60):02}" for _ in range(8))
    return f"2026-11-{n % 28 + 1:02}  RE {random.randrange(100, 9999)}  {times}  {random.randrange(1, 24)}/2"


def person(random: Random, n: int) -> dict[str, object]:
    """An entry of a directory."""
    number = f"{random.randrange(201, 990)}-555-{random.randrange(100, 200):04}"
    return {"id": n, "mail": f"user{n}@example.com", "phone": number, "ip": f"192.0.2.{n % 256}", "note": "ok"}


HONEST: dict[str, Maker] = {
    "prices": lambda size: _array(size, price),
    "telemetry": lambda size: _array(size, reading),
    "matrix of decimals, JSON": lambda size: _array(
        size, lambda random, _: [round(random.random(), 6) for _ in range(16)]
    ),
    "matrix of decimals, text": lambda size: _lines(size, matrix_row),
    "matrix of counts, text": lambda size: _lines(size, counts_row),
    "access log": lambda size: _lines(size, log_line),
    "timetable": lambda size: _lines(size, departure),
    "directory": lambda size: _array(size, person),
}
