"""Whether a whole audit is what was signed and anchored: every log of it, and that none is gone.

Trust begins with the key. The one in the directory (`public.key`) tells that the log fits itself; only a key that
was kept elsewhere, and anchors elsewhere, tell that it was not made anew by somebody who has the directory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.checkpoint import CheckpointError, Verifier
from proxy.audit.layout import LOG, logs, segments
from proxy.audit.proof.admitted import Admitted, Said, admitted
from proxy.audit.proof.committed import Lack, lacks
from proxy.audit.proof.digest import Tell, beginning
from proxy.audit.proof.examine import Examined, examine, settled
from proxy.audit.proof.unheld import unheld
from proxy.audit.proof.walk import Ahead, nobody
from proxy.audit.storage import content
from proxy.audit.verdict import Anchored, Fault, Report, Verdict, verdict

ID = re.compile(rb"hushwire/([0-9a-f]{8})")


class Anchor(Protocol):
    """Where checkpoints are kept besides the log, as a verifier asks it."""

    def notes(self, log: str) -> Sequence[Anchored]:
        """What is kept of a log, oldest first. Raises AnchorError."""

    def logs(self) -> Iterable[str]:
        """The ids of the logs of which something is kept. Raises AnchorError."""


@dataclass
class Audit:
    """What was found out about a directory: about its logs, and `faults` that are of none of them."""

    logs: list[Report] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """By the worst that was found."""
        damages = [damage for log in self.logs for damage in log.damages]
        return verdict(self.faults + [fault for log in self.logs for fault in log.faults], damages)


def published(directory: Path) -> Verifier:
    """The key in the directory. Raises CheckpointError if it is not as it was written, FileNotFoundError."""
    text = content(directory / "public.key").decode(errors="replace")
    verifier = Verifier.parse(text)
    if text != f"{verifier.vkey}\n":
        raise CheckpointError("it is not spelt as it was written")
    return verifier


def verify(
    directory: Path,
    key: Verifier | None = None,
    anchors: Sequence[Anchor] = (),
    tell: Tell = lambda _: None,
    only: Path | None = None,
    ahead: Ahead = nobody,
) -> Audit:
    """Look at every log of an audit, or at one of them. `key` is one that was kept elsewhere; `tell` is given
    numbers of events; `ahead` is who digests segments besides (crew.py). Raises OSError and AnchorError, and what
    `ahead` raises."""
    audit = Audit()
    verifier = _key(directory, key, audit)
    if verifier is None:
        return audit
    folders, found = logs(directory), list[Examined]()
    pruned = any((folder / "pruned").exists() for folder in folders)
    for folder in folders if only is None else [only]:
        notes = [note for anchor in anchors for note in anchor.notes(name)] if (name := named(folder)) else []
        found.append(examine(folder, verifier, notes, tell, ahead, admitting=pruned))
    audit.logs = [one.report for one in found]
    late = cache(lambda: settled(lambda: admitted(folders, verifier)))
    said = _said(found, late)
    for one in found:
        if not one.report.faults:
            _explained(one, audit.logs, said)
    if only is not None:
        return audit
    _missing(audit, folders)
    _gone(audit, verifier, anchors)
    audit.faults += unheld(directory, found, late)
    return audit


def _said(found: Sequence[Examined], late: Callable[[], Admitted]) -> Said:
    """First by what was found on the way; then by reading all logs: they are written to meanwhile."""
    early = Admitted()
    for one in found:
        early.take(one.admissions, one.signed)
    return lambda test: test(early) or test(late())


def _key(directory: Path, given: Verifier | None, audit: Audit) -> Verifier | None:
    try:
        own = published(directory)
    except FileNotFoundError:
        audit.faults.append(Fault("removed", None, None, "the file public.key was removed"))
    except CheckpointError as error:
        audit.faults.append(Fault("changed", None, None, f"the file public.key was changed: {error}"))
    else:
        if given is not None and own.public != given.public:
            audit.faults.append(Fault("replaced", None, None, "the file public.key is not the key that was given"))
        return given or own
    return given


def _explained(one: Examined, reports: Sequence[Report], said: Said) -> None:
    """Whatever is gone from a log was said to be."""
    report = one.report
    others = [other for other in reports if other is not report and other.start]
    if report.start and not said(lambda known: (report.log, report.start) in known.pruned):
        says = f"events before {report.first} were removed, and no event says that they were pruned"
        _unsaid(report, Fault("removed", 0, report.first - 1, says), others, report.begun)
    for lack in _lacks(one, said):
        fault = Fault("removed" if lack.unsaid else "changed", lack.seq, lack.seq, lack.says)
        if lack.unsaid:
            _unsaid(report, fault, others, lack.t)
        else:
            report.faults.append(fault)


def _lacks(one: Examined, said: Said) -> Iterator[Lack]:
    """What is wrong with side files, by segment."""
    log, signed = one.report.log, one.report.signed.point.seq if one.report.signed else 0
    for segment, end, compared in zip(one.shot.segments, one.shot.ends, one.compared, strict=False):
        yield from lacks(segment, end, compared, log, signed, said)


def _unsaid(report: Report, fault: Fault, others: Iterable[Report], t: int | None) -> None:
    """An event that explains it is later than `t`. Another log may have had it, and was pruned since."""
    if any(t is None or other.begun is None or other.begun > t for other in others):
        report.remarks.append(f"{fault.says}; a log that was pruned since may have said so")
    else:
        report.faults.append(fault)


def named(folder: Path) -> str:
    """The id of a log as its checkpoint or its first event says, whoever wrote that; empty if neither does."""
    with suppress(FileNotFoundError):
        first = content(folder / "checkpoint").partition(b"\n")[0]
        if match := ID.fullmatch(first):
            return match[1].decode()
    with suppress(SegmentError):
        return next((beginning(run)[0] for segment in segments(folder) for run in Reading(segment).runs()), "")
    return ""


def _missing(audit: Audit, folders: Sequence[Path]) -> None:
    """Logs are numbered from 0, and each has an id of its own."""
    numbers = {int(match[1]) for folder in folders if (match := LOG.fullmatch(folder.name))}
    for first, last in _gaps(sorted(numbers)):
        gone = f"log-{first} was removed" if first == last else f"log-{first} to log-{last} were removed"
        audit.faults.append(Fault("removed", None, None, gone))
    for log, count in Counter(report.log for report in audit.logs if report.log).items():
        if count > 1:
            audit.faults.append(Fault("inserted", None, None, f"{count} folders say that they are log {log}"))


def _gaps(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """What is missing between 0 and the last of these, as first and last: it may be a lot, if one is wrong."""
    for before, number in pairwise([-1, *numbers]):
        if before + 1 < number:
            yield before + 1, number - 1


def _gone(audit: Audit, verifier: Verifier, anchors: Sequence[Anchor]) -> None:
    """Logs that an anchor knows, by a checkpoint that our key has signed."""
    here = {report.log for report in audit.logs}
    for anchor in anchors:
        for log in sorted(set(anchor.logs()) - here):
            if any(_signed(note, verifier) for note in anchor.notes(log)):
                here.add(log)
                audit.faults.append(Fault("removed", None, None, f"log {log} is gone; an anchor knows it"))


def _signed(note: Anchored, verifier: Verifier) -> bool:
    try:
        verifier.open(note.note)
    except CheckpointError:
        return False
    return True
