"""Connections under rules of this room: real lanes both ways, real codecs, and a detector that finds «this»."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy.codecs import choose
from proxy.core.action import Note, Send
from proxy.core.finding import Finding
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind, Leaf
from proxy.core.plugs import Findings
from proxy.core.policy import Policy, Rule
from proxy.core.session import Session
from proxy.pseudonyms.tokens import Scope, Tokens, Vaults, restorers
from tests.playbook import BOTH, DOWN, UP, InDoubt

SCOPE = Scope("tickets", bytes(range(32)), bytes(64))
OPPOSITE = (2, 1)  # what comes from the client is restored for it, and what comes from the service for that


class Marked(InDoubt):
    """Finds what stands between « and », so that anything at all can be a value, and every longer number."""

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        return [list(self._look(leaf)) for leaf in leaves]

    def _look(self, leaf: Leaf) -> Sequence[Finding]:
        if leaf.number:
            return [Finding("CARD", 0, len(leaf.text), 1.0, "marked")]
        return [
            Finding(match[1] or "EMAIL_ADDRESS", *match.span(2), 1.0, "marked")
            for match in re.finditer("«(?:([A-Z_]+):)?(.+?)»", leaf.text, re.DOTALL)
        ]


def tokens(
    vaults: Vaults, scope: Scope | None = None, restores: tuple[int, int] = OPPOSITE, *, replaces: bool = False
) -> Tokens:
    return Tokens(vaults, "rule", scope, restores, replaces)


def policy_of(*made: Tokens, ways: frozenset[Direction] = BOTH) -> Policy:
    """A rule for each of `made`; the first decides about everything."""
    rules = tuple(
        Rule(f"rule{i or ''}", None, ways, "tokenize", one.rewrite, one.number, slow=one.slow)
        for i, one in enumerate(made)
    )
    entities = frozenset({"EMAIL_ADDRESS", "CARD"})
    return Policy("test", "d1", 0.5, entities, rules, restores=restorers([(one, ways) for one in made]))


class Talk:
    """One connection. `up` and `down` send a message and return what arrives at the other end."""

    def __init__(self, *made: Tokens, ways: frozenset[Direction] = BOTH, session: Session | None = None) -> None:
        self.session = session or Session(1)
        policy = policy_of(*made, ways=ways)
        self.lanes = [Lane(way, policy, Marked(), choose) for way in Direction]
        self.note: Note | None = None

    def up(self, text: str) -> str:
        return self._send(UP, text)

    def down(self, text: str) -> str:
        return self._send(DOWN, text)

    def _send(self, way: Direction, text: str) -> str:
        payload = text.encode()
        lane = self.lanes[way]
        assert not lane.clear(Kind.TEXT, payload, self.session)  # in doubt is the detector of tests, always
        *notes, send = lane.work(Kind.TEXT, payload, self.session)
        assert isinstance(send, Send)
        self.note = notes[0] if notes and isinstance(notes[0], Note) else None
        restored = self.note is not None and any(done.operator == "restore" for done in self.note.findings)
        # where nobody is waited for, nothing is restored either
        assert not restored or (lane.restore is not None and lane.restore.awaits(payload, self.session))
        return send.payload.decode()
