"""Old segments go, whole and oldest first, and the log stays provable: `pruned` has the tree's state behind them.

The order is: an event says so and is on the disk, then `pruned` is written, then files are removed. Whoever is
interrupted leaves files that `pruned` speaks of; the next one removes them. What a hold may cover stays, and so
does everything behind it. So do whatever is not what was written, and what speaks of a hold that is gone from
holds.json: `verify` shall see it. While one is gone nothing goes at all. What a sink has yet to get stays too, as
long as the size of the log allows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from proxy.audit import events
from proxy.audit.blocks import blocks
from proxy.audit.layout import Segment, segments
from proxy.audit.people.held import check
from proxy.audit.people.hold import Hold, every
from proxy.audit.sinks.cursor import shipped
from proxy.audit.storage import replace, sync_directory
from proxy.audit.tend import turn
from proxy.audit.tree import Frontier, leaf_hash
from proxy.audit.writing.restore import Place, UnfitError

SIDES = ("order", "marks", "bodies", "leaves")
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """Events are kept `seconds` long (0: for ever), rounded up to whole segments; a log keeps at most `size` bytes
    besides its open segment (0: as many as there are)."""

    seconds: float = 0.0
    size: int = 0


FOREVER = Retention()


class _Line(msgspec.Struct, gc=False):
    """What has to be known of an event here: 0.3 us instead of 1.5."""

    log: str
    seq: int
    t: int


_lines = msgspec.json.Decoder(_Line).decode_lines


@dataclass(slots=True)
class _Counted:
    """The log up to where reading is: its tree, and what is to be told about it."""

    tree: Frontier
    seq: int
    log: str = ""
    holds: set[str] = field(default_factory=set)
    """Those that it speaks of."""

    def take(self, segment: Segment) -> tuple[int, int]:
        """Go on behind `segment`; its earliest and latest time in nanoseconds.

        Raises UnfitError, SegmentError and OSError.
        """
        earliest, latest = 1 << 63, 0
        for block in blocks(segment):
            lines = _lines(block.data)
            if block.number != self.tree.size or lines[0].seq != self.seq:
                raise UnfitError(f"another block stands where block {self.tree.size} should")
            self.tree.add(leaf_hash(block.data))
            self.seq += len(lines)
            self.log = lines[0].log
            if b'"kind":"hold"' in block.data:
                said = map(events.decode, block.lines)
                self.holds |= {event.hold for event in said if isinstance(event, events.Hold)}
            earliest = min(earliest, *(line.t for line in lines))
            latest = max(latest, *(line.t for line in lines))
        return earliest, latest


def overdue(found: Sequence[Segment], retention: Retention, now: float) -> int:
    """How many of these finished segments, oldest first, have to go at Unix time `now`."""
    sizes = [sum(path.stat().st_size for path in _files(segment)) for segment in found]
    total, gone = sum(sizes), 0
    for segment, size in zip(found, sizes, strict=True):
        old = retention.seconds and _ended(segment, now) + retention.seconds <= now
        if not old and not (retention.size and total > retention.size):
            break
        total -= size
        gone += 1
    return gone


Told = Callable[..., None]
"""(kind of event, its own fields by name): takes it down and returns when it is on the disk, or raises."""


def prune(
    folder: Path, number: int, signed: int, retention: Retention, told: Told, now: float | None = None
) -> int:
    """Remove what is overdue of the segments before `number`, as far as the checkpoint goes: `signed` blocks.

    Returns how many segments were removed. Raises OSError, HoldError, CursorError, UnfitError and SegmentError,
    and what `told` raises: then what was not removed yet stays.
    """
    state = _left_over(folder)
    now = time.time() if now is None else now
    found = [segment for segment in segments(folder) if segment.number < number]
    going = found[: overdue(found, retention, now)]
    if not going:
        return 0
    forced = overdue(found, Retention(size=retention.size), now)
    with turn(folder.parent, alone=True):
        place, gone = _chosen(going, state, signed, every(folder.parent), forced)
        if not gone:
            return 0
        check(folder.parent)
        told(
            events.Prune,
            pruned=place.log,
            first=state.seq,
            last=place.seq - 1,
            size=place.tree.size,
            segments=len(gone),
        )
        kept = Place(place.tree.size, place.seq, tuple(place.tree.peaks), gone[-1].number + 1)
        replace(folder / "pruned", kept.text())
        sync_directory(folder)  # the new name, before the old ones go
        _remove(folder, gone)
    return len(gone)


def _left_over(folder: Path) -> Place:
    """What the log begins with, after removing what an interruption has left before that."""
    try:
        place = Place.parse((folder / "pruned").read_bytes())
    except FileNotFoundError:
        return Place()
    except (ValueError, KeyError, TypeError):
        raise UnfitError("its file pruned was changed") from None
    _remove(folder, [segment for segment in segments(folder) if segment.number < place.segment])
    return place


def _chosen(
    going: Sequence[Segment], start: Place, signed: int, kept: Sequence[Hold], forced: int
) -> tuple[_Counted, list[Segment]]:
    """As many of `going` as are signed and not held, and behind the first `forced` at every sink; and the state
    behind them."""
    behind, gone = _Counted(Frontier(start.size, start.peaks), start.seq), list[Segment]()
    known, active = {hold.id for hold in kept}, [hold for hold in kept if hold.released is None]
    for index, segment in enumerate(going):
        counted = _Counted(behind.tree.copy(), behind.seq, behind.log)
        earliest, latest = counted.take(segment)
        if counted.tree.size > signed or any(hold.spans(earliest, latest) for hold in active):
            break
        if not counted.holds <= known:  # holds.json was tampered with, and here is what proves it
            break
        if index >= forced and _awaited(segment.path.parent.parent, counted):
            break
        behind = counted
        gone.append(segment)
    return behind, gone


def _awaited(directory: Path, counted: _Counted) -> bool:
    """Whether a sink has not got everything that was counted."""
    everywhere = shipped(directory, counted.log)
    return everywhere is not None and everywhere < counted.seq


def _remove(folder: Path, gone: Sequence[Segment]) -> None:
    """Side files first: where a segment is, it is known that they may be."""
    for segment in gone:
        for path in _files(segment):
            path.unlink()
    if gone:
        sync_directory(folder)


def _files(segment: Segment) -> Iterator[Path]:
    yield from (path for kind in SIDES if (path := segment.beside(kind)).exists())
    yield segment.path


def _ended(segment: Segment, now: float) -> float:
    """When no event of it was later (Unix time): when the day of its name was over. The name of one that was begun
    by a clock that was wrong may say nothing, or a day to come; then it is when the file was written last."""
    if segment.day is not None and segment.day * DAY <= now:
        return (segment.day + 1) * DAY
    return segment.path.stat().st_mtime
