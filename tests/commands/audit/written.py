"""An audit that the real writer writes, as a proxy does, while commands are run on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proxy.audit import bodies, events
from proxy.audit.blocks import blocks
from proxy.audit.layout import logs, segments
from proxy.audit.marks import ROW, commitment
from proxy.audit.people.keys import Keys
from proxy.audit.writing.opening import open_log
from tests.audit.logs import finding, message
from tests.audit.people import MAIL

SID = "0badcafe-7"


class Writing:
    """A log that is being written to."""

    def __init__(self, directory: Path, keys: Keys, segment_size: int = 64 << 20) -> None:
        self.keys, self.log = keys, open_log(directory, keys.signer, segment_size=segment_size)

    def say(
        self, *values: str, sid: str = SID, entity: str = MAIL, body: bytes | None = None, **more: Any
    ) -> None:
        """A message in which these values were found."""
        found, marks, kept, seq = [], b"", b"", self.log.seq
        for place, value in enumerate(values):
            salt, mark = os.urandom(16), self.keys.mark(value, entity)
            found.append(finding(entity, c=commitment(salt, mark)))
            marks += ROW.pack(seq, place, self.keys.epoch, salt, mark)
        if body is not None:
            salt = os.urandom(16)
            more["body"], kept = bodies.commitment(salt, body), bodies.row(seq, salt, body)
        kind, given = message(seq + 1, f=found, sid=sid, **more)
        line = events.encode(kind(log=self.log.id, seq=seq, t=time.time_ns(), mono=time.monotonic_ns(), **given))
        self.log.append(line + b"\n", 1, time.time_ns(), marks, kept)


def written(directory: Path, *kinds: type[events.Event]) -> Iterator[Any]:
    """The events of these kinds in all logs."""
    for log in logs(directory):
        for segment in segments(log):
            for block in blocks(segment):
                yield from (event for event in map(events.decode, block.lines) if isinstance(event, kinds))
