"""Planted values, every way in which they might be spelt, and the search for them in files.

A value is planted in messages, headers, close reasons and wherever else somebody may put one; afterwards no file
that a proxy leaves behind may hold it in any spelling. A sighting says where and which value by its name, never
the value. The sweep of the whole suite is tests/conftest.py's, the drills are in tests/test_canary.py.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ahocorasick_rs import BytesAhoCorasick

PLANTED: Mapping[str, str] = {
    "email": "quillon.canary@planted-alpha.example",
    "email, odd": "o'Zanzib+canary7@planted-beta.example",
    "email, umlaut": "zoë.canary@plänted-gamma.example",
    "card": "4716 2589 0341 7062",
    "card, bare": "5425233430109903",
    "phone": "+49 1523 4567 893",
    "phone, national": "(415) 555-0173",
    "iban": "DE75 5121 0800 1245 1261 99",
    "ssn": "536-22-8726",
    "ip": "198.51.100.217",
    "mac": "00:00:5e:00:53:d7",
    "wallet": "1MWiDWFqbXRS936PDHmj1kN9JJ13NpKvcz",
    "first name": "Quillonbert",
    "last name": "Zanzibarowski",
    "street": "1847 Planted Canary Lane",
    "born": "1931-08-23",
    "passport": "L7Q2M88T3",
    "password": "tr0ub4dor&3xCanary",
    "secret": "ghp_Canary7Planted9Quillon5Zanzibar3xyz0",
}
"""By name. The rules `default` find all of them, in what `saying` makes of them."""

KEYS = {
    "first name": "first_name",
    "last name": "last_name",
    "street": "street",
    "born": "dateOfBirth",
    "passport": "passport_number",
    "password": "password",
}
"""What is only known by its key in a JSON object."""
SECRETS = {"password", "secret"}
"""Found in what a service sends: what a client sends is what it logs in with."""


def saying(name: str, more: str = "") -> str:
    """A message that holds the value."""
    value = PLANTED[name]
    return json.dumps({KEYS[name]: value, "more": more}) if name in KEYS else f"here {value} there {more}"


COMMON: Mapping[str, str] = {
    "an e-mail of the tests": "bob@example.com",
    "another e-mail of the tests": "eve@example.org",
    "a card of the tests": "4111 1111 1111 1111",
    "a phone of the tests": "+1 212-555-0142",
}
"""What nearly all other tests say. Rule files hold them too, as examples, and so do copies of rule files."""

SHORTEST = 10  # digits of a value that are looked for alone: fewer stand by chance in clocks and digests


class Sighting(NamedTuple):
    """A value stands in a file: its name, the spelling, the file, the place."""

    value: str
    spelling: str
    path: str
    offset: int


def spellings(value: str) -> Iterator[tuple[str, bytes]]:
    """(name of the spelling, its bytes); case does not matter to the search."""
    raw = value.encode()
    yield "as it is", raw
    yield "JSON", json.dumps(value)[1:-1].encode()
    yield "percent", quote(value, safe="").encode()
    yield "form", quote(value).replace("%20", "+").encode()
    yield "hex", raw.hex().encode()
    yield "UTF-16", value.encode("utf-16-le")
    yield "Latin-1", value.encode("latin-1")
    yield "repr", repr(raw)[2:-1].encode()
    yield from ((f"base64 at {at}", inner(raw, at)) for at in range(3))
    yield from ((f"base64url at {at}", inner(raw, at).translate(URL)) for at in range(3))
    digits = re.sub(r"\D", "", value)
    if len(digits) >= SHORTEST:
        yield "digits", digits.encode()


URL = bytes.maketrans(b"+/", b"-_")


def inner(raw: bytes, at: int) -> bytes:
    """What base64 makes of `raw` behind `at` other bytes, without the characters that its neighbours decide."""
    coded = base64.b64encode(bytes(at) + raw).rstrip(b"=")
    return coded[(0, 2, 3)[at] : len(coded) - ((at + len(raw)) % 3 != 0)]


class Canaries:
    """The search for `values`, in one walk over the bytes."""

    def __init__(self, values: Mapping[str, str] = PLANTED) -> None:
        named: dict[bytes, tuple[str, str]] = {}
        for name, value in values.items():
            for spelling, needle in spellings(value):
                named.setdefault(needle.lower(), (name, spelling))
        self.names = list(named.values())
        self.find = BytesAhoCorasick(list(named)).find_matches_as_indexes

    def in_bytes(self, data: bytes, path: str) -> list[Sighting]:
        """Every sighting in `data`, which is said to stand at `path`."""
        found = self.find(data.lower())
        return [Sighting(*self.names[which], path, start) for which, start, _ in found]

    def in_text(self, text: str, told: str) -> list[Sighting]:
        """The same for an answer or an output; `told` says of whom."""
        return self.in_bytes(text.encode(), told)

    def in_files(self, *places: Path) -> list[Sighting]:
        """In every file at or below `places`, in what is compressed there, and in the names of files."""
        found = []
        for path in files(places):
            found += self.in_bytes(os.fsencode(path.name), f"the name of {path}")
            data = path.read_bytes()
            for layer, inside in unpacked(path, data):
                found += self.in_bytes(inside, f"{path}{layer}")
        return found


def files(places: Iterable[Path]) -> Iterator[Path]:
    """Regular files at or below `places`, each once."""
    seen = set()
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and not path.is_symlink() and path not in seen:
                seen.add(path)
                yield path


def unpacked(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    """(layer, bytes): the file itself, and what it holds if it is compressed (gzip, an object of Git, Parquet)."""
    yield "", data
    if data[:2] == b"\x1f\x8b":
        yield " (gzip)", gzip.decompress(data)
    elif path.parent.parent.name == "objects" and data[:1] == b"\x78":
        yield " (Git)", zlib.decompress(data)
    elif data[:4] == b"PAR1":
        yield " (Parquet)", _columns(path)


def _columns(path: Path) -> bytes:
    """The columns of a Parquet file as they lie in memory, strings as they are."""
    import pyarrow
    from pyarrow import parquet

    table, sink = parquet.read_table(path), pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def told(sightings: Iterable[Sighting]) -> str:
    """The sightings as lines to fail with."""
    return "\n".join(f"{s.value}, {s.spelling}: {s.path} at {s.offset}" for s in sightings)
