"""What a scenario is. The table itself is tests/wire/scenarios.py, its scripts the play_*.py beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.wire.peer import Peer
from tests.wire.talk import Talk

Play = Callable[[Talk], None]
BothWays = Callable[[Talk, Peer, Peer], None]
Side = Literal["client", "upstream"]

NONE: frozenset[Side] = frozenset()
REQUEST: frozenset[Side] = frozenset({"upstream"})
ANSWER: frozenset[Side] = frozenset({"client"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One conversation to be had directly and through a proxy.

    `why` is the rule or the trap it stands for. Frames, FIN and RST are always compared. The heads of the
    handshake are always compared for Hushwire; in the score table of other proxies only the head of a side
    in `heads`, where it is the subject, so that one added header is not counted in every line.
    """

    name: str
    why: str
    play: Play
    heads: frozenset[Side] = NONE


def both_ways(name: str, why: str, play: BothWays) -> Iterator[Scenario]:
    """The same script twice: play(talk, sender, receiver) with the client and then the upstream as sender."""

    def from_client(talk: Talk) -> None:
        talk.open()
        play(talk, talk.client, talk.upstream)

    def from_upstream(talk: Talk) -> None:
        talk.open()
        play(talk, talk.upstream, talk.client)

    yield Scenario(f"{name}-from-client", why, from_client)
    yield Scenario(f"{name}-from-upstream", why, from_upstream)
