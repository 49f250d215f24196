"""A message that comes in fragments, and what was said between them."""

from __future__ import annotations

from proxy.core.message import Kind

MAX_FRAGMENTS = 65_536  # of one message that is kept to be looked at: empty ones cost memory and add up to nothing


class Unfinished:
    """A message whose frames are still coming (or, under rules that look at nothing, passing through)."""

    __slots__ = ("compressed", "controls", "frames", "kind", "pieces", "size", "watched")

    def __init__(self, kind: Kind, compressed: bool, watched: bool) -> None:
        self.kind = kind
        self.compressed = compressed
        self.watched = watched
        self.frames: list[bytes] = []  # as received, control frames among them where they stood
        self.controls: list[int] = []  # which of `frames` are control frames
        self.pieces: list[bytes] = []
        self.size = 0

    def take_controls(self) -> list[bytes]:
        """Remove the control frames among the fragments and return them in order."""
        taken = [self.frames[index] for index in self.controls]
        for index in reversed(self.controls):
            del self.frames[index]
        self.controls = []
        return taken
