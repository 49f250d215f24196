"""The one pointer to the rules in force, and to the detector that was made for them."""

from __future__ import annotations

from proxy.core.lane import Lane
from proxy.core.message import Direction
from proxy.core.plugs import Choose, Detector, Mark
from proxy.core.policy import Policy


class Live:
    """Lanes by Direction, which serve every connection. Swapped whole, never edited: whoever took a lane out of
    here keeps its policy and its detector to the end of the message."""

    __slots__ = ("choose", "lanes", "mark")

    def __init__(self, policy: Policy, detector: Detector, choose: Choose, mark: Mark | None = None) -> None:
        self.choose = choose
        self.mark = mark
        self.swap(policy, detector)

    def swap(self, policy: Policy, detector: Detector) -> None:
        """Put `policy` in force for every message offered from now on. Any thread may do that."""
        self.lanes = tuple(Lane(direction, policy, detector, self.choose, self.mark) for direction in Direction)

    @property
    def policy(self) -> Policy:
        """The rules in force now."""
        return self.lanes[0].policy
