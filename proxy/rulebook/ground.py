"""What rules are built on: everything that a rule file needs and does not say itself.

Whoever builds rules hands this over (the proxy, the command line, a benchmark, a test), so that all of them build
the same. No rule files are read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from proxy.core.plugs import Detector
from proxy.detect.recognizer import Recognizer
from proxy.pseudonyms.keys import KeyRing
from proxy.pseudonyms.tokens import Vaults


class Prover(Detector, Protocol):
    """The detector that will run the rules: says what it can find, and finds it in their examples."""

    entities: frozenset[str]


D = TypeVar("D", bound=Prover)
Keys = Mapping[str, Sequence[str]]
"""By entity: what keys of messages are called whose values are of it."""

Fields = Callable[[str], bool]


@dataclass(frozen=True)
class Ground(Generic[D]):
    """`engine` makes the detector of a policy: with the recognizers and the keys that its files bring along, and
    with what says whether a path is a field of a protocol, where nobody needs to guess.

    `now` is a Unix time: exceptions end. `shadow` turns a whole route into a rehearsal: every rule of it is noted,
    and none changes a message.

    `ring` has the keys of operators, `vaults` what tokens stand for. Without them rules can be made and tried, but
    what they make today nobody can undo or find again tomorrow.
    """

    engine: Callable[[Sequence[Recognizer], Keys, Fields], D]
    now: float
    shadow: bool = False
    ring: KeyRing = field(default_factory=KeyRing.throwaway)
    vaults: Vaults = field(default_factory=Vaults.in_memory)
