"""Recorded messages, treated by two sets of rules: which of them come out differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from proxy.commands.recording import Recorded
from proxy.commands.treat import Connection, Treated
from proxy.core.message import Direction
from proxy.core.policy import Rule
from proxy.detect.engine import Engine
from proxy.rulebook.load import Draft


class Differs(NamedTuple):
    """A message, by its number and session as recorded, that is treated differently."""

    number: int
    direction: Direction
    before: Treated
    after: Treated
    session: str = ""


def compared(messages: Iterable[Recorded], old: Draft[Engine], new: Draft[Engine]) -> Iterator[Differs | None]:
    """For each message of a recording what differs, or None. Raises what reading the messages does."""
    connections: dict[str, tuple[Connection, Connection]] = {}
    for message in messages:
        if message.last:
            connections.pop(message.session, None)
            continue
        if message.session not in connections:
            connections[message.session] = _connect(old), _connect(new)
        one, other = connections[message.session]
        before = one.treat(message.direction, message.payload, message.kind)
        after = other.treat(message.direction, message.payload, message.kind)
        same = treatment(before, one.rules) == treatment(after, other.rules)
        yield None if same else Differs(message.number, message.direction, before, after, message.session)


def _connect(draft: Draft[Engine]) -> Connection:
    return Connection(draft.policy, draft.detector)


def treatment(treated: Treated, rules: dict[str, Rule]) -> object:
    """What has to be equal for a message to be treated alike. What a rule is called does not count, and neither do
    tokens, which are drawn anew each time."""
    done = [(one.entity, one.operator, one.mode, one.length, _params(one.rule, rules)) for one in treated.done]
    drawn = any(one.operator in ("tokenize", "restore") for one in treated.done)
    sent = treated.sent is not None if drawn else treated.sent
    return sent, treated.close, treated.cause, done


def _params(name: str, rules: dict[str, Rule]) -> dict[str, object]:
    return dict(rules[name].params) if name in rules else {}
