"""Recordings of what was said: a file with one message a line, or an audit of level `sanitised`.

In an audit, messages are as they left, after redaction: what rules find in them is what got past those that were
in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from proxy.core.message import Direction, Kind

if TYPE_CHECKING:
    from proxy.audit.reading.conversation import Said, Spoken

WAYS = {way.label: way for way in Direction}
FORMS = '{"direction": "client_to_upstream", "text": "..."} or with "payload": any JSON instead of "text"'
Tell = Callable[[int], None]
"""Gets the number of bytes read since it was called last."""


class Recorded(NamedTuple):
    """One message of a recording; `number` is its line, or its number in its session and direction. `session`
    tells connections apart; `last` says that this one has ended (with no message)."""

    direction: Direction
    payload: bytes
    session: str
    number: int
    kind: Kind = Kind.TEXT
    last: bool = False


class RecordError(Exception):
    """A line that is no message; says which, and quotes nothing."""


def of_file(path: Path, tell: Tell) -> Iterator[Recorded]:
    """The messages of a file. Raises RecordError, OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield recorded(line, number)
            tell(len(line))


def recorded(line: bytes, number: int) -> Recorded:
    """The message that a line of a recording says. Raises RecordError."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise RecordError(f"line {number} is not JSON; write {FORMS}") from None
    if not isinstance(said, dict) or said.get("direction") not in WAYS or ("text" in said) == ("payload" in said):
        raise RecordError(f"line {number} is no message; write {FORMS}")
    return Recorded(WAYS[said["direction"]], _payload(said, number), str(said.get("session", "")), number)


def _payload(said: dict[str, Any], number: int) -> bytes:
    if "payload" in said:
        return json.dumps(said["payload"], ensure_ascii=False).encode(errors="replace")
    if not isinstance(said["text"], str):
        raise RecordError(f'line {number}: "text" is a text; JSON stands under "payload"')
    return str(said["text"]).encode(errors="replace")


def of_audit(directory: Path, session: str | None, since: int | None, tell: Tell) -> Iterator[Recorded]:
    """What left, of one session (RUN-SID) or of all, `since` a Unix time in nanoseconds.

    Messages whose payload was erased or never kept are left out. Raises RecordError, also if no other is there;
    OSError.
    """
    from proxy.audit.blocks import SegmentError
    from proxy.audit.reading.conversation import spoken

    def wanted(event: Said) -> bool:
        return since is None or event.t >= since

    kept = False
    try:
        for one in spoken(directory, wanted, session, tell):
            if (message := _said(one)) is not None:
                kept = kept or not message.last
                yield message
    except SegmentError as error:
        why = f"the log cannot be read: a segment {error}"
        raise RecordError(f"{why}; hushwire audit verify --audit {directory} says what happened to it") from None
    if not kept:
        raise RecordError("nothing of what was said is kept; that takes hushwire run --audit-level sanitised")


def _said(one: Spoken) -> Recorded | None:
    from proxy.audit.events import WAYS, Message, SessionClose

    event = one.event
    if isinstance(event, SessionClose):
        return Recorded(Direction(0), b"", event.sid, 0, last=True)
    if not isinstance(event, Message) or one.payload is None:
        return None
    return Recorded(Direction(WAYS.index(event.dir)), one.payload, event.sid, event.n, Kind[event.op.upper()])
