"""Whether one log is what was signed and anchored: whole, tampered with, or damaged by a crash.

    file               what it takes to be found out                                          if it is changed
    segments           signed checkpoint or anchor; behind the newest, `leaves` and the seqs    tampered
      a torn last line of the open segment, behind the checkpoint                               damaged
    checkpoint         its signature; missing: tampered, because every log has one              tampered
    pruned             the root that its peaks must lead to; an event `prune` that says so      tampered
    leaves, frontier   the segments, which are proven without them                              damaged
    public.key         spelt as written, and the checkpoint's signature                         tampered
    marks, bodies      the commitments in the events (committed.py)                              tampered
    lock, names' days  nothing: they say nothing

Reads only (repair.py mends). What is true of a log that is being written to is not reported as damage: its last
line may be on its way. What needs more than one log to tell is in verify.py.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from proxy.audit.checkpoint import Checkpoint, CheckpointError, Verifier
from proxy.audit.layout import Segment
from proxy.audit.proof.committed import Compared
from proxy.audit.proof.diagnose import diagnose
from proxy.audit.proof.digest import Leaves, Tell
from proxy.audit.proof.walk import Ahead, At, Walked, Wanted, walk
from proxy.audit.snapshot import Snapshot, State, StateError, snapshot
from proxy.audit.storage import content
from proxy.audit.verdict import Anchored, Damage, Fault, Head, Mend, Point, Report, event_fault

LINES = 7  # of a note with one signature
ATTEMPTS = 5
Result = TypeVar("Result")


class Examined(NamedTuple):
    """A log, as it was when it was looked at, and what it lacks beside each of its segments, as far as those could
    be read: what may be lacking is for all logs together to say. `admissions` are what it says itself, if it was
    asked, up to event `signed` of its own checkpoint."""

    report: Report
    shot: Snapshot
    compared: Sequence[Compared]
    admissions: Sequence[bytes]
    signed: int


def examine(
    folder: Path, verifier: Verifier, notes: Sequence[Anchored], tell: Tell, ahead: Ahead, *, admitting: bool
) -> Examined:
    """Look at one log. `notes` are what anchors keep of it; `admitting`: something is known to be gone from a log.
    Raises OSError."""
    return settled(lambda: _Log(snapshot(folder), verifier, notes).examined(tell, ahead, admitting=admitting))


def settled(look: Callable[[], Result]) -> Result:
    """What `look` returns, once no segment is compressed or pruned while it looks. Raises OSError."""
    for _ in range(ATTEMPTS - 1):
        with suppress(FileNotFoundError):
            return look()
    return look()


class _Log:
    def __init__(self, shot: Snapshot, verifier: Verifier, notes: Sequence[Anchored]) -> None:
        self.shot, self.verifier, self.notes = shot, verifier, notes
        self.told = Report(shot.folder.name, live=shot.live, segments=len(shot.segments), anchors=len(notes))
        self.faults, self.damages = self.told.faults, self.told.damages
        self.own, self.own_seq = -1, 0
        """Blocks and events that the log's own checkpoint covers."""

    def examined(self, tell: Tell, ahead: Ahead, *, admitting: bool) -> Examined:
        """Everything about this log that can be told from it and its anchors."""
        start, heads = self._start(), self._heads()
        newest = max((head.point.size for head in heads), default=0)
        frontier = self._frontier()
        points = [head.point.size for head in heads] + ([frontier.size] if frontier else [])
        walked = walk(self.shot, start, Wanted(points, newest, admitting), tell, ahead)
        if any(one.lacking for one in walked.compared):
            self._stays()
        self.told.log = self.told.log or walked.log or ""
        self.told.blocks, self.told.events, self.told.first = walked.size, walked.seq, start.seq
        self.told.start, self.told.begun = start.size, walked.begun
        if walked.log and walked.log != self.told.log:
            self._fault("replaced", f"the events are those of another log, {walked.log}")
        if not self._judge(heads, start, walked):
            self._behind(walked, newest)
            self._derived(walked, newest, frontier)
        self._names()
        return Examined(self.told, self.shot, walked.compared, walked.admissions, self.own_seq)

    def _stays(self) -> None:
        """FileNotFoundError if something is pruned meanwhile: side files go before their segments."""
        path = self.shot.folder / "pruned"
        if path.exists() and content(path) != self.shot.pruned:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    # -- what is claimed ----------------------------------------------------------------------------------

    def _start(self) -> State:
        if self.shot.pruned is None:
            return State()
        try:
            start = State.parse(self.shot.pruned)
            if start.offset > 0:
                raise StateError("whole segments are pruned")
        except StateError as error:
            self._fault("changed", f"the file pruned was changed: {error}")
            return State()
        return start

    def _heads(self) -> list[Head]:
        """The heads whose signatures are right, by size."""
        heads: list[Head] = []
        if self.shot.note is not None:
            own = self._opened(self.shot.note.decode(errors="replace"), "checkpoint", None)
            if own is not None:
                heads, self.own, self.own_seq = [own], own.point.size, own.point.seq
            if own and self.shot.note.count(b"\n") != LINES:
                self._fault("inserted", "the checkpoint has lines that the writer did not write")
        elif self.shot.segments or self.shot.frontier or self.shot.pruned or self.notes:
            self._fault("removed", "the checkpoint was removed: every log has one from its beginning")
        for kept in self.notes:
            head = self._kept(kept)
            heads += [head] if head else []
        return sorted(heads, key=lambda head: head.point.size)

    def _kept(self, kept: Anchored) -> Head | None:
        if kept.wrong:
            self._fault("changed", f"a checkpoint kept by {kept.by} does not hold: {kept.wrong}")
        elif kept.note.count("\n") < LINES:
            self._damage(f"a checkpoint kept by {kept.by} was cut off as it was written")
        else:
            return self._opened(kept.note, kept.by, kept.when)
        return None

    def _opened(self, note: str, by: str, when: int | None) -> Head | None:
        try:
            signed = self.verifier.open(note)
        except CheckpointError as error:
            what = "the checkpoint" if by == "checkpoint" else f"a checkpoint kept by {by}"
            self._fault("changed", f"{what} is not what was signed: {error}")
            return None
        if self.told.log and signed.log != self.told.log:
            self._fault("replaced", f"the checkpoint is that of another log, {signed.log}")
            return None
        self.told.log = signed.log
        return Head(_point(signed), by, when or signed.time)

    def _frontier(self) -> State | None:
        if self.shot.frontier is None:
            return None
        try:
            return State.parse(self.shot.frontier)
        except StateError as error:
            self._damage(f"the file frontier cannot be used: {error}", "frontier")
            return None

    # -- what is true -------------------------------------------------------------------------------------

    def _judge(self, heads: Sequence[Head], start: State, walked: Walked) -> bool:
        """Compare the tree with every head; whether something is wrong."""
        good = Point(start.size, start.seq, b"")
        for head in heads:
            point = head.point
            if point.size < start.size:
                continue  # pruned since: later heads contain what it said
            at = walked.at.get(point.size)
            if at is None or (at.root, at.seq) != (point.root, point.seq):
                self.faults.append(self._why(head, good, start, walked))
                return True
            good = point
            self._count(head)
        return bool(self.faults)

    def _count(self, head: Head) -> None:
        """They come by size, and the log's own before others."""
        if self.told.signed is None or self.told.signed.point != head.point:
            self.told.signed = head
        if head.by != "checkpoint":
            self.told.anchored = head

    def _why(self, head: Head, good: Point, start: State, walked: Walked) -> Fault:
        point = head.point
        at = walked.at.get(point.size)
        if (at and at.root == point.root) or (point.size == start.size > 0):
            return Fault("changed", None, None, "the file pruned does not say what was signed")
        if walked.size == self.own < point.size and not walked.error:  # it is what its own checkpoint says
            return event_fault("replaced", good.seq, good.seq)
        found = diagnose(self.shot, start, good, point, self.told.log)
        self.told.right = found.right
        return found.fault

    def _behind(self, walked: Walked, newest: int) -> None:
        """What no signature covers."""
        lost = next((leaves.segment for leaves in walked.leaves[1:] if _is_lost(leaves, walked)), None)
        if lost is not None:
            says = f"a power cut has taken event {walked.odd.seq if walked.odd else ''} and what stood behind it"
            self._damage(f"{says}, but not {lost.path.name}; the next writer removes that", "", lost.path)
            return
        if walked.odd is not None:
            self.faults.append(event_fault(walked.odd.look, walked.odd.seq, walked.odd.seq))
        elif walked.error and walked.stopped:
            self._fault("changed", f"{walked.stopped.path.name}: {walked.error}", walked.seq)
        for segment, torn in walked.torn:
            if segment.sealed or _goes_on_behind(segment, walked):
                self._fault("inserted", f"{segment.path.name} ends with {torn} bytes that are no event")
            elif not self.shot.live:
                self._damage(f"{segment.path.name} ends with a torn line of {torn} bytes", "tail", segment.path)
        if not self.shot.live and not self.faults:
            self._unsigned_leaves(walked, newest)

    def _unsigned_leaves(self, walked: Walked, newest: int) -> None:
        for leaves in walked.leaves:
            if leaves.differs and leaves.differs[0] >= newest:
                self.faults.append(event_fault("changed", leaves.differs[1], leaves.differs[1]))
            elif leaves.over and leaves is walked.leaves[-1]:
                self.faults.append(event_fault("cut off", walked.seq, walked.seq))

    def _derived(self, walked: Walked, newest: int, frontier: State | None) -> None:
        """Files that the segments are known without."""
        if self.shot.live or self.faults:
            return  # they are being replaced, or prove nothing
        for leaves in walked.leaves:
            path = leaves.segment.beside("leaves")
            lacks = min(newest, self._end(leaves, walked)) - leaves.known
            if lacks > 0:
                self._damage(f"{path.name} lacks the hashes of {lacks} blocks", "leaves", path)
            elif leaves.torn or leaves.over or leaves.differs:
                self._damage(f"{path.name} does not have the hashes of its blocks", "leaves", path)
        if frontier and not _is_at(frontier, walked.at.get(frontier.size)):
            self._damage("the file frontier does not say what is signed", "frontier")
        if self.shot.frontier is None and self.shot.note is not None:
            self._damage("the file frontier is missing", "frontier")

    def _end(self, leaves: Leaves, walked: Walked) -> int:
        """The first block behind the segment's."""
        return next((other.first for other in walked.leaves if other.first > leaves.first), walked.size)

    def _names(self) -> None:
        for number in self.shot.twice:
            self._fault("inserted", f"two segments have number {number}")
        for path in () if self.shot.live else self.shot.leftover:
            what = "compressing" if path.suffix == ".gz" and path.with_suffix("").exists() else "pruning"
            self._damage(f"{path.name} is left over from {what}, which was interrupted", "leftover", path)

    def _fault(self, look: str, says: str, seq: int | None = None) -> None:
        self.faults.append(Fault(look, seq, seq, says))

    def _damage(self, says: str, mend: Mend = "", path: Path | None = None) -> None:
        self.damages.append(Damage(says, mend, path))


def _is_at(frontier: State, at: At | None) -> bool:
    """Whether that is what the log is there. The end of a segment is also the beginning of the next."""
    if at is None or (frontier.tree().root(), frontier.seq) != (at.root, at.seq):
        return False
    place = frontier.segment, frontier.offset
    return place == (at.segment, at.offset) or frontier.offset == -1 or (place[0] > at.segment and not place[1])


def _goes_on_behind(segment: Segment, walked: Walked) -> bool:
    """Whether blocks follow in later segments. A power cut may leave nothing of those but their names."""
    return any(other.first < walked.size for other in walked.leaves if other.segment.number > segment.number)


def _is_lost(leaves: Leaves, walked: Walked) -> bool:
    """Whether events are missing in front of this segment, all behind the checkpoint."""
    odd = walked.odd
    return odd is not None and odd.look == "removed" and odd.block == leaves.first


def _point(signed: Checkpoint) -> Point:
    return Point(signed.size, signed.seq, signed.root)
