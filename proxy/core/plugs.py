"""The plugs, one signature each: what a codec, a detector, an operator and a note sink must be.

Structural types without behaviour. Registries are plain dicts in the rooms that fill them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from proxy.core.action import Action, Note
from proxy.core.finding import Finding
from proxy.core.message import Direction, Edit, Kind, Leaf
from proxy.core.session import Session


class Codec(Protocol):
    """Where the texts are in a payload, and how new text goes back."""

    name: str
    rigid: bool
    """Whether what is written must be as long as what stood there, so that no token can become its value again."""

    def read(self, payload: bytes, near: Sequence[int] | None = None) -> Sequence[Leaf]:
        """Every text in `payload`, in order of `start`; leaves never overlap.

        `near` are places (what `Detector.near` says) outside of which nobody needs to look. A codec may ignore
        them; or leave out a text that stands in `payload` as it is, under keys that do too, if no place touches it
        and none is right behind the beginning of a structure around it. To touch is to stand in the text, at
        either end of it, or one character behind.

        Raises ValueError if the payload cannot be read completely: the caller refuses it.
        """

    def write(self, payload: bytes, edits: Sequence[Edit]) -> bytes:
        """`payload` with the edits spelt in; every byte outside the edited spans as it was.

        Edits come in order, do not overlap, and refer to leaves of `read(payload)`.
        """


Choose = Callable[[Kind, bytes], Codec]
"""Picks the codec of a payload, for example by its first byte."""

Findings = Sequence[Sequence[Finding]]
"""For each leaf asked about, in the same order, what was found there; in no particular order."""


class Detector(Protocol):
    """Finds personal data. Raises when it could not look completely (time, memory, a broken recognizer).

    `entities` are the ones the policy could act on; findings below `threshold` are left out.
    """

    def heavy(self, entities: frozenset[str]) -> bool:
        """Whether looking for `entities` takes too long for the event loop, however short the message is."""

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        """Whether `find` would find nothing in any text that a codec reads in `payload`, told from its bytes.

        Made for the hot path: True only if that is certain and `payload` is UTF-8, False when in doubt.
        """

    def near(self, payload: bytes, entities: frozenset[str], threshold: float) -> Sequence[int] | None:
        """Places in `payload`, in bytes and any order; None if it takes all texts to tell.

        What `find` finds in all texts that a codec reads in `payload`, it finds in those alone that the codec
        reads near these places. Only of a payload whose texts are spelt in UTF-8, if not with backslashes.
        """

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        """Look now, in the calling thread (which may be a worker: it must be safe to call in several)."""


Rewrite = Callable[[str, str, Session, Direction], str]
"""(found text, entity, session, which way it flows) -> its replacement. An operator whose parameters are bound.
Raises if it cannot: the message is then refused."""


class Restored(NamedTuple):
    """A token at `start:end` of a leaf's text, the value it stands for, and the rule that made it."""

    start: int
    end: int
    text: str
    entity: str
    rule: str


class Restore(Protocol):
    """Finds the tokens that stand in the messages of one direction for values from the other one."""

    slow: bool
    """Whether finding may wait for another machine, so that the event loop must not do it."""

    def awaits(self, payload: bytes, session: Session) -> bool:
        """Whether `payload` might hold a token of this session, told in a microsecond; True when in doubt."""

    def find(self, leaf: Leaf, session: Session) -> Sequence[Restored]:
        """The tokens in `leaf` that are known here, from left to right, without overlaps; others are left alone.

        What stands for a bare number (`leaf.number`) is a number too, and is the whole leaf.
        """


Submit = Callable[[Callable[[], list[Action]], int, int], Future[list[Action]]]
"""(job, number of the connection, size of its message) -> what becomes of it in a worker. The future fails when
the job does, or at once when too much waits; whoever has kept the workers least busy goes first."""

NoteSink = Callable[[Note], None]
"""Accepts a Note before its message is sent. If it raises, the message is not sent."""
