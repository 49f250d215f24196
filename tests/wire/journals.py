"""A journal that the test holds in its hand: it takes notes down when the test says so, or fails to."""

from __future__ import annotations

from typing import Any, NamedTuple

from proxy.core.action import Note
from proxy.core.plugs import Ending, Waiting
from proxy.core.session import Session


class Told(NamedTuple):
    """What a journal was told of a message."""

    note: Note
    number: int
    size: int
    sent: bytes | None
    took: float


class Held:
    """What is noted waits in `pending` until `take`. `waits` False is the durability `async`."""

    def __init__(self, *, every: bool = False, waits: bool = True) -> None:
        self.every = every
        self.waits = waits
        self.pending: list[Told] = []
        self.taken: list[Told] = []
        self.waiting: list[Waiting] = []
        self.events: list[tuple[Any, ...]] = []
        self.commits = 0
        self.broken: OSError | None = None
        """What committing raises; `stuck` is what noting does."""
        self.stuck: OSError | None = None

    # -- core.plugs.Journal -------------------------------------------------------------------------------

    def opened(self, session: Session, subprotocol: str, address: str, who: str) -> None:
        if self.stuck is not None:
            raise self.stuck
        self.events.append(("opened", session.sid, session.route, subprotocol, address, who))

    def message(
        self, session: Session, note: Note, number: int, size: int, sent: bytes | None, took: float
    ) -> bool:
        if self.stuck is not None:
            raise self.stuck
        self.pending.append(Told(note, number, size, sent, took))
        return self.waits

    def refused(self, session: Session, note: Note, lost: int = 0) -> None:
        assert note.cause is not None
        self.events.append(("refused", note.cause.value, lost))

    def closed(self, session: Session, ending: Ending) -> None:
        self.events.append(("closed", ending))

    def limited(self, route: str, reason: str) -> None:
        self.events.append(("limited", route, reason))

    def wait(self, waiting: Waiting) -> None:
        assert waiting not in self.waiting, "whoever waits waits once"
        self.waiting.append(waiting)

    def commit(self) -> None:
        self.commits += 1
        if self.broken is not None:
            raise self.broken
        self.taken += self.pending
        self.pending = []

    # -- the test's hand ----------------------------------------------------------------------------------

    def take(self) -> None:
        """Take down everything, and tell those who wait."""
        self.commit()
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.written()

    def give_up(self) -> None:
        """Tell those who wait that it could not be taken down."""
        self.pending = []
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.unwritten()

    @property
    def numbers(self) -> list[int]:
        return [told.number for told in self.taken + self.pending]
