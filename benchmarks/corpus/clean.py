"""Messages without personal data, of many protocols, as nasty as real ones: any finding in them is a mistake.

The rule by which they are clean: no template names a person, a user, a mailbox, a postal place, a telephone, an
person's account, or the address of a host, a device or a purse (IP, MAC, IMSI, RFID tag, wallet). Hosts have names
under example.com and the like, services and rooms are named after what they do, ids come from `Ids`, which draws
no valid card number. What only *sounds* personal is wanted: `"address": "0x4c"`, `"card": "Ace of spades"`,
`"mac": "hmac-sha256"`, `"nextToken"`, ids of ten digits, four groups of four with a wrong check digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from types import MappingProxyType

from benchmarks.corpus import streams, talk, things, tools, trade
from benchmarks.corpus.ids import Ids

SEED = 20_251_123
COUNT = 640

Kind = Callable[[Ids], str]
KINDS = MappingProxyType({**talk.KINDS, **streams.KINDS, **things.KINDS, **trade.KINDS, **tools.KINDS})
"""Name of a protocol -> a maker of one of its messages, as the text of one WebSocket message."""


@dataclass(frozen=True, slots=True)
class Clean:
    """One message without personal data."""

    kind: str
    text: str


def frames(count: int = COUNT, seed: int = SEED) -> list[Clean]:
    """`count` messages, as many of each kind, the same for the same seed."""
    ids = Ids(seed)
    return [Clean(kind, make(ids)) for kind, make in islice(cycle(KINDS.items()), count)]
