"""One connection, as the lanes know it: whatever has to be remembered from message to message hangs on it."""

from __future__ import annotations


class Session:
    """Made by the wire, one per connection; `sid` names it within its process. Compared by identity."""

    __slots__ = ("sid",)

    def __init__(self, sid: int) -> None:
        self.sid = sid
