"""What is sent in a measurement: payloads, frames, and the cases they are sent in.

Pure values. Payloads are ASCII JSON of an exact size, made from a fixed seed and plain words, so that runs
can be compared and no rule has anything to find, except in the kind `email`, which holds one address.
"""

from __future__ import annotations

import functools
import json
import random
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from websockets.speedups import apply_mask

MASK = b"\x37\xfa\x21\x3d"
EMAIL = "ada.lovelace@example.com"
KINDS = ("clean", "email")
WORDS = """
amber anchor arrow autumn basil beacon birch bridge bronze canal candle canvas cedar chalk cinder clay clover
cobalt copper coral cotton crater creek crystal dawn delta drift dune ember fable falcon feather fern flint
forest fossil frost garden garnet glacier granite gravel harbor harvest hazel heather hollow indigo island
ivory jasper juniper kettle lagoon lantern larch lemon lichen linen lumber magnet maple marble meadow mineral
mirror mosaic moss nectar needle nickel oak olive opal orchard oyster paddle pebble pepper pine plaza pollen
prairie quarry quartz rapid reed resin ribbon ridge river rustic saddle saffron sage sail salt shadow shell
silver slate spruce station stone summit sunset table thistle timber topaz tundra tunnel valley velvet vessel
violet walnut water weaver willow window winter wooden yellow zephyr zinc
""".split()  # noqa: SIM905 - a list of literals would be a page long


@dataclass(frozen=True, slots=True)
class Case:
    """`conns` connections, each keeping `window` messages of `size` bytes in flight.

    `payload` is one of KINDS or the path of a file; with `deflate` both legs are offered permessage-deflate.
    """

    conns: int
    size: int
    window: int
    payload: str = "clean"
    deflate: bool = False

    @property
    def label(self) -> str:
        """The spelling `parse_case` reads."""
        label = f"{self.conns}:{self.size}:{self.window}"
        if self.payload in KINDS[1:]:
            label += f":{self.payload}"
        return label + (":deflate" if self.deflate else "")


def parse_case(text: str, payload: str = "clean") -> Case:
    """`50:100:1`, `50:100:1:email` or `20:16384:1:deflate`; ValueError names what is wrong."""
    if re.fullmatch(r"[1-9]\d*:[1-9]\d*:[1-9]\d*(:[a-z]+)*", text) is None:
        raise ValueError(f"'{text}' is not a case; write CONNECTIONS:BYTES:WINDOW, for example 50:100:1")
    numbers, marks = text.split(":")[:3], text.split(":")[3:]
    if unknown := set(marks) - {*KINDS, "deflate"}:
        raise ValueError(f"'{text}': unknown mark {', '.join(sorted(unknown))}")
    kinds = [mark for mark in marks if mark in KINDS]
    conns, size, window = map(int, numbers)
    return Case(conns, size, window, kinds[0] if kinds else payload, "deflate" in marks)


@functools.lru_cache
def message(case: Case) -> bytes:
    """The payload of `case`: exactly `case.size` bytes of JSON, or the content of a file, whatever its size."""
    if case.payload not in KINDS:
        return Path(case.payload).read_bytes()
    rng = random.Random(case.size)  # a fixed seed: the same message in every run
    fields: dict[str, str | int] = {"type": "update", "seq": 17}
    if case.payload == "email":
        fields["contact"] = EMAIL
    room = case.size - len(json.dumps({**fields, "text": ""}))
    if room < 0:
        raise ValueError(f"{case.size} bytes are too few for a message of kind {case.payload}")
    text = " ".join(rng.choices(WORDS, k=room // 4 + 1))[:room]  # no word is shorter than 3 letters
    return json.dumps({**fields, "text": text}).encode()


def frame(payload: bytes, *, masked: bool, deflated: bool = False) -> bytes:
    """One whole text frame (RFC 6455 section 5.2), with RSV1 if `payload` is deflated (RFC 7692)."""
    head = bytearray([0xC1 if deflated else 0x81])
    bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head.append(bit | size)
    elif size < 65536:
        head.append(bit | 126)
        head += size.to_bytes(2, "big")
    else:
        head.append(bit | 127)
        head += size.to_bytes(8, "big")
    return bytes(head) + (MASK + apply_mask(payload, MASK) if masked else payload)


def deflate(payload: bytes) -> bytes:
    """As RFC 7692 section 7.2.1 says, with a fresh window: right for any negotiated context takeover."""
    press = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (press.compress(payload) + press.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(payload: bytes) -> bytes:
    """The inverse of `deflate`, for the first message of a stream."""
    return zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
