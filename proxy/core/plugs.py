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

Mark = Callable[[str, str], bytes]
"""(found text, entity) -> its keyed fingerprint, 16 bytes; the same for spellings that mean the same value."""


class Ending(NamedTuple):
    """How a connection ended and what it did; pairs are by Side or Direction. `first` says who began to end it
    and how (`client 1000`, `upstream FIN`, `proxy idle`), `codes` and `reasons` what each side's CLOSE said (None:
    there was none) and the lengths of the reasons in bytes."""

    first: str
    codes: tuple[int | None, int | None]
    reasons: tuple[int, int]
    messages: tuple[int, int]
    bytes: tuple[int, int]
    seconds: float


class Waiting(Protocol):
    """A leg whose output may leave only when its notes are in the log."""

    def written(self) -> None:
        """The log has taken all notes made before the waiting began."""

    def unwritten(self) -> None:
        """It could not, in the time that is given: what waits must not leave any more."""


class Journal(Protocol):
    """The audit log, as the wire knows it: proxy/audit keeps one. Every method is called on the loop.

    A message is noted, then its leg asks to `wait`, and lets nothing leave until it is told `written`. Whatever
    raises here (OSError, or a buffer that is full) has the message refused.
    """

    every: bool
    """Whether clean messages are noted too (levels `messages` and `sanitised`)."""

    def opened(self, session: Session, subprotocol: str, address: str, who: str) -> None:
        """A connection was established; empty strings for what there is not."""

    def message(
        self, session: Session, note: Note, number: int, size: int, sent: bytes | None, took: float
    ) -> bool:
        """Take down what becomes of message `number` (from 1, of its direction): `size` bytes came, `sent` is what
        would leave, if anything, `took` seconds to decide. Returns whether what leaves has to wait."""

    def refused(self, session: Session, note: Note, lost: int = 0) -> None:
        """The connection is ended by the proxy; `lost` noted messages of it were not sent on. The note has
        findings where a rule closed because of them."""

    def closed(self, session: Session, ending: Ending) -> None:
        """Both transports are gone."""

    def limited(self, route: str, reason: str) -> None:
        """A handshake was turned away."""

    def wait(self, waiting: Waiting) -> None:
        """Call `waiting.written` or `waiting.unwritten`, one of them, once, in a later turn of the loop."""

    def commit(self) -> None:
        """Write down now whatever was noted: for what cannot wait (the end of a connection). Raises OSError."""


NoteSink = Callable[[Note], None]
"""Accepts a Note before its message is sent. If it raises, the message is not sent."""
