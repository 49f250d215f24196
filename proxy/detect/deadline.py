"""How long one look may take. Over time is a failure, never a reason to skip a recognizer.

No recognizers here, and no timers: whoever works asks, often, how much time is left.
"""

from __future__ import annotations

from time import monotonic


class Deadline:
    """A moment by which one `find` must have ended; `seconds` from now."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = monotonic() + seconds

    def left(self) -> float:
        """Seconds left, always more than 0. Raises TimeoutError when there are none."""
        left = self._at - monotonic()
        if left <= 0:
            raise TimeoutError("inspection took too long")
        return left
