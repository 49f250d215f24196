"""Old segments go as a whole, are accounted for, and the log stays provable; what is held stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.audit import events
from proxy.audit.blocks import SegmentError
from proxy.audit.layout import segments
from proxy.audit.marks import ROW
from proxy.audit.people.hold import HoldError, place
from proxy.audit.proof.verify import verify
from proxy.audit.writing import retention
from proxy.audit.writing.log import Log
from proxy.audit.writing.restore import Place, UnfitError
from proxy.audit.writing.retention import Retention, prune
from proxy.audit.writing.sealing import seal
from tests.audit.writing import NOON, SECOND, block, lines, opened

DAY = 86_400
WEEK = Retention(seconds=7 * DAY)


def at(day: float) -> float:
    """Unix time so many days behind the first event."""
    return NOON / SECOND + day * DAY


class Kept:
    """A log with a segment per day for ten days, the first of them compressed, which goes on being written."""

    def __init__(self, directory: Path) -> None:
        self.log: Log = opened(directory)
        for day in range(10):
            t = NOON + day * DAY * SECOND
            block(self.log, 2, t, marks=ROW.pack(self.log.seq, 0, 1, bytes(16), bytes(16)))
            block(self.log, 1, t)
        self.log.sync()
        seal(segments(self.log.folder)[0])
        self.told: list[dict[str, object]] = []

    def tell(self, kind: type[events.Event], **given: object) -> None:
        """As the journal does."""
        self.told.append(given)
        line = events.encode(kind(log=self.log.id, seq=self.log.seq, t=NOON + 10 * DAY * SECOND, mono=0, **given))
        self.log.append(line + b"\n", 1, NOON + 10 * DAY * SECOND)
        self.log.sync()

    def prune(self, how: Retention = WEEK, day: float = 10.0) -> int:
        log = self.log
        return prune(log.folder, log.settled, log.signed, how, self.tell, at(day))

    @property
    def numbers(self) -> list[int]:
        return [segment.number for segment in segments(self.log.folder)]


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


def test_segments_go_when_their_day_is_long_enough_over(kept, tmp_path):
    assert kept.prune(day=7.4) == 0  # the first day ends half a day behind its noon
    assert kept.prune(day=7.6) == 1
    assert kept.prune(day=10.6) == 3
    assert kept.prune(day=10.6) == 0
    assert kept.numbers == [4, 5, 6, 7, 8, 9, 10]
    assert sorted(path.suffix for path in kept.log.folder.glob("2026111[89]*")) == []
    kept.log.close()
    assert verify(tmp_path).verdict == "whole"


def test_what_goes_is_said_before(kept):
    kept.prune(day=8.6)
    assert kept.told == [{"pruned": kept.log.id, "first": 0, "last": 5, "size": 4, "segments": 2}]
    assert lines(kept.log.folder)[0].seq == 6
    kept.prune(day=9.6)
    assert kept.told[1] == {"pruned": kept.log.id, "first": 6, "last": 8, "size": 6, "segments": 1}


def test_if_it_cannot_be_said_nothing_goes(kept):
    def full(*_: object, **__: object) -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        prune(kept.log.folder, kept.log.settled, kept.log.signed, WEEK, full, at(10))
    assert len(kept.numbers) == 10
    assert not (kept.log.folder / "pruned").exists()


def test_the_oldest_go_until_the_rest_is_small_enough(kept, tmp_path):
    one = sum(path.stat().st_size for path in kept.log.folder.glob("20261119-*"))
    assert kept.prune(Retention(size=5 * one + 100), day=0) == 4
    assert kept.numbers == [4, 5, 6, 7, 8, 9, 10]
    kept.log.close()
    assert verify(tmp_path).verdict == "whole"


def test_nothing_goes_if_nothing_is_said_about_it(kept):
    assert kept.prune(Retention(), day=9999) == 0


def test_what_is_not_signed_yet_stays(kept):
    log = kept.log
    assert prune(log.folder, log.settled, 5, WEEK, kept.tell, at(20)) == 2


def test_a_hold_keeps_what_it_covers_and_everything_behind_it(kept, tmp_path):
    place(tmp_path, "a lawsuit", 0, begin=int(at(2)), end=int(at(2.1)))
    assert kept.prune(day=99) == 2
    assert kept.numbers == [2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_with_holds_that_cannot_be_read_nothing_goes(kept, tmp_path):
    (tmp_path / "holds.json").write_text("{")
    with pytest.raises(HoldError):
        kept.prune()
    assert len(kept.numbers) == 10


def test_while_a_hold_is_gone_that_an_event_has_placed_nothing_goes(kept, tmp_path):
    block(kept.log, t=int(at(10) * 1e9))
    said = {"hold": "hold-1", "state": "placed", "reason": "a lawsuit", "covers": "everything"}
    line = events.Hold(log=kept.log.id, seq=kept.log.seq, t=int(at(10) * 1e9), mono=0, **said)
    kept.log.append(events.encode(line) + b"\n", 1, line.t)
    kept.log.sync()
    with pytest.raises(HoldError, match="hold-1 was placed and is gone"):
        kept.prune(day=99)
    assert kept.numbers[0] == 0
    place(tmp_path, "a lawsuit", 0, begin=int(at(2)), end=int(at(2.1)))
    with pytest.raises(HoldError, match="hold-1 was placed and covers something else"):
        kept.prune(day=99)
    assert kept.numbers[0] == 0


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (b'{"b":2,', b'{"b":3,', UnfitError),
        (b'"seq":3,', b'"seq":4,', UnfitError),
        (b'{"b":2,', b"", SegmentError),
    ],
)
def test_what_is_not_what_was_written_stays_to_be_seen(kept, before, after, error):
    path = segments(kept.log.folder)[1].path
    path.write_bytes(path.read_bytes().replace(before, after, 1))
    with pytest.raises(error):
        kept.prune()
    assert kept.numbers == list(range(10))


def test_a_file_pruned_that_was_changed_stops_it(kept):
    (kept.log.folder / "pruned").write_text("{}")
    with pytest.raises(UnfitError, match="its file pruned was changed"):
        kept.prune()


class Interrupted(BaseException):
    """As if the process ended here."""


@pytest.mark.parametrize("removed", range(9))
def test_wherever_removing_is_interrupted_the_log_is_provable_and_the_next_attempt_completes_it(
    kept, tmp_path, monkeypatch, removed
):
    left, unlink = [removed], Path.unlink

    def interrupted(path: Path, **more: bool) -> None:
        if not left[0]:
            raise Interrupted
        left[0] -= 1
        unlink(path, **more)

    with monkeypatch.context() as broken, pytest.raises(Interrupted):
        broken.setattr(Path, "unlink", interrupted)
        kept.prune(day=9.6)
    assert verify(tmp_path).verdict in ("whole", "damaged")
    kept.log.close()
    log = kept.log = opened(tmp_path)
    assert (log.folder.name, log.size) == ("log-0", 21)
    assert kept.prune(day=9.6) == 0
    assert kept.numbers == [3, 4, 5, 6, 7, 8, 9, 10]
    assert not list(log.folder.glob("20261118-*"))
    log.close()
    assert verify(tmp_path).verdict == "whole"


@pytest.mark.parametrize("step", ["replace", "_remove"])
def test_whatever_was_said_and_not_done_is_done_later(kept, tmp_path, monkeypatch, step):
    with monkeypatch.context() as broken, pytest.raises(Interrupted):
        calls = iter([None] if step == "_remove" else [])

        def interrupted(*given: object) -> None:
            if next(calls, Interrupted) is Interrupted:
                raise Interrupted

        broken.setattr(retention, step, interrupted if step == "replace" else lambda *_: interrupted())
        if step == "_remove":
            next(calls)
        kept.prune(day=9.6)
    assert verify(tmp_path).verdict in ("whole", "damaged")
    kept.prune(day=9.6)
    assert kept.numbers == [3, 4, 5, 6, 7, 8, 9, 10]
    kept.log.close()
    assert verify(tmp_path).verdict == "whole"


def test_a_log_of_which_everything_was_removed_goes_on(kept, tmp_path):
    other = opened(tmp_path)
    log, signed = kept.log, kept.log.signed
    log.close()
    told: list[object] = []
    assert prune(log.folder, 10**9, signed, WEEK, lambda *_, **given: told.append(given), at(99)) == 10
    assert Place.parse((log.folder / "pruned").read_bytes()).size == signed
    continued = opened(tmp_path)
    assert (continued.id, continued.size, continued.seq) == (log.id, 20, 30)
    block(continued)
    continued.close()
    other.close()
    assert [segment.number for segment in segments(log.folder)] == [10]
    assert [line.seq for line in lines(log.folder)] == [30]


def test_what_was_derived_from_a_segment_goes_with_it(kept):
    first = segments(kept.log.folder)[0]
    first.beside("order").write_bytes(b"numbers of rows")
    assert kept.prune()
    assert not first.beside("order").exists()


def test_where_a_log_begins_is_on_the_disk_before_anything_is_removed(kept, monkeypatch):
    before, seen = kept.numbers, list[tuple[bool, list[int]]]()

    def synced(folder: Path) -> None:
        seen.append(((folder / "pruned").exists(), kept.numbers))

    monkeypatch.setattr(retention, "sync_directory", synced)
    assert kept.prune()
    begun = [numbers for pruned, numbers in seen if pruned]
    assert set(before) <= set(begun[0])
    assert not set(before) <= set(begun[-1])


@pytest.mark.parametrize("name", ["21001020", "20269999"])
def test_a_name_that_a_wrong_clock_has_given_keeps_nothing_for_ever(tmp_path, name):
    """Its day is to come, or there is none: then it counts when the file was written last."""
    kept = Kept(tmp_path)
    first = segments(kept.log.folder)[0]
    os.utime(first.path, (at(0), at(0)))
    for path in [first.path, first.beside("leaves"), first.beside("marks")]:
        path.rename(path.with_name(f"{name}{path.name[8:]}"))
    assert (kept.prune(day=6.9), kept.numbers[0]) == (0, 0)
    assert (kept.prune(), kept.numbers[0]) == (3, 3)
    assert verify(tmp_path).verdict == "whole"
