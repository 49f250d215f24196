"""One connection, as the lanes know it: whatever has to be remembered from message to message hangs on it."""

from __future__ import annotations


class Session:
    """Made by the wire, one per connection; `sid` names it within its process. Compared by identity.

    `memory` is the vault's (proxy/pseudonyms/vault.py): None as long as there is nothing to remember.
    """

    __slots__ = ("memory", "sid")

    def __init__(self, sid: int) -> None:
        self.sid = sid
        self.memory: object | None = None
