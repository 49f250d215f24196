"""What was said is read from events and payloads together, by session or all of it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from proxy.audit import events
from proxy.audit.blocks import SegmentError
from proxy.audit.bodies import Bodies, commitment, erase, row
from proxy.audit.layout import segments
from proxy.audit.reading.conversation import size, spoken
from tests.audit.logs import HandMade, message


class Talking(HandMade):
    """A log at level `sanitised`."""

    def say(self, payload: bytes, sid: str = "0badcafe-1", **more: Any) -> None:
        salt = (self.seq + 1).to_bytes(16, "big")
        file = Bodies.open(self.folder / f"{self.name}.bodies")
        file.append(row(self.seq, salt, payload))
        file.close()
        self.block(message(sid=sid, out=len(payload), body=commitment(salt, payload), **more))

    def seal(self) -> None:
        """Compress the segment, as the writer does with those that are full."""
        path = self.folder / f"{self.name}.jsonl"
        path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def heard(directory: Path, **asked: Any) -> list[bytes | None]:
    return [one.payload for one in spoken(directory, **asked) if isinstance(one.event, events.Message)]


def test_a_session_is_heard_across_segments_and_others_are_not(tmp_path):
    log = Talking(tmp_path)
    log.say(b"one")
    log.say(b"other", sid="0badcafe-12")
    log.seal()
    log.rotate()
    log.say(b"two", dir="down")
    assert heard(tmp_path, sid="0badcafe-1") == [b"one", b"two"]
    assert heard(tmp_path) == [b"one", b"other", b"two"]
    told: list[int] = []
    assert len(heard(tmp_path, tell=told.append)) == 3 and sum(told) == size(tmp_path) > 0


def test_what_was_erased_dropped_or_never_kept_is_an_event_without_a_payload(tmp_path):
    log = Talking(tmp_path)
    log.say(b"erased")
    log.block(message(verdict="dropped", out=0))
    log.say(b"kept")
    erase(segments(log.folder)[0].beside("bodies"), {0})
    log.rotate()
    log.block(message())  # at another level: there is no file
    assert heard(tmp_path) == [None, None, b"kept", None]


def test_a_payload_that_is_not_what_the_event_speaks_of_is_not_handed_on(tmp_path):
    log = Talking(tmp_path)
    log.say(b"as it left")
    path = segments(log.folder)[0].beside("bodies")
    path.write_bytes(path.read_bytes().replace(b"left", b"lied"))
    assert heard(tmp_path) == [None]


def test_of_two_rows_of_one_event_the_one_that_fits_counts(tmp_path):
    log = Talking(tmp_path)
    file = Bodies.open(log.folder / f"{log.name}.bodies")
    file.append(row(0, bytes([9]) * 16, b"of a write that failed"))
    file.close()
    log.say(b"of the one that did not")
    log.say(b"next")
    assert heard(tmp_path) == [b"of the one that did not", b"next"]


def test_a_torn_tail_is_not_heard_and_a_line_that_is_no_event_is_told(tmp_path):
    log = Talking(tmp_path)
    log.say(b"one")
    path = segments(log.folder)[0].path
    line = path.read_bytes()
    path.write_bytes(line + line[:-20])
    assert heard(tmp_path) == [b"one"]
    path.write_bytes(line.replace(b'"lat_us"', b'"lat_xx"') + line)
    with pytest.raises(SegmentError, match=r"log-0/20261119-000000\.jsonl has a line that is no event"):
        heard(tmp_path)


def test_only_what_is_wanted_is_heard(tmp_path):
    log = Talking(tmp_path)
    log.say(b"up")
    log.say(b"down", dir="down")
    log.block((events.Refuse, {"sid": "0badcafe-1", "route": "r", "dir": "up", "cause": "idle", "policy": ""}))
    wanted = [type(one.event).__name__ for one in spoken(tmp_path)]
    assert wanted == ["Message", "Message", "Refuse"]
    only = spoken(tmp_path, lambda event: isinstance(event, events.Message) and event.dir == "down")
    assert [one.payload for one in only] == [b"down"]
