"""Recorded messages, treated by two sets of rules: which of them come out differently."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from proxy.commands.treat import Connection, Treated
from proxy.core.message import Direction
from proxy.core.policy import Rule
from proxy.detect.engine import Engine
from proxy.rulebook.load import Draft

WAYS = {way.label: way for way in Direction}
FORMS = '{"direction": "client_to_upstream", "text": "..."} or with "payload": any JSON instead of "text"'


class Recorded(NamedTuple):
    """One message of a recording. `session` tells connections apart."""

    direction: Direction
    payload: bytes
    session: str


class Differs(NamedTuple):
    """A message, by its number from 1, that is treated differently."""

    number: int
    direction: Direction
    before: Treated
    after: Treated


class RecordError(Exception):
    """A line that is no message; says which, and quotes nothing."""


def recorded(line: bytes, number: int) -> Recorded:
    """The message that a line of a recording says. Raises RecordError."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise RecordError(f"line {number} is not JSON; write {FORMS}") from None
    if not isinstance(said, dict) or said.get("direction") not in WAYS or ("text" in said) == ("payload" in said):
        raise RecordError(f"line {number} is no message; write {FORMS}")
    return Recorded(WAYS[said["direction"]], _payload(said, number), str(said.get("session", "")))


def _payload(said: dict[str, Any], number: int) -> bytes:
    if "payload" in said:
        return json.dumps(said["payload"], ensure_ascii=False).encode(errors="replace")
    if not isinstance(said["text"], str):
        raise RecordError(f'line {number}: "text" is a text; JSON stands under "payload"')
    return str(said["text"]).encode(errors="replace")


def compared(
    path: Path, old: Draft[Engine], new: Draft[Engine], tell: Callable[[int], None]
) -> Iterator[Differs | None]:
    """For each message of the recording what differs, or None. `tell` gets the bytes read so far.

    Raises RecordError, OSError.
    """
    connections: dict[str, tuple[Connection, Connection]] = {}
    read = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            read += len(line)
            if not line.strip():
                continue
            message = recorded(line, number)
            if message.session not in connections:
                connections[message.session] = _connect(old), _connect(new)
            one, other = connections[message.session]
            before = one.treat(message.direction, message.payload)
            after = other.treat(message.direction, message.payload)
            same = treatment(before, one.rules) == treatment(after, other.rules)
            yield None if same else Differs(number, message.direction, before, after)
            tell(read)


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
