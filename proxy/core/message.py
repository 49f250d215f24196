"""The nouns of a conversation: what the wire hands to the core.

Frozen values only. Nothing here knows about frames (that word lives in proxy/wire) or about rules.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Direction(enum.IntEnum):
    """Which way a message flows. An IntEnum, because lanes and policies keep pairs indexed by it."""

    CLIENT_TO_UPSTREAM = 0
    UPSTREAM_TO_CLIENT = 1

    @property
    def label(self) -> str:
        """The name used in rule files, metrics and notes, for example `client_to_upstream`."""
        return self.name.lower()

    @property
    def other(self) -> Direction:
        """The opposite direction."""
        return Direction(1 - self)


class Side(enum.IntEnum):
    """Who sits at one end of the connection. A Direction starts at the Side of the same number."""

    CLIENT = 0
    UPSTREAM = 1

    @property
    def other(self) -> Side:
        """The side across."""
        return Side(1 - self)


class Kind(enum.IntEnum):
    """Data message types; the numbers are the opcodes of RFC 6455 section 5.2."""

    TEXT = 1
    BINARY = 2


@dataclass(frozen=True, slots=True)
class Close:
    """The content of a CLOSE frame (RFC 6455 section 5.5.1); `code` None is an empty frame."""

    code: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text found in a message, and where it stands there. Made by a codec, looked at by a detector.

    `text` is decoded (no escapes). `start` and `end` are offsets of its spelling in the payload, in the
    codec's own unit (characters for text codecs, bytes for binary ones). `depth` says how many levels of
    string escaping lie between the two: 0 for plain text, 1 for a JSON string, 2 for a string in JSON
    that is itself the value of a JSON string. `number` says that the text is a bare JSON number: what replaces
    any of it must leave a number. `path` names the place (`$.user.email`) and may hold
    object keys, so it is not to be logged before it was looked at itself.
    """

    path: str
    text: str
    start: int
    end: int
    depth: int
    number: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `leaf.text[start:end]` by `text`. Made by a lane, spelt into the payload by a codec."""

    leaf: Leaf
    start: int
    end: int
    text: str
