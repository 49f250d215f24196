"""One connection, as the lanes know it: whatever has to be remembered from message to message hangs on it."""

from __future__ import annotations


class Session:
    """Made by the wire, one per connection. `sid` is its number within the run of its process; the log and the
    audit call it by both, `RUN-SID`. Compared by identity.

    `memory` is the vault's (proxy/pseudonyms/vault.py): None as long as there is nothing to remember.
    """

    __slots__ = ("findings", "memory", "route", "sid")

    def __init__(self, sid: int, route: str = "default") -> None:
        self.sid = sid
        self.route = route
        self.findings = [0, 0]
        """By Direction, those in force: counted by the journal."""
        self.memory: object | None = None
